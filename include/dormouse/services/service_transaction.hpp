// SPDX-License-Identifier: MIT
#pragma once

// One transaction over several services of one engine: what is done to a table, a queue and a topic within it is there
// together, or not at all.
//
//   auto all = begin_sqlite_transaction(file).value();
//   orders->put(key, item, {.within = all.get()});
//   outbox->send({.data = "paid"}, {.within = all.get()});
//   inbox->ack(receipt, {.within = all.get()});
//   all->commit();
//
// Each call within it fails or succeeds for itself, and what failed has done nothing: commit() commits the others. A
// call within a transaction of another engine, or on a service that cannot take part
// (capabilities().shared_transactions), is refused as unsupported before any effect.
// What is done within it sees what was done within it before: conditions, receipts. Reads see what is committed.
// Whoever watches, and receivers that wait, are told when it has committed.
// Threads:  one at a time. Nobody else writes to the engine until it ends: be short.
// Owning:   it must end before its services and their file do. Its destructor rolls back.

#include <dormouse/result.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class service_transaction {
 public:
  // Rolls back what was not committed.
  virtual ~service_transaction() = default;
  service_transaction(const service_transaction&) = delete;
  service_transaction& operator=(const service_transaction&) = delete;

  // Ends it, whatever comes of it. Fails: expired (it had ended: it was idle for too long, or the engine rolled it
  // back), and as the writes of the engine do.
  virtual result<void> commit() = 0;
  virtual void roll_back() noexcept = 0;
  // Whose it is: two of the same engine say the same.
  [[nodiscard]] virtual const void* engine() const noexcept = 0;

 protected:
  service_transaction() = default;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
