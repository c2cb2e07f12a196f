// SPDX-License-Identifier: MIT

#include <dormouse/adapters/sqlite.hpp>
#include <dormouse/detail/service_call.hpp>

#include "engines/sqlite/engine.hpp"
#include "guest_statements.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {
namespace sqlite {
namespace {

using row_taker = std::function<bool(sql_row&&)>;

// Ends a statement that still runs when the deadline has passed. One that writes takes the whole transaction with it:
// so not in one that is shared.
class time_limit {
 public:
  time_limit(connection& on, const deadline& until, const clock& time) noexcept : on_(on), until_(until), time_(time) {
    if (until_) sqlite3_progress_handler(on_.handle(), steps_between_looks, &time_limit::has_passed, this);
  }
  ~time_limit() {
    if (until_) sqlite3_progress_handler(on_.handle(), 0, nullptr, nullptr);
  }
  time_limit(const time_limit&) = delete;
  time_limit& operator=(const time_limit&) = delete;

 private:
  static constexpr int steps_between_looks = 4'000;  // of SQLite's machine: tens of microseconds
  static int has_passed(void* self) {
    const auto& limit = *static_cast<const time_limit*>(self);
    return limit.time_.now() >= *limit.until_ ? 1 : 0;
  }

  connection& on_;
  const deadline& until_;
  const clock& time_;
};

result<void> give_rows(guest_statement& from, const sql_parameters& values, const row_taker& take) {
  if (auto bound = from.bind(values); !bound) return bound;
  std::shared_ptr<const std::vector<std::string>> names;
  for (;;) {
    auto more = from.step();
    if (!more) return std::move(more).error();
    if (!*more) return {};
    if (names == nullptr) names = from.names();  // not before: the first step may have compiled it anew
    if (!take(sql_row(names, from.row()))) return {};
  }
}

result<void> run(connection& on, guest_statement& what, const sql_parameters& values, execution& done) {
  if (auto bound = what.bind(values); !bound) return bound;
  sqlite3_set_last_insert_rowid(on.handle(), 0);
  // Statements that change no rows leave the count of the last one that did.
  const auto before = sqlite3_total_changes64(on.handle());
  for (;;) {
    auto more = what.step();
    if (!more) return std::move(more).error();
    if (!*more) break;
  }
  const bool changed = sqlite3_total_changes64(on.handle()) != before;
  done.rows_changed = changed ? static_cast<std::uint64_t>(sqlite3_changes64(on.handle())) : 0;
  done.last_id = sqlite3_last_insert_rowid(on.handle());
  return {};
}

class sqlite_transaction final : public open_transaction {
 public:
  sqlite_transaction(std::unique_ptr<exclusive_write> held, const deadline& until, const clock& time) noexcept
      : held_(std::move(held)), until_(until), time_(time) {}

  result<void> query(std::string_view sql, const sql_parameters& values, const row_taker& take) override {
    return held_->use([&](connection& on) -> result<void> {
      const time_limit limit(on, until_, time_);
      return guest_statements::of(on).with(sql, [&](guest_statement& what) { return give_rows(what, values, take); });
    });
  }
  result<execution> execute(std::string_view sql, const sql_parameters& values) override {
    execution done;
    auto ran = held_->use([&](connection& on) -> result<void> {
      const time_limit limit(on, until_, time_);
      return guest_statements::of(on).with(sql, [&](guest_statement& what) { return run(on, what, values, done); });
    });
    if (!ran) return std::move(ran).error();
    return done;
  }
  result<void> script(std::string_view sql) override {
    return held_->use([&](connection& on) -> result<void> {
      const time_limit limit(on, until_, time_);
      return guest_statements::of(on).script(sql);
    });
  }
  result<void> commit() override { return held_->commit(); }
  void roll_back() noexcept override { held_->roll_back(); }

 private:
  std::unique_ptr<exclusive_write> held_;
  const deadline until_;
  const clock& time_;
};

class sqlite_database final : public database {
 public:
  explicit sqlite_database(std::shared_ptr<sqlite_file> file) noexcept
      : database(file->opened().time()), file_(std::move(file)) {}

  // Writers take turns, so what is serializable is never a conflict.
  [[nodiscard]] database_capabilities capabilities() const noexcept override {
    return {.connections_max = file_->opened().connections_max()};
  }
  [[nodiscard]] durability_level durability() const noexcept override { return file_->opened().durability(); }
  [[nodiscard]] sql_dialect dialect() const noexcept override { return sql_dialect::sqlite; }

 private:
  result<void> do_query(std::string_view sql, const sql_parameters& values, const row_taker& take,
                        const call_options& options) override {
    const auto read = [&](guest_statement& what) -> result<void> {
      if (what.only_reads()) return give_rows(what, values, take);
      return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                         "this SQL writes: see execute() and transaction::query()");
    };
    return file_->opened().read_once(
        [&](connection& on) -> result<void> {
          const time_limit limit(on, options.deadline, time());
          return guest_statements::of(on).with(sql, read);
        },
        options.deadline);
  }

  result<execution> do_execute(std::string_view sql, const sql_parameters& values,
                               const call_options& options) override {
    execution done;
    auto wrote = file_->opened().write(
        [&](connection& on) -> result<void> {
          return guest_statements::of(on).with(sql, [&](guest_statement& what) { return run(on, what, values, done); });
        },
        options.deadline);
    if (!wrote) return std::move(wrote).error();
    return done;
  }

  result<std::unique_ptr<open_transaction>> do_begin(const transaction_options& options) override {
    auto held = file_->opened().begin(options.deadline, options.idle_timeout);
    if (!held) return std::move(held).error();
    return std::unique_ptr<open_transaction>(
        std::make_unique<sqlite_transaction>(std::move(*held), options.deadline, time()));
  }

  const std::shared_ptr<sqlite_file> file_;
};

}  // namespace
}  // namespace sqlite

result<std::unique_ptr<database>> open_sqlite_database(std::shared_ptr<sqlite_file> file) {
  if (file == nullptr) throw std::invalid_argument("dormouse: open_sqlite_database() was given no file");
  return std::unique_ptr<database>(std::make_unique<sqlite::sqlite_database>(std::move(file)));
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
