// SPDX-License-Identifier: MIT
#pragma once

// Items by key: the document and key-value service, after DynamoDB's model. An adapter derives from `table` and
// overrides the do_ functions, which get checked arguments only.
// Threads:  every member function may be called from any thread.
// Blocking: until the engine has answered or the call's deadline has passed.
// Errors:   no member throws; what an adapter throws becomes internal, std::bad_alloc becomes out_of_memory. The effect
//           is not_applied for reads and for all that is refused before the adapter is asked; else what the adapter
//           says, unknown if it threw. Any call may fail with invalid_argument (key_bytes, name, page_size, ...),
//           unsupported (see table_capabilities), deadline_exceeded (caller_deadline), unavailable (engine),
//           out_of_memory, and reads with corruption; below is what comes on top.
// Owning:   arguments are not kept but for items that are moved in; results are the caller's own.
// Limits:   the portable ones of DynamoDB (Amazon DynamoDB Developer Guide, "Quotas"): see the constants below.

#include <dormouse/clock.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/call_options.hpp>
#include <dormouse/services/change_watcher.hpp>
#include <dormouse/services/durability.hpp>
#include <dormouse/services/table_types.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {
template <class Behaviour>
class forwarding_table;
}

// What this adapter can do beyond the contract of every table. What it cannot is refused as unsupported, before any
// effect.
struct table_capabilities {
  bool conditions = false;             // write_condition
  bool updates = false;                // update()
  bool transactions = false;           // transact()
  bool shared_transactions = false;    // table_write_options::within, that of transact() too
  bool expiry = false;                 // expires_at
  bool tokens = false;                 // table_write_options::token
  bool change_log = false;             // changes(), last_change(), watch(), position(), remember()
  bool strong_index_reads = false;     // query() of an index with read_consistency::strong
  std::vector<table_index> indexes{};  // that query() knows
  std::size_t item_bytes_max = 400 * 1'024;
  std::size_t partition_bytes_max = 2'048;  // of a key; longer: invalid_argument (key_bytes)
};

class table {
 public:
  static constexpr std::size_t partition_bytes_max = 2'048;
  static constexpr std::size_t sort_bytes_max = 1'024;
  static constexpr std::size_t name_bytes_max = 255;
  static constexpr std::size_t item_bytes_max = 400 * 1'024;  // names and values together: see item_bytes()
  static constexpr std::size_t item_levels_max = 32;          // of lists and maps within each other
  static constexpr std::size_t page_size_max = 1'000;
  static constexpr std::size_t page_bytes_max = 1'024 * 1'024;
  static constexpr std::size_t batch_max = 100;  // keys or writes of a batch, or writes of a transaction
  static constexpr std::size_t transaction_bytes_max = 4 * 1'024 * 1'024;
  static constexpr std::size_t token_bytes_max = 64;
  static constexpr std::size_t indexes_max = 20;

  virtual ~table() = default;
  table(const table&) = delete;
  table& operator=(const table&) = delete;

  // The same at every call.
  [[nodiscard]] virtual const table_capabilities& capabilities() const noexcept = 0;
  [[nodiscard]] virtual durability_level durability() const noexcept = 0;

  // ---- one item
  // The item, or nothing when there is none of that key, or it has expired.
  result<std::optional<stored_item>> get(const table_key& key, const table_get_options& options = {});
  // Stores the item in the place of any former one; the version it has now. Fails: condition_failed, too_large
  // (value_bytes), limit_exceeded (store_full), invalid_argument for a number that is not finite; conflict when
  // another call with the same token is on its way.
  result<table_version> put(table_key key, table_item item, const table_write_options& options = {});
  // Changes the item where it lies, or makes one from nothing; what it is now. Fails as put and table_update::apply.
  result<stored_item> update(table_key key, table_update what, const table_write_options& options = {});
  // Was there an item? It is gone now. Fails: condition_failed.
  result<bool> erase(table_key key, const table_write_options& options = {});

  // ---- several items
  // 0 .. 100 different keys.
  result<table_batch> get_batch(const std::vector<table_key>& keys, const table_get_options& options = {});
  // 0 .. 100 writes of different keys, no check among them, each as if alone: one may fail and the next succeed. An
  // answer for each, in their order; an erase answers 0. A wrong argument in one of them refuses the whole call.
  result<std::vector<result<table_version>>> write_batch(std::vector<table_write> writes,
                                                         const call_options& options = {});
  // 1 .. 100 writes of different keys, of 4 MiB together: all or none, as if nothing else happened meanwhile. Versions
  // in their order, 0 for an erase or check. Fails as put, and: conflict, with nothing changed.
  result<std::vector<table_version>> transact(std::vector<table_write> writes,
                                              const table_transaction_options& options = {});

  // ---- many items
  // A page of a partition. Entries that are there during the whole walk from page to page are given exactly once.
  // Fails: invalid_argument for a cursor that is malformed or belongs to another question, or an unknown index.
  result<table_page> query(const table_query& what);
  // A page of everything. Fails as query.
  result<table_page> scan(const table_scan& what = {});

  // ---- expiry
  // Expired items are never seen. This takes away up to `count` of them, 1 .. 1,000, with a change in the log for each;
  // writes do so for a few on their way. When the next one of those that are left expires: past if more have.
  result<std::optional<calendar_time>> remove_expired(std::size_t count = 100, const call_options& options = {});

  // ---- changes
  // Those behind `after` in the order of their numbers, oldest first, `count` of 1 .. 1,000 at most; fewer only when
  // there are no more. Fails: expired when changes behind `after` are kept no more (then scan() says what there is),
  // invalid_argument (page_size; a number that no change has had yet).
  result<std::vector<table_change>> changes(std::uint64_t after, std::size_t count = 100,
                                            const call_options& options = {});
  // The number of the last change; 0: none yet.
  result<std::uint64_t> last_change(const call_options& options = {});
  // How far a reader has come, by its name, 1 .. 64 of [A-Za-z0-9_-]: kept as well as the items are. Empty: never said.
  result<std::optional<std::uint64_t>> position(std::string_view reader, const call_options& options = {});
  result<void> remember(std::string_view reader, std::uint64_t position, const call_options& options = {});
  // Tells `who` of every change from now on until unwatch() has returned.
  result<void> watch(change_watcher& who);
  void unwatch(change_watcher& who) noexcept;

  // Bytes an item counts: its names, and of each value its text or bytes, 8 for a number, 1 for null or truth; a list,
  // map or set 3, and its elements and their names with 1 each on top.
  [[nodiscard]] static std::size_t item_bytes(const table_item& item) noexcept;

 protected:
  // `time` decides deadlines, expiry and tokens, and must outlive the table.
  explicit table(const clock& time) noexcept : time_(time) {}
  [[nodiscard]] const clock& time() const noexcept { return time_; }

  // What do_write() answers: the item as it is now, for an update; else only its version. An erase that found nothing
  // says so by `existed`.
  struct write_outcome {
    stored_item now{};
    bool existed = false;
  };

 private:
  template <class Behaviour>
  friend class detail::forwarding_table;  // a decorator asks the table behind it
  // What an adapter overrides. Arguments, capabilities and deadlines have been checked; deadlines are passed on for
  // engines that can wait, and for decorators. An adapter that knows a failed write changed nothing says not_applied.
  virtual result<std::optional<stored_item>> do_get(const table_key& key, const table_get_options& options) = 0;
  // `what.when` and `what.expires_at` are those of the options. An updated item must be checked: check_table_item().
  virtual result<write_outcome> do_write(table_write&& what, const table_write_options& options) = 0;
  // A page; `after` is the last key that was examined, null for the start. The page's `cursor` is what the adapter
  // wants to get back as `after`, empty when nothing is left.
  virtual result<table_page> do_query(const table_query& what, std::string_view after) = 0;
  virtual result<table_page> do_scan(const table_scan& what, std::string_view after) = 0;

  // These do the same with the functions above; an adapter may know a better way.
  virtual result<table_batch> do_get_batch(const std::vector<table_key>& keys, const table_get_options& options);
  virtual result<std::vector<result<table_version>>> do_write_batch(std::vector<table_write>&& writes,
                                                                    const call_options& options);
  // Without the capability none of these is called.
  virtual result<std::vector<table_version>> do_transact(std::vector<table_write>&& writes,
                                                         const table_transaction_options& options);
  virtual result<std::optional<calendar_time>> do_remove_expired(std::size_t count, const call_options& options);
  virtual result<std::vector<table_change>> do_changes(std::uint64_t after, std::size_t count,
                                                       const call_options& options);
  virtual result<std::uint64_t> do_last_change(const call_options& options);
  virtual result<std::optional<std::uint64_t>> do_position(std::string_view reader, const call_options& options);
  virtual result<void> do_remember(std::string_view reader, std::uint64_t position, const call_options& options);
  virtual result<void> do_watch(change_watcher& who);
  virtual void do_unwatch(change_watcher& who) noexcept;

  result<write_outcome> write(table_write&& what, const table_write_options& options);
  const clock& time_;
};

// ---- for adapters ---------------------------------------------------------------------------------------------------

// Is this an item that a table takes? Names, finite numbers, levels, bytes. Fails: invalid_argument (name; levels, a
// number that is not finite), too_large (value_bytes).
result<void> check_table_item(const table_item& item);
// Throws std::invalid_argument that names the adapter's options and the member that is outside its bounds.
void check_table_schema(const table_schema& schema, std::string_view options_name);
// Where the item stands in the index, partition and sort; empty: it is not in it.
[[nodiscard]] std::optional<table_key> table_index_key(const table_index& index, const table_item& item);
// Those of the attributes that have these names; all of them if there are no names.
[[nodiscard]] table_item project_table_item(const table_item& item, const std::vector<std::string>& names);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/services/table.ipp>
#endif
