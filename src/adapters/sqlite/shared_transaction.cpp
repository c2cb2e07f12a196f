// SPDX-License-Identifier: MIT
#include "shared_transaction.hpp"

#include <dormouse/adapters/sqlite_messaging.hpp>
#include <dormouse/detail/service_call.hpp>

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace sqlite {

namespace {

result<void> run_text(connection& in, std::string_view sql) {
  auto prepared = in.prepare(sql);
  if (!prepared) return std::move(prepared).error();
  auto done = prepared->run();
  if (!done) return std::move(done).error();
  return {};
}

// A piece that cannot be undone alone takes the whole transaction with it.
void undo_piece(connection& in) noexcept {
  if (!in.in_transaction()) return;
  constexpr const char* undo = "ROLLBACK TO dormouse_piece; RELEASE dormouse_piece";
  if (sqlite3_exec(in.handle(), undo, nullptr, nullptr, nullptr) == SQLITE_OK) return;
  sqlite3_exec(in.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace

result<void> shared_transaction::run(work piece, std::unique_ptr<write_ending> after) {
  note_thread();
  auto& place = endings_.emplace_back();  // before there is something to lose
  bool is_alive = false;
  result<void> done{};
  try {
    done = held_->use([&](connection& in) -> result<void> {
      auto ran = run_in_savepoint(in, piece);
      is_alive = in.in_transaction();
      return ran;
    });
  } catch (...) {  // undone, in its savepoint
    endings_.pop_back();
    after->ended(false);
    throw;
  }
  if (done) {
    place = std::move(after);
    return done;
  }
  endings_.pop_back();
  after->ended(false);
  if (!is_alive) end(false);
  return done;
}

result<void> shared_transaction::run_in_savepoint(connection& in, work piece) {
  if (auto begun = run_text(in, "SAVEPOINT dormouse_piece"); !begun) return begun;
  result<void> done{};
  try {
    done = piece(in);
  } catch (...) {
    undo_piece(in);
    throw;
  }
  if (done) done = run_text(in, "RELEASE dormouse_piece");
  if (!done) undo_piece(in);
  return done;
}

result<void> shared_transaction::commit() {
  auto committed = held_->commit();
  end(committed.has_value());
  return committed;
}

void shared_transaction::roll_back() noexcept {
  held_->roll_back();
  end(false);
}

void shared_transaction::note_thread() noexcept {
  used_by_ = std::this_thread::get_id();
  file_->opened().note_holder(used_by_);
}

void shared_transaction::end(bool committed) noexcept {
  file_->opened().release_holder(used_by_);
  const auto told = std::exchange(endings_, {});
  for (const auto& each : told) each->ended(committed);
}

result<shared_transaction*> part_of(const engine& file, service_transaction& within) noexcept {
  auto* const ours = dynamic_cast<shared_transaction*>(&within);
  if (ours != nullptr && ours->engine() == &file) return ours;
  return detail::make_failure(errc::unsupported, effect_kind::not_applied, failure_reason::none,
                              "the transaction is one of another engine");
}

}  // namespace sqlite

result<std::unique_ptr<service_transaction>> begin_sqlite_transaction(std::shared_ptr<sqlite_file> file,
                                                                      const sqlite_transaction_options& options) {
  using namespace std::chrono_literals;
  if (file == nullptr) throw std::invalid_argument("dormouse: begin_sqlite_transaction: the file is null");
  if (options.idle_timeout < 1ms || options.idle_timeout > 1h) {
    throw std::invalid_argument(fmt::format(
        "dormouse: sqlite_transaction_options::idle_timeout is {} ms; give 1 ms .. 1 h", options.idle_timeout.count()));
  }
  return detail::contained([&](effect_kind&) -> result<std::unique_ptr<service_transaction>> {
    auto held = file->opened().begin(options.deadline, options.idle_timeout);
    if (!held) return std::move(held).error();
    return std::unique_ptr<service_transaction>(
        std::make_unique<sqlite::shared_transaction>(std::move(file), std::move(*held)));
  });
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
