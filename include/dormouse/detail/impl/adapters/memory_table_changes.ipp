// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/detail/service_call.hpp>

#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// ---- changes --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE void memory_table::log(table_change_kind kind, const table_key& key, const stored_item* former,
                                       const stored_item* current) {
  const table_change_view view = options_.schema.change_view;
  table_change change{.kind = kind, .key = key};
  if (former != nullptr && (view == table_change_view::old_item || view == table_change_view::both)) {
    change.former = former->item;
  }
  if (current != nullptr && (view == table_change_view::new_item || view == table_change_view::both)) {
    change.current = current->item;
  }
  const auto bytes_of = [](const std::optional<table_item>& item) { return item ? table::item_bytes(*item) : 0; };
  const std::size_t bytes = key.partition.size() + key.sort.size() + bytes_of(change.former) + bytes_of(change.current);
  log_.push(std::move(change), bytes, time().now());
}

DORMOUSE_INLINE void memory_table::trim_log() {
  if (log_.empty()) return;
  log_.trim({.changes = options_.schema.changes_max,
             .bytes = options_.bytes_max,
             .oldest = time().now() - options_.schema.changes_age});
}

DORMOUSE_INLINE void memory_table::tell() noexcept {
  const std::lock_guard lock(watchers_mutex_);
  for (change_watcher* const each : watchers_) each->changed();
}

DORMOUSE_INLINE result<std::vector<table_change>> memory_table::do_changes(std::uint64_t after, std::size_t count,
                                                                           const call_options&) {
  const std::lock_guard lock(mutex_);
  trim_log();
  if (after < log_.dropped()) {
    return detail::refuse_service_call(errc::expired, failure_reason::none, "changes up to {} are kept no more",
                                       log_.dropped());
  }
  if (after > log_.last()) {
    return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                       "there is no change {} yet; the last one is {}", after, log_.last());
  }
  std::vector<table_change> found;
  for (std::uint64_t at = after + 1; at <= log_.last() && found.size() < count; ++at) found.push_back(log_.at(at));
  return found;
}

DORMOUSE_INLINE result<std::uint64_t> memory_table::do_last_change(const call_options&) {
  const std::lock_guard lock(mutex_);
  return log_.last();
}

DORMOUSE_INLINE result<std::optional<std::uint64_t>> memory_table::do_position(std::string_view reader,
                                                                               const call_options&) {
  const std::lock_guard lock(mutex_);
  return positions_.of(reader);
}

DORMOUSE_INLINE result<void> memory_table::do_remember(std::string_view reader, std::uint64_t position,
                                                       const call_options&) {
  const std::lock_guard lock(mutex_);
  return positions_.remember(reader, position);
}

DORMOUSE_INLINE result<void> memory_table::do_watch(change_watcher& who) {
  const std::lock_guard lock(watchers_mutex_);
  watchers_.push_back(&who);
  return {};
}

DORMOUSE_INLINE void memory_table::do_unwatch(change_watcher& who) noexcept {
  const std::lock_guard lock(watchers_mutex_);
  std::erase(watchers_, &who);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
