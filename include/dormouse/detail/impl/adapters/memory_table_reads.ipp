// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/detail/service_call.hpp>

#include <array>
#include <cstring>
#include <iterator>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

// Where a page of a memory_table ended: the sort of that order, and the key. Each text behind its length.
using memory_page_end = std::array<std::string, 3>;

DORMOUSE_INLINE std::string pack(const memory_place& place) {
  std::string packed;
  for (const std::string_view each : {place.sort, place.key_partition, place.key_sort}) {
    const auto size = static_cast<std::uint32_t>(each.size());
    packed.append(reinterpret_cast<const char*>(&size), sizeof size).append(each);
  }
  return packed;
}

// Whoever forges a cursor may give anything.
DORMOUSE_INLINE result<memory_page_end> unpack(std::string_view packed) {
  memory_page_end end;
  for (std::string& each : end) {
    std::uint32_t size = 0;
    if (packed.size() < sizeof size) break;
    std::memcpy(&size, packed.data(), sizeof size);
    packed.remove_prefix(sizeof size);
    if (packed.size() < size) break;
    each = packed.substr(0, size);
    packed.remove_prefix(size);
    if (&each == &end.back() && packed.empty()) return end;
  }
  return refuse_service_call(errc::invalid_argument, failure_reason::none, "the cursor is malformed");
}

DORMOUSE_INLINE bool is_in_range(std::string_view sort, const sort_range& range) noexcept {
  return (!range.from || sort >= *range.from) && (!range.to || sort <= *range.to) && sort.starts_with(range.prefix);
}

// The least text behind all that begin with `prefix`; nothing when there is none.
DORMOUSE_INLINE std::optional<std::string> behind_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1U);
  return prefix;
}

}  // namespace detail

DORMOUSE_INLINE result<std::optional<stored_item>> memory_table::do_get(const table_key& key,
                                                                        const table_get_options&) {
  const std::lock_guard lock(mutex_);
  const detail::memory_entry* found = items_.find(key);
  if (found == nullptr || !is_there(found->second)) return std::optional<stored_item>{};
  return std::optional<stored_item>{found->second.now};
}

// ---- walks ----------------------------------------------------------------------------------------------------------

// What the two kinds of them ask of each entry.
struct memory_table::walk {
  // Entries that are passed over in a page at most, expired or of other segments: the lock is not kept for long.
  static constexpr std::size_t passed_max = 10'000;

  const condition& filter;
  const std::vector<std::string>& projection;
  std::size_t page_size = 0;
  const table_index* index = nullptr;
  std::size_t segment = 0;
  std::size_t segments = 1;

  [[nodiscard]] bool has(const table_key& key) const {
    return segments == 1 || detail::name_hash(key.partition) % segments == segment;
  }
  void add_to(std::vector<table_entry>& entries, const detail::memory_entry& each) const {
    const stored_item& now = each.second.now;
    const bool narrows = index != nullptr && !index->projection.empty();
    const table_item seen = narrows ? project_table_item(now.item, index->projection) : table_item{};
    const table_item& item = narrows ? seen : now.item;
    if (!filter.is_always() && !filter.holds(&item)) return;
    entries.push_back({each.first, project_table_item(item, projection), now.version, now.expires_at});
  }
};

template <class It>
table_page memory_table::page_of(It at, It end, const walk& how) const {
  table_page page;
  std::size_t bytes = 0;
  std::size_t passed = 0;
  while (at != end) {
    const auto& place = *at;
    const detail::memory_entry& each = detail::entry_of(place);
    ++at;
    if (how.has(each.first) && is_there(each.second)) {
      ++page.examined;
      bytes += each.second.bytes;
      how.add_to(page.entries, each);
    } else {
      ++passed;
    }
    if (page.examined < how.page_size && bytes < page_bytes_max && passed < walk::passed_max) continue;
    if (at != end) page.cursor = detail::pack(detail::place_of(place));
    break;
  }
  return page;
}

// The part of an order that `what` asks for, without what was given before `after`.
template <class Order>
result<table_page> memory_table::query_in(const Order& order, const table_query& what, std::string_view after,
                                          const table_index* index) const {
  using detail::memory_place;
  const sort_range& range = what.sort;
  if (range.from && range.to && *range.from > *range.to) return table_page{};
  const auto low = order.lower_bound(memory_place{what.partition, range.from ? *range.from : range.prefix, {}, {}, -1});
  const auto prefix_end = detail::behind_prefix(range.prefix);
  const std::string next_partition = what.partition + '\0';
  auto high = order.lower_bound(memory_place{next_partition, {}, {}, {}, -1});
  if (range.to) high = order.upper_bound(memory_place{what.partition, *range.to, {}, {}, 1});
  if (prefix_end) high = order.lower_bound(memory_place{what.partition, *prefix_end, {}, {}, -1});
  auto from = low;
  auto to = high;
  if (!after.empty()) {
    const auto end = detail::unpack(after);
    if (!end) return end.error();
    const auto& [sort, key_partition, key_sort] = *end;
    if (!detail::is_in_range(sort, range)) {
      return detail::refuse_service_call(errc::invalid_argument, failure_reason::none, "the cursor is malformed");
    }
    const memory_place last{what.partition, sort, key_partition, key_sort};
    if (what.descending) to = order.lower_bound(last);
    if (!what.descending) from = order.upper_bound(last);
  }
  const walk how{.filter = what.filter, .projection = what.projection, .page_size = what.page_size, .index = index};
  if (!what.descending) return page_of(from, to, how);
  return page_of(std::make_reverse_iterator(to), std::make_reverse_iterator(from), how);
}

DORMOUSE_INLINE result<table_page> memory_table::do_query(const table_query& what, std::string_view after) {
  const std::lock_guard lock(mutex_);
  if (what.index.empty()) return query_in(items_.order(), what, after, nullptr);
  const detail::memory_index* index = indexes_.find(what.index);
  return query_in(index->order, what, after, index->what);
}

DORMOUSE_INLINE result<table_page> memory_table::do_scan(const table_scan& what, std::string_view after) {
  const std::lock_guard lock(mutex_);
  auto from = items_.order().begin();
  if (!after.empty()) {
    const auto end = detail::unpack(after);
    if (!end) return end.error();
    const auto& [sort, key_partition, key_sort] = *end;
    from = items_.order().upper_bound(detail::memory_place{key_partition, key_sort, key_partition, key_sort});
  }
  return page_of(from, items_.order().end(),
                 {.filter = what.filter,
                  .projection = what.projection,
                  .page_size = what.page_size,
                  .segment = what.segment,
                  .segments = what.segments});
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
