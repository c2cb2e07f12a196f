// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/detail/service_call.hpp>

#include <fmt/format.h>

#include <new>
#include <stdexcept>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

DORMOUSE_INLINE const memory_table_options& checked(const memory_table_options& options) {
  if (options.items_max < 1 || options.items_max > 1'000'000'000) {
    throw std::invalid_argument(
        fmt::format("dormouse: memory_table_options::items_max is {}; give 1 .. 1000000000", options.items_max));
  }
  if (options.bytes_max < 1 || options.bytes_max > std::size_t{1} << 40U) {
    throw std::invalid_argument(
        fmt::format("dormouse: memory_table_options::bytes_max is {}; give 1 .. 1 TiB", options.bytes_max));
  }
  return options;
}

DORMOUSE_INLINE std::size_t stored_bytes(const table_key& key, const table_item& item) noexcept {
  return key.partition.size() + key.sort.size() + table::item_bytes(item);
}

}  // namespace detail

DORMOUSE_INLINE memory_table::memory_table(const memory_table_options& options)
    : table(options.time != nullptr ? *options.time : detail::system_clock_of_services()),
      options_(detail::checked(options)) {}

DORMOUSE_INLINE std::size_t memory_table::size() const {
  const std::lock_guard lock(mutex_);
  return items_.size();
}

DORMOUSE_INLINE result<std::optional<table_item>> memory_table::do_get(const table_key& key,
                                                                       const table_call_options&) {
  const std::lock_guard lock(mutex_);
  const auto found = items_.find(key);
  if (found == items_.end()) return std::optional<table_item>{};
  return std::optional<table_item>{found->second};
}

DORMOUSE_INLINE result<void> memory_table::do_put(const table_key& key, table_item&& item, const table_call_options&) {
  const std::lock_guard lock(mutex_);
  const auto former = items_.find(key);
  const std::size_t freed = former == items_.end() ? 0 : detail::stored_bytes(key, former->second);
  const std::size_t bytes = bytes_ - freed + detail::stored_bytes(key, item);
  const std::size_t count = items_.size() + (former == items_.end() ? 1 : 0);
  if (count > options_.items_max || bytes > options_.bytes_max) {
    return detail::make_failure(errc::limit_exceeded, effect_kind::not_applied, failure_reason::store_full,
                                count > options_.items_max ? "items_max is reached" : "bytes_max is reached");
  }
  if (former != items_.end()) {
    former->second = std::move(item);
  } else {
    try {
      items_.emplace(key, std::move(item));
    } catch (const std::bad_alloc&) {  // the interface could only say `unknown`
      return detail::make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
    }
  }
  bytes_ = bytes;
  return {};
}

DORMOUSE_INLINE result<bool> memory_table::do_erase(const table_key& key, const table_call_options&) {
  const std::lock_guard lock(mutex_);
  const auto found = items_.find(key);
  if (found == items_.end()) return false;
  bytes_ -= detail::stored_bytes(found->first, found->second);
  items_.erase(found);
  return true;
}

DORMOUSE_INLINE result<std::vector<table_entry>> memory_table::do_list(std::string_view partition_prefix,
                                                                       const table_key* after, std::size_t count,
                                                                       const table_call_options&) {
  const std::lock_guard lock(mutex_);
  std::vector<table_entry> found;
  auto at =
      after != nullptr ? items_.upper_bound(*after) : items_.lower_bound(table_key{std::string(partition_prefix), {}});
  for (; at != items_.end() && found.size() < count; ++at) {
    if (at->first.partition.compare(0, partition_prefix.size(), partition_prefix) != 0) break;
    found.push_back({at->first, at->second});
  }
  return found;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
