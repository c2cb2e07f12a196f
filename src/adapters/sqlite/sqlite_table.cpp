// SPDX-License-Identifier: MIT
#include <dormouse/adapters/sqlite.hpp>
#include <dormouse/detail/service_call.hpp>
#include <dormouse/detail/table_checks.hpp>
#include <dormouse/detail/table_fingerprint.hpp>

#include "engines/sqlite/engine.hpp"
#include "shared_transaction.hpp"
#include "stored_row.hpp"
#include "table_log.hpp"
#include "table_reader.hpp"
#include "table_state.hpp"
#include "table_tokens.hpp"
#include "table_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <new>
#include <stdexcept>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace sqlite {
namespace {

// Expired items that a write takes away on its way: more than it can make.
constexpr std::size_t expired_per_write = 2;

// Is the failure one of this write's own, and not the file's? Then those beside it can still be done.
bool is_of_write(errc code) noexcept {
  return code == errc::condition_failed || code == errc::invalid_argument || code == errc::too_large;
}

class table_ending final : public write_ending {
 public:
  explicit table_ending(std::shared_ptr<table_state> of) noexcept : of_(std::move(of)) {}
  void ended(bool committed) noexcept override {
    // What was undone may have been expired items that are there again.
    if (!committed && raised_hint) of_->nothing_expires_before = std::numeric_limits<std::int64_t>::min();
    if (committed && logged) of_->watchers.tell();
  }
  bool logged = false;
  bool raised_hint = false;

 private:
  std::shared_ptr<table_state> of_;
};

class sqlite_table final : public table {
 public:
  sqlite_table(std::shared_ptr<sqlite_file> file, std::shared_ptr<table_state> state)
      : table(file->opened().time()),
        file_(std::move(file)),
        state_(std::move(state)),
        capabilities_{.conditions = true,
                      .updates = true,
                      .transactions = true,
                      .shared_transactions = true,
                      .expiry = true,
                      .tokens = true,
                      .change_log = state_->logs(),
                      .strong_index_reads = true,
                      .indexes = state_->schema.indexes} {}

  [[nodiscard]] const table_capabilities& capabilities() const noexcept override { return capabilities_; }
  [[nodiscard]] durability_level durability() const noexcept override { return engine_.durability(); }

 private:
  result<std::optional<stored_item>> do_get(const table_key& key, const table_get_options& options) override;
  result<write_outcome> do_write(table_write&& what, const table_write_options& options) override;
  result<table_page> do_query(const table_query& what, std::string_view after) override;
  result<table_page> do_scan(const table_scan& what, std::string_view after) override;
  result<table_batch> do_get_batch(const std::vector<table_key>& keys, const table_get_options& options) override;
  result<std::vector<result<table_version>>> do_write_batch(std::vector<table_write>&& writes,
                                                            const call_options& options) override;
  result<std::vector<table_version>> do_transact(std::vector<table_write>&& writes,
                                                 const table_transaction_options& options) override;
  result<std::optional<calendar_time>> do_remove_expired(std::size_t count, const call_options& options) override;
  result<std::vector<table_change>> do_changes(std::uint64_t after, std::size_t count,
                                               const call_options& options) override;
  result<std::uint64_t> do_last_change(const call_options& options) override;
  result<std::optional<std::uint64_t>> do_position(std::string_view reader, const call_options& options) override;
  result<void> do_remember(std::string_view reader, std::uint64_t position, const call_options& options) override;
  result<void> do_watch(change_watcher& who) override;
  void do_unwatch(change_watcher& who) noexcept override;

  // A change of the table: what `what` does with a writer is committed, or has not happened.
  template <class F>
  result<void> change(service_transaction* within, const deadline& until, F&& what);
  // Page or other answer of one read.
  template <class T, class F>
  result<T> read(const deadline& until, F&& what);

  const std::shared_ptr<sqlite_file> file_;
  const std::shared_ptr<table_state> state_;
  engine& engine_ = file_->opened();
  const table_capabilities capabilities_;
};

template <class F>
result<void> sqlite_table::change(service_transaction* within, const deadline& until, F&& what) {
  try {
    if (within == nullptr) {
      if (auto ready = state_->versions.prepare(engine_, state_->id, until); !ready) return ready;
    }
    const calendar_time now = time().wall();
    return write_of_service(engine_, within, until, table_ending(state_),
                            [&](connection& in, table_ending& after) -> result<void> {
                              table_writer writer(in, *state_, now);
                              auto written = what(in, writer, now);
                              after.logged = writer.has_logged();
                              after.raised_hint = writer.has_raised_hint();
                              return written;
                            });
  } catch (const std::bad_alloc&) {  // before the commit: the interface could only say `unknown`
    return detail::make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
  }
}

template <class T, class F>
result<T> sqlite_table::read(const deadline& until, F&& what) {
  result<T> answer{};
  auto done = engine_.read(
      [&](connection& in) -> result<void> {
        answer = what(in);
        return answer ? result<void>{} : result<void>(answer.error());
      },
      until);
  if (!done) return std::move(done).error();
  return answer;
}

// ---- items ----------------------------------------------------------------------------------------------------------

result<std::optional<stored_item>> sqlite_table::do_get(const table_key& key, const table_get_options& options) {
  result<std::optional<stored_item>> found{};
  auto done = engine_.read_once(
      [&](connection& in) -> result<void> {
        found = read_item_at(in, *state_, key, time());
        return {};
      },
      options.deadline);
  if (!done) return std::move(done).error();
  return found;
}

result<table_batch> sqlite_table::do_get_batch(const std::vector<table_key>& keys, const table_get_options& options) {
  return read<table_batch>(options.deadline, [&](connection& in) -> result<table_batch> {
    table_batch batch;
    for (std::size_t at = 0; at < keys.size(); ++at) {
      if (!detail::in_time(time(), options.deadline)) {
        batch.unprocessed.assign(keys.begin() + static_cast<std::ptrdiff_t>(at), keys.end());
        break;
      }
      auto found = read_item_at(in, *state_, keys[at], time());
      if (!found) return std::move(found).error();
      if (!*found) continue;
      batch.found.push_back({keys[at], std::move((*found)->item), (*found)->version, (*found)->expires_at});
    }
    return batch;
  });
}

result<table::write_outcome> sqlite_table::do_write(table_write&& what, const table_write_options& options) {
  const std::uint64_t asked = options.token.empty() ? 0 : detail::fingerprint_of(what);
  write_outcome outcome;
  auto done = change(options.within, options.deadline,
                     [&](connection& in, table_writer& writer, calendar_time now) -> result<void> {
                       if (!options.token.empty()) {
                         auto earlier = find_answer(in, *state_, options.token, asked, now);
                         if (!earlier) return std::move(earlier).error();
                         if (*earlier) {
                           outcome = {std::move((*earlier)->now), (*earlier)->existed};
                           return {};
                         }
                       }
                       auto applied = writer.apply(what, options.former);
                       if (!applied) return std::move(applied).error();
                       outcome = {std::move(applied->now), applied->existed};
                       if (!options.token.empty()) {
                         token_answer answer;
                         answer.asked = asked;
                         answer.now = outcome.now;
                         answer.existed = outcome.existed;
                         if (auto kept = keep_answer(in, *state_, options.token, answer, now); !kept) return kept;
                       }
                       return writer.remove_expired(expired_per_write);
                     });
  if (!done) return std::move(done).error();
  return outcome;
}

// Each in a savepoint, all in one commit: what one fails of does not touch the others.
result<std::vector<result<table_version>>> sqlite_table::do_write_batch(std::vector<table_write>&& writes,
                                                                        const call_options& options) {
  std::vector<result<table_version>> answers;
  const auto run = [](connection& in, std::string_view text) -> result<void> {
    auto prepared = in.prepare(text);
    if (!prepared) return std::move(prepared).error();
    auto done = prepared->run();
    if (!done) return std::move(done).error();
    return {};
  };
  auto done =
      change(nullptr, options.deadline, [&](connection& in, table_writer& writer, calendar_time) -> result<void> {
        answers.clear();
        for (const table_write& each : writes) {
          if (auto begun = run(in, "SAVEPOINT dormouse_one"); !begun) return begun;
          auto applied = writer.apply(each, nullptr);
          if (!applied && !in.in_transaction()) return std::move(applied).error();
          if (!applied) {
            if (auto undone = run(in, "ROLLBACK TO dormouse_one"); !undone) return undone;
          }
          if (auto ended = run(in, "RELEASE dormouse_one"); !ended) return ended;
          if (applied) {
            answers.emplace_back(applied->now.version);
          } else {
            answers.emplace_back(std::move(applied).error());
          }
        }
        return writer.remove_expired(expired_per_write * writes.size());
      });
  if (!done) return std::move(done).error();
  return answers;
}

// The first failure is the answer, but for a condition's, which comes before all others, as conditions are looked at
// before anything is done.
result<std::vector<table_version>> sqlite_table::do_transact(std::vector<table_write>&& writes,
                                                             const table_transaction_options& options) {
  const std::uint64_t asked = options.token.empty() ? 0 : detail::fingerprint_of(writes);
  std::vector<table_version> versions;
  std::vector<std::size_t> failed;
  auto done = change(options.within, options.deadline,
                     [&](connection& in, table_writer& writer, calendar_time now) -> result<void> {
                       if (!options.token.empty()) {
                         auto earlier = find_answer(in, *state_, options.token, asked, now);
                         if (!earlier) return std::move(earlier).error();
                         if (*earlier) {
                           versions = std::move((*earlier)->versions);
                           return {};
                         }
                       }
                       result<void> first{};
                       for (std::size_t at = 0; at < writes.size(); ++at) {
                         auto applied = writer.apply(writes[at], nullptr);
                         if (applied) {
                           versions.push_back(applied->now.version);
                           continue;
                         }
                         const bool is_condition = applied.error().code == errc::condition_failed;
                         if (!is_of_write(applied.error().code)) return std::move(applied).error();
                         if (first || (is_condition && failed.empty())) {
                           first = detail::refuse_service_call(applied.error().code, applied.error().reason,
                                                               "write {}: {}", at, applied.error().detail);
                         }
                         if (is_condition) failed.push_back(at);
                       }
                       if (!first) return first;
                       if (!options.token.empty()) {
                         token_answer answer;
                         answer.asked = asked;
                         answer.versions = versions;
                         if (auto kept = keep_answer(in, *state_, options.token, answer, now); !kept) return kept;
                       }
                       return writer.remove_expired(expired_per_write * writes.size());
                     });
  if (done) return versions;
  if (options.failed != nullptr && done.error().code == errc::condition_failed) *options.failed = std::move(failed);
  return std::move(done).error();
}

result<table_page> sqlite_table::do_query(const table_query& what, std::string_view after) {
  const calendar_time now = time().wall();
  return read<table_page>(what.deadline, [&](connection& in) { return read_page(in, *state_, what, after, now); });
}

result<table_page> sqlite_table::do_scan(const table_scan& what, std::string_view after) {
  const calendar_time now = time().wall();
  return read<table_page>(what.deadline, [&](connection& in) { return read_page(in, *state_, what, after, now); });
}

// ---- expiry and changes ---------------------------------------------------------------------------------------------

result<std::optional<calendar_time>> sqlite_table::do_remove_expired(std::size_t count, const call_options& options) {
  auto done = change(nullptr, options.deadline, [&](connection&, table_writer& writer, calendar_time) -> result<void> {
    return writer.remove_expired(count);
  });
  if (!done) return std::move(done).error();
  return read<std::optional<calendar_time>>(options.deadline,
                                            [&](connection& in) -> result<std::optional<calendar_time>> {
                                              auto row = in.prepare(state_->sql.soonest);
                                              if (!row) return std::move(row).error();
                                              auto found = row->step();
                                              if (!found) return std::move(found).error();
                                              if (!*found) return std::optional<calendar_time>{};
                                              return std::optional<calendar_time>{from_file_time(row->int64(0))};
                                            });
}

result<std::vector<table_change>> sqlite_table::do_changes(std::uint64_t after, std::size_t count,
                                                           const call_options& options) {
  const calendar_time now = time().wall();
  return read<std::vector<table_change>>(options.deadline,
                                         [&](connection& in) { return read_log(in, *state_, after, count, now); });
}

result<std::uint64_t> sqlite_table::do_last_change(const call_options& options) {
  return read<std::uint64_t>(options.deadline, [&](connection& in) { return last_in_log(in, *state_); });
}

result<std::optional<std::uint64_t>> sqlite_table::do_position(std::string_view reader, const call_options& options) {
  return read<std::optional<std::uint64_t>>(options.deadline,
                                            [&](connection& in) { return position_of(in, *state_, reader); });
}

result<void> sqlite_table::do_remember(std::string_view reader, std::uint64_t position, const call_options& options) {
  try {
    return engine_.write([&](connection& in) { return set_position(in, *state_, reader, position); }, options.deadline);
  } catch (const std::bad_alloc&) {  // as in change()
    return detail::make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
  }
}

result<void> sqlite_table::do_watch(change_watcher& who) {
  state_->watchers.add(who);
  return {};
}

void sqlite_table::do_unwatch(change_watcher& who) noexcept { state_->watchers.remove(who); }

const sqlite_table_options& checked(const sqlite_table_options& options) {
  if (!detail::is_plain_name(options.name)) {
    throw std::invalid_argument(
        fmt::format("dormouse: sqlite_table_options::name is \"{}\"; give 1 .. 64 of [A-Za-z0-9_-]",
                    detail::printable(options.name, 64)));
  }
  check_table_schema(options.schema, "sqlite_table_options");
  return options;
}

}  // namespace
}  // namespace sqlite

result<std::unique_ptr<table>> open_sqlite_table(std::shared_ptr<sqlite_file> file,
                                                 const sqlite_table_options& options) {
  using namespace sqlite;
  if (file == nullptr) throw std::invalid_argument("dormouse: open_sqlite_table: the file is null");
  checked(options);
  return detail::contained([&](effect_kind&) -> result<std::unique_ptr<table>> {
    auto& shelf = file->shared();
    const std::lock_guard lock(shelf.mutex);
    auto& kept = shelf.kept["table " + options.name];
    auto state = std::static_pointer_cast<table_state>(kept);
    if (state == nullptr || !same_schema(state->schema, options.schema)) {
      if (state.use_count() > 2) {  // more than `kept` and ours
        return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                           "table \"{}\" is open with another schema", options.name);
      }
      auto opened = open_table_state(file->opened(), options);
      if (!opened) return std::move(opened).error();
      kept = state = std::move(*opened);
    }
    return std::unique_ptr<table>(std::make_unique<sqlite_table>(std::move(file), std::move(state)));
  });
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
