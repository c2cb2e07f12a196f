// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/adapters/prefixed_table.hpp>
#include <dormouse/detail/service_call.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace dormouse::inline DORMOUSE_FLAVOUR {

DORMOUSE_INLINE prefixed_table::prefixed_table(table& inner, std::string prefix)
    : forwarding_table(inner), prefix_(std::move(prefix)), capabilities_(inner.capabilities()) {
  detail::check_room(capabilities_.partition_bytes_max, prefix_);
  capabilities_.partition_bytes_max -= prefix_.size();
  capabilities_.indexes.clear();
  capabilities_.strong_index_reads = false;
}

DORMOUSE_INLINE result<void> prefixed_table::put_on(std::string& partition) const {
  if (auto fit = prefix_.fits(partition.size(), prefix_.size() + capabilities_.partition_bytes_max); !fit) return fit;
  partition = prefix_.before(partition);
  return {};
}

DORMOUSE_INLINE result<void> prefixed_table::put_on(std::vector<table_write>& writes) const {
  for (table_write& each : writes) {
    if (auto fit = put_on(each.key.partition); !fit) return fit;
  }
  return {};
}

DORMOUSE_INLINE std::string prefixed_table::own_token(const std::string& token) const {
  return token.empty() ? token : prefix_.own_name(token);
}

DORMOUSE_INLINE result<std::optional<stored_item>> prefixed_table::do_get(const table_key& key,
                                                                          const table_get_options& options) {
  table_key there = key;
  if (auto fit = put_on(there.partition); !fit) return std::move(fit).error();
  return forwarding_table::do_get(there, options);
}

DORMOUSE_INLINE result<table::write_outcome> prefixed_table::do_write(table_write&& what,
                                                                      const table_write_options& options) {
  if (auto fit = put_on(what.key.partition); !fit) return std::move(fit).error();
  if (options.token.empty()) return forwarding_table::do_write(std::move(what), options);
  table_write_options there = options;
  there.token = own_token(options.token);
  return forwarding_table::do_write(std::move(what), there);
}

DORMOUSE_INLINE result<table_page> prefixed_table::do_query(const table_query& what, std::string_view after) {
  table_query there = what;
  if (auto fit = put_on(there.partition); !fit) return std::move(fit).error();
  auto page = forwarding_table::do_query(there, after);
  if (!page) return page;
  for (table_entry& each : page->entries) prefix_.take_off(each.key.partition);
  return page;
}

// The filter is asked here: what is examined is our own only. A cursor is ours if the prefix is before it: the inner
// table's place may be anywhere, also in the midst of others' items.
DORMOUSE_INLINE result<table_page> prefixed_table::do_scan(const table_scan& what, std::string_view after) {
  table_scan there = what;
  there.filter = {};
  there.projection.clear();
  if (after.data() != nullptr) {
    if (!prefix_.is_own(after)) {
      return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                         "the cursor belongs to another prefix");
    }
    after.remove_prefix(prefix_.size());
  }
  auto page = forwarding_table::do_scan(there, after);
  if (!page) return page;
  table_page own;
  for (table_entry& each : page->entries) {
    if (!prefix_.is_own(each.key.partition)) continue;
    ++own.examined;
    if (!what.filter.is_always() && !what.filter.holds(&each.item)) continue;
    prefix_.take_off(each.key.partition);
    if (!what.projection.empty()) each.item = project_table_item(each.item, what.projection);
    own.entries.push_back(std::move(each));
  }
  if (!page->cursor.empty()) own.cursor = prefix_.before(page->cursor);
  return own;
}

DORMOUSE_INLINE result<table_batch> prefixed_table::do_get_batch(const std::vector<table_key>& keys,
                                                                 const table_get_options& options) {
  std::vector<table_key> there = keys;
  for (table_key& each : there) {
    if (auto fit = put_on(each.partition); !fit) return std::move(fit).error();
  }
  auto batch = forwarding_table::do_get_batch(there, options);
  if (!batch) return batch;
  for (table_entry& each : batch->found) prefix_.take_off(each.key.partition);
  for (table_key& each : batch->unprocessed) prefix_.take_off(each.partition);
  return batch;
}

DORMOUSE_INLINE result<std::vector<result<table_version>>> prefixed_table::do_write_batch(
    std::vector<table_write>&& writes, const call_options& options) {
  if (auto fit = put_on(writes); !fit) return std::move(fit).error();
  return forwarding_table::do_write_batch(std::move(writes), options);
}

DORMOUSE_INLINE result<std::vector<table_version>> prefixed_table::do_transact(
    std::vector<table_write>&& writes, const table_transaction_options& options) {
  if (auto fit = put_on(writes); !fit) return std::move(fit).error();
  table_transaction_options there = options;
  there.token = own_token(options.token);
  return forwarding_table::do_transact(std::move(writes), there);
}

DORMOUSE_INLINE result<std::vector<table_change>> prefixed_table::do_changes(std::uint64_t after, std::size_t count,
                                                                             const call_options& options) {
  return foreign_.changes<table_change>(
      after, count,
      [&](std::uint64_t at, std::size_t most) -> result<std::vector<table_change>> {
        if (auto fit = detail::in_time(time(), options.deadline); !fit) return std::move(fit).error();
        return forwarding_table::do_changes(at, most, options);
      },
      [&](table_change& each) {
        if (!prefix_.is_own(each.key.partition)) return false;
        prefix_.take_off(each.key.partition);
        return true;
      });
}

DORMOUSE_INLINE result<std::optional<std::uint64_t>> prefixed_table::do_position(std::string_view reader,
                                                                                 const call_options& options) {
  return forwarding_table::do_position(prefix_.own_name(reader), options);
}

DORMOUSE_INLINE result<void> prefixed_table::do_remember(std::string_view reader, std::uint64_t position,
                                                         const call_options& options) {
  return forwarding_table::do_remember(prefix_.own_name(reader), position, options);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
