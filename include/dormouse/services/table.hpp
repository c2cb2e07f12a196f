// SPDX-License-Identifier: MIT
#pragma once

// Items by key: the document and key-value service, after DynamoDB's model. This first form stores, reads, erases and
// lists whole items. An adapter derives from `table` and overrides the do_ functions, which get checked arguments only.
// Threads:  every member function may be called from any thread.
// Blocking: until the engine has answered or the call's deadline has passed.
// Errors:   no member throws; what an adapter throws becomes internal, std::bad_alloc becomes out_of_memory. The effect
//           is not_applied for reads and for all that is refused before the adapter is asked; else what the adapter
//           says, unknown if it threw.
// Owning:   arguments are not kept but for the item that put() takes over; results are the caller's own.
// Limits:   the portable ones of DynamoDB (Amazon DynamoDB Developer Guide, "Quotas"): see the constants below.

#include <dormouse/clock.hpp>
#include <dormouse/payload.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/durability.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// Items of one partition lie together, ordered by `sort`. Both are bytes, compared as unsigned ones.
struct table_key {
  std::string partition{};  // 1 .. 2,048 bytes
  std::string sort{};       // 0 .. 1,024 bytes
  friend bool operator==(const table_key&, const table_key&) = default;
  friend auto operator<=>(const table_key&, const table_key&) = default;
};

// One value: null, truth, whole number, number, text or bytes. Numbers are finite.
using attribute = std::variant<std::monostate, bool, std::int64_t, double, std::string, payload>;
// Values by name; names are 1 .. 255 bytes.
using table_item = std::map<std::string, attribute, std::less<>>;

struct table_entry {
  table_key key{};
  table_item item{};
};

struct table_call_options {
  // By the table's clock; a call that begins then or later does nothing. Empty: none.
  std::optional<clock::time_point> deadline{};
};

struct table_list_options {
  // Only partitions that begin with these bytes; empty: all.
  std::string partition_prefix{};
  // Entries in a page at most, 1 .. 1,000.
  std::size_t page_size = 100;
  // Where the page before ended; empty: from the start.
  std::string cursor{};
  // As in table_call_options.
  std::optional<clock::time_point> deadline{};
};

struct table_page {
  std::vector<table_entry> entries{};  // in key order; fewer than page_size does not mean that none follow
  // For the next page; empty: this was the last one. Opaque printable text, good only for the same partition_prefix.
  std::string cursor{};
};

// What this adapter can do beyond the contract of every table. Nothing yet: later functions are asked for here.
struct table_capabilities {};

class table {
 public:
  static constexpr std::size_t partition_bytes_max = 2'048;
  static constexpr std::size_t sort_bytes_max = 1'024;
  static constexpr std::size_t name_bytes_max = 255;
  static constexpr std::size_t item_bytes_max = 400 * 1'024;  // names and values together: see item_bytes()
  static constexpr std::size_t page_size_max = 1'000;

  virtual ~table() = default;
  table(const table&) = delete;
  table& operator=(const table&) = delete;

  [[nodiscard]] virtual table_capabilities capabilities() const noexcept = 0;
  [[nodiscard]] virtual durability_level durability() const noexcept = 0;

  // The item, or nothing when there is none of that key. Sees every write that has returned before.
  // Fails: invalid_argument (key_bytes), deadline_exceeded (caller_deadline), unavailable (engine), out_of_memory.
  result<std::optional<table_item>> get(const table_key& key, const table_call_options& options = {});
  // Stores the item in the place of any former one. Fails as get, and: too_large (value_bytes), invalid_argument for an
  // attribute's name or a number that is not finite, limit_exceeded (store_full).
  result<void> put(const table_key& key, table_item item, const table_call_options& options = {});
  // Was there an item? It is gone now. Fails as get.
  result<bool> erase(const table_key& key, const table_call_options& options = {});
  // A page of entries in key order. Entries that are there during the whole walk from page to page are given exactly
  // once; those written or erased meanwhile may or may not be, once at most. Fails as get, and: invalid_argument
  // (page_size), or for a cursor that is malformed or belongs to another prefix.
  result<table_page> list(const table_list_options& options = {});

  // Bytes an item counts: its names, and of each value its text or bytes, 8 for a number, 1 for null or truth.
  [[nodiscard]] static std::size_t item_bytes(const table_item& item) noexcept;

 protected:
  // `time` decides deadlines and must outlive the table.
  explicit table(const clock& time) noexcept : time_(time) {}

 private:
  // What an adapter overrides. Keys, items, prefix and deadline have been checked; options.deadline is for engines that
  // can wait, and for decorators to pass on. An adapter that knows a failed write changed nothing says not_applied.
  virtual result<std::optional<table_item>> do_get(const table_key& key, const table_call_options& options) = 0;
  virtual result<void> do_put(const table_key& key, table_item&& item, const table_call_options& options) = 0;
  virtual result<bool> do_erase(const table_key& key, const table_call_options& options) = 0;
  // The first `count` entries after `after` (from the start when null; it need not be there any more) whose partition
  // has the prefix, in key order. Fewer only when no more are there.
  virtual result<std::vector<table_entry>> do_list(std::string_view partition_prefix, const table_key* after,
                                                   std::size_t count, const table_call_options& options) = 0;

  const clock& time_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/services/table.ipp>
#endif
