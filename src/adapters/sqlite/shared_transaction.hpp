// SPDX-License-Identifier: MIT
#pragma once

// A write of a service: in a commit of its own, or within a transaction that spans services. In both cases it is told
// how that ended, because what it keeps in memory, and whom it tells, goes by what is committed.

#include <dormouse/services/service_transaction.hpp>

#include "engines/sqlite/engine.hpp"

#include <memory>
#include <new>
#include <thread>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

// What is done when it is known how a write ended. Told once, on the thread of who wrote, when it is no more its turn.
class write_ending {
 public:
  virtual ~write_ending() = default;
  // Not committed: it may also be unknown, when the file is of no use any more.
  virtual void ended(bool committed) noexcept = 0;
};

class shared_transaction final : public service_transaction {
 public:
  shared_transaction(std::shared_ptr<sqlite_file> file, std::unique_ptr<exclusive_write> held) noexcept
      : file_(std::move(file)), held_(std::move(held)) {
    note_thread();
  }
  ~shared_transaction() override { shared_transaction::roll_back(); }

  result<void> commit() override;
  void roll_back() noexcept override;
  [[nodiscard]] const void* engine() const noexcept override { return &file_->opened(); }

  // Does `piece` in a savepoint: what fails, or throws, has done nothing. `after` is told at once if it failed.
  result<void> run(work piece, std::unique_ptr<write_ending> after);

 private:
  result<void> run_in_savepoint(connection& in, work piece);
  void note_thread() noexcept;
  void end(bool committed) noexcept;

  const std::shared_ptr<sqlite_file> file_;
  const std::unique_ptr<exclusive_write> held_;
  std::vector<std::unique_ptr<write_ending>> endings_{};  // of what has been done
  std::thread::id used_by_{};                             // last
};

// Fails: unsupported, when it is of another engine.
result<shared_transaction*> part_of(const engine& file, service_transaction& within) noexcept;

// `piece` gets the connection and the ending, into which it writes down what is to be done then.
template <class Ending, class F>
result<void> write_of_service(engine& file, service_transaction* within, const deadline& until, Ending after,
                              const F& piece) {
  if (within == nullptr) {
    result<void> done{};
    try {
      done = file.write([&](connection& in) { return piece(in, after); }, until);
    } catch (...) {  // before the commit
      after.ended(false);
      throw;
    }
    after.ended(done.has_value());
    return done;
  }
  auto all = part_of(file, *within);
  if (!all) return std::move(all).error();
  auto kept = std::make_unique<Ending>(std::move(after));
  Ending& shown = *kept;
  return (*all)->run([&](connection& in) { return piece(in, shown); }, std::move(kept));
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
