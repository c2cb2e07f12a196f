// SPDX-License-Identifier: MIT
#pragma once

// Which arguments a table takes: each question asked once, before any adapter sees a call.

#include <dormouse/result.hpp>
#include <dormouse/services/table_types.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {
struct table_capabilities;  // services/table.hpp, whose bodies need what is declared here
}

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// A page's `count` or `page_size`.
result<void> check_table_count(const char* what, std::size_t count, std::size_t most);
result<void> check_table_key(const table_key& key);
// No two are the same. A null is nobody's.
result<void> check_table_keys_differ(const std::vector<const table_key*>& keys);
result<void> check_table_token(std::string_view token, const table_capabilities& able);
result<void> check_table_within(const service_transaction* within, std::string_view token,
                                const table_capabilities& able);
// All of a write but its deadline: what it is, its condition, and whether this adapter can do that.
result<void> check_table_write(const table_write& what, const table_capabilities& able);
// The writes of a batch or transaction, and that their keys differ.
result<void> check_table_writes(const std::vector<table_write>& writes, const table_capabilities& able);
// Keys, items and what updates bring along.
[[nodiscard]] std::size_t table_write_bytes(const table_write& what) noexcept;
// For adapters: does what is there allow a write under this condition? Null: nothing is there. Fails: condition_failed.
result<void> check_write_condition(const stored_item* now, const write_condition& when);
result<void> check_table_query(const table_query& what, const table_capabilities& able);
result<void> check_table_scan(const table_scan& what);

// Bytes of one value, as table::item_bytes() counts them.
[[nodiscard]] std::size_t attribute_bytes(const attribute& value) noexcept;

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/services/table_checks.ipp>
#endif
