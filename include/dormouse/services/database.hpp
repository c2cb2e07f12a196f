// SPDX-License-Identifier: MIT
#pragma once

// SQL: the relational service, after RDS and its Data API. An adapter derives from `database` and overrides the do_
// functions, which get checked arguments only.
//
//   auto names = orders.query("select name from customers where city = ?", {"Berlin"});
//
//   auto moved = retry_transaction(bank, [&](transaction& open) -> result<void> { ... });
//
// SQL is not translated: see dialect(). Values never become part of it: they are bound to its `?`, in their order.
// Threads:  every member of a database may be called from any thread; a transaction is used by one at a time.
// Blocking: until the engine has answered or the call's deadline has passed; a connection that is not free is waited
//           for as long, then throttled.
// Errors:   no member throws; what an adapter throws becomes internal, std::bad_alloc becomes out_of_memory. Any call
//           may fail with invalid_argument (the SQL, or a constraint: foreign key, check, not null), already_exists (a
//           unique constraint, named in `detail`), conflict (lost a race: repeat the whole transaction), throttled (no
//           connection was free), too_large (value_bytes), limit_exceeded (store_full), deadline_exceeded, unavailable,
//           corruption, permission_denied, unsupported, out_of_memory. The effect is what the adapter knows of it.
// Owning:   a database must outlive its transactions. Arguments are not kept; results are the caller's own.

#include <dormouse/clock.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/call_options.hpp>
#include <dormouse/services/durability.hpp>
#include <dormouse/services/migration.hpp>
#include <dormouse/services/sql_value.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {
template <class Behaviour>
class forwarding_database;
}

enum class sql_dialect : std::uint8_t { sqlite = 1, postgresql };
enum class isolation_level : std::uint8_t { read_committed = 1, snapshot, serializable };

// What this adapter can do beyond the contract of every database. What it cannot is refused as unsupported, before any
// effect.
struct database_capabilities {
  bool read_committed = false;  // begin() with that level; weaker levels may give more than they promise
  bool snapshot = false;
  std::size_t connections_max = 1;  // calls and transactions at once; more wait
};

struct query_options {
  // Rows that are kept: more are too_large (value_bytes). 1 .. 10,000,000. query_each() has no such limit.
  std::size_t rows_max = 100'000;
  std::optional<clock::time_point> deadline{};  // as in call_options
};

struct sql_rows {
  std::vector<std::string> names{};  // of the columns; empty when there are no rows
  std::vector<sql_row> rows{};
};

struct execution {
  std::uint64_t rows_changed = 0;
  // The key the engine gave to the last row that was inserted; 0 if it gives none.
  std::int64_t last_id = 0;
};

struct transaction_options {
  isolation_level isolation = isolation_level::serializable;
  // A transaction that is not used for so long may be rolled back for others who want to write; later use is expired.
  // 1 ms .. 24 h. RDS's Data API has 3 min.
  std::chrono::milliseconds idle_timeout{std::chrono::minutes(3)};
  // For the whole of it, waiting for it to begin included: as in call_options.
  std::optional<clock::time_point> deadline{};
};

// What an adapter makes for one transaction. Destroyed before its end: rolled back.
class open_transaction {
 public:
  virtual ~open_transaction() = default;
  virtual result<void> query(std::string_view sql, const sql_parameters& values,
                             const std::function<bool(sql_row&&)>& take) = 0;
  virtual result<execution> execute(std::string_view sql, const sql_parameters& values) = 0;
  virtual result<void> script(std::string_view sql) = 0;  // statements without parameters, of a migration
  virtual result<void> commit() = 0;
  virtual void roll_back() noexcept = 0;
};

// Statements that take effect together, or not at all. Destroyed or moved over before commit(): rolled back. A
// statement refused as invalid_argument or already_exists (SQL, constraints) has changed nothing, and the transaction
// goes on; after any other failure, rows beyond rows_max among them, it has been rolled back, and its members fail in
// the same way. After its end: expired.
class transaction {
 public:
  transaction(transaction&&) noexcept = default;
  transaction& operator=(transaction&&) noexcept = default;

  result<sql_rows> query(std::string_view sql, const sql_parameters& values = {}, const query_options& options = {});
  result<execution> execute(std::string_view sql, const sql_parameters& values = {});
  // The end, whatever it returns. Fails: conflict, invalid_argument (a constraint that was deferred), unavailable with
  // effect unknown when it cannot be known what became of it.
  result<void> commit();
  void roll_back() noexcept;

 private:
  friend class database;
  transaction(std::unique_ptr<open_transaction> target, const clock& time,
              const std::optional<clock::time_point>& deadline) noexcept
      : target_(std::move(target)), time_(&time), deadline_(deadline) {}
  result<void> may_go_on();
  void look_at(const failure& why) noexcept;
  void end(failure why) noexcept;

  std::unique_ptr<open_transaction> target_;
  const clock* time_;
  std::optional<clock::time_point> deadline_;
  std::optional<failure> over_{};
};

class database {
 public:
  static constexpr std::size_t sql_bytes_max = 1'024 * 1'024;
  static constexpr std::size_t parameters_max = 32'766;
  static constexpr std::size_t value_bytes_max = 16 * 1'024 * 1'024;  // of one parameter
  static constexpr std::size_t sets_max = 1'000'000;                  // of execute_many()

  virtual ~database() = default;
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  [[nodiscard]] virtual database_capabilities capabilities() const noexcept = 0;
  [[nodiscard]] virtual durability_level durability() const noexcept = 0;
  [[nodiscard]] virtual sql_dialect dialect() const noexcept = 0;

  // One statement that reads. One that would write is invalid_argument: see execute() and transaction::query().
  result<sql_rows> query(std::string_view sql, const sql_parameters& values = {}, const query_options& options = {});
  // Row by row, as long as `take` returns true; what it throws becomes internal. It must not use this database.
  result<void> query_each(std::string_view sql, const sql_parameters& values,
                          const std::function<bool(sql_row&&)>& take, const call_options& options = {});
  // One statement, in a transaction of its own.
  result<execution> execute(std::string_view sql, const sql_parameters& values = {}, const call_options& options = {});
  // The statement with each of the sets, in one transaction: all or none. At most sets_max sets.
  result<execution> execute_many(std::string_view sql, const std::vector<sql_parameters>& sets,
                                 const call_options& options = {});
  result<transaction> begin(const transaction_options& options = {});
  // Does those that have not been done yet, in the order of their numbers, each in a transaction together with the note
  // that it is done (a row of dormouse_migrations); the number of the last one now. Two who migrate at once do each
  // step once. Fails as execute, and: invalid_argument for numbers that do not ascend, conflict when a step that was
  // done had other SQL, is unknown here, or comes after one that was not done.
  result<std::uint32_t> migrate(const std::vector<migration>& steps, const call_options& options = {});

 protected:
  // `time` decides deadlines and must outlive the database.
  explicit database(const clock& time) noexcept : time_(time) {}
  [[nodiscard]] const clock& time() const noexcept { return time_; }

 private:
  template <class Behaviour>
  friend class detail::forwarding_database;  // a decorator asks the database behind it
  // What an adapter overrides. Arguments, capabilities and deadlines have been checked.
  virtual result<void> do_query(std::string_view sql, const sql_parameters& values,
                                const std::function<bool(sql_row&&)>& take, const call_options& options) = 0;
  virtual result<execution> do_execute(std::string_view sql, const sql_parameters& values,
                                       const call_options& options) = 0;
  virtual result<std::unique_ptr<open_transaction>> do_begin(const transaction_options& options) = 0;

  result<bool> migrate_next(const std::vector<migration>& steps, std::size_t& done, bool& lost_race,
                            const call_options& options);
  const clock& time_;
};

struct retry_options {
  std::size_t attempts_max = 10;  // 1 .. 1,000
  transaction_options each{};
};

// Calls `work` with a fresh transaction and commits it; again, after a conflict, until attempts_max or the deadline.
// `work` may run several times: it must leave nothing behind but in the transaction, and not end it. Its failures and
// the last conflict are this function's.
result<void> retry_transaction(database& where, const std::function<result<void>(transaction&)>& work,
                               const retry_options& options = {});

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/services/database.ipp>
#include <dormouse/detail/impl/services/migration.ipp>
#endif
