// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/service_call.hpp>
#include <dormouse/detail/table_checks.hpp>
#include <dormouse/services/table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <type_traits>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

constexpr std::size_t table_projection_max = 100;

DORMOUSE_INLINE bool is_table_attribute_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= table::name_bytes_max;
}

DORMOUSE_INLINE failure refused_attribute_name(std::string_view name) {
  return refuse_service_call(errc::invalid_argument, failure_reason::name, "attribute name of {} bytes; give 1 .. {}",
                             name.size(), table::name_bytes_max);
}

DORMOUSE_INLINE result<void> check_table_count(const char* what, std::size_t count, std::size_t most) {
  if (count >= 1 && count <= most) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::page_size, "{} is {}; give 1 .. {}", what, count,
                             most);
}

// ---- keys -----------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<void> check_table_key(const table_key& key) {
  const bool fits = !key.partition.empty() && key.partition.size() <= table::partition_bytes_max &&
                    key.sort.size() <= table::sort_bytes_max;
  if (fits) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::key_bytes,
                             "key of {} and {} bytes; give a partition of 1 .. {} and a sort of 0 .. {}",
                             key.partition.size(), key.sort.size(), table::partition_bytes_max, table::sort_bytes_max);
}

DORMOUSE_INLINE result<void> check_table_keys_differ(const std::vector<const table_key*>& keys) {
  if (keys.size() > table::batch_max) {
    return refuse_service_call(errc::invalid_argument, failure_reason::page_size, "{} keys or writes; at most {}",
                               keys.size(), table::batch_max);
  }
  std::vector<const table_key*> sorted = keys;
  std::sort(sorted.begin(), sorted.end(), [](const table_key* a, const table_key* b) { return *a < *b; });
  const auto same = [](const table_key* a, const table_key* b) { return *a == *b; };
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end(), same);
  if (twice == sorted.end()) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::none, "the key \"{}\", \"{}\" comes twice",
                             printable((*twice)->partition, 64), printable((*twice)->sort, 64));
}

// ---- items ----------------------------------------------------------------------------------------------------------

constexpr std::size_t number_bytes = 8;

// Of a list, map or set.
DORMOUSE_INLINE std::size_t container_bytes(const attribute& value) noexcept {
  std::size_t bytes = 3;
  if (const auto* numbers = std::get_if<number_set>(&value)) bytes += numbers->size() * (number_bytes + 1);
  if (const auto* list = std::get_if<attribute_list>(&value)) {
    for (const attribute& each : *list) bytes += 1 + attribute_bytes(each);
  }
  if (const auto* map = std::get_if<attribute_map>(&value)) {
    for (const auto& [name, each] : *map) bytes += 1 + name.size() + attribute_bytes(each);
  }
  if (const auto* texts = std::get_if<text_set>(&value)) {
    for (const std::string& each : *texts) bytes += 1 + each.size();
  }
  return bytes;
}

// Those of plain values are counted without a call: every write counts them twice.
inline std::size_t value_bytes(const attribute& value) noexcept {
  switch (value.kind()) {
    case attribute_kind::null:
    case attribute_kind::truth: return 1;
    case attribute_kind::whole_number:
    case attribute_kind::number: return number_bytes;
    case attribute_kind::text: return std::get_if<std::string>(&value)->size();
    case attribute_kind::bytes: return std::get_if<payload>(&value)->size();
    default: return container_bytes(value);
  }
}

DORMOUSE_INLINE std::size_t attribute_bytes(const attribute& value) noexcept { return value_bytes(value); }

// Nothing can be wrong with it but its size.
inline bool is_always_stored(const attribute& value) noexcept {
  if (const auto* number = std::get_if<double>(&value)) return std::isfinite(*number);
  return value.kind() != attribute_kind::list && value.kind() != attribute_kind::map;
}

// `level`: of the lists and maps around it. Never goes deeper than the limit, however deep the value is.
DORMOUSE_INLINE result<void> check_attribute(const attribute& value, std::size_t level) {
  if (const auto* number = std::get_if<double>(&value)) {
    if (std::isfinite(*number)) return {};
    return refuse_service_call(errc::invalid_argument, failure_reason::none, "a number that is not finite");
  }
  const auto* list = std::get_if<attribute_list>(&value);
  const auto* map = std::get_if<attribute_map>(&value);
  if (list == nullptr && map == nullptr) return {};
  if (level == table::item_levels_max) {
    return refuse_service_call(errc::invalid_argument, failure_reason::none,
                               "lists and maps within each other; at most {} levels", table::item_levels_max);
  }
  if (list != nullptr) {
    for (const attribute& each : *list) {
      if (auto fit = check_attribute(each, level + 1); !fit) return fit;
    }
    return {};
  }
  for (const auto& [name, each] : *map) {
    if (!is_table_attribute_name(name)) return refused_attribute_name(name);
    if (auto fit = check_attribute(each, level + 1); !fit) return fit;
  }
  return {};
}

}  // namespace detail

DORMOUSE_INLINE std::size_t table::item_bytes(const table_item& item) noexcept {
  std::size_t bytes = 0;
  for (const auto& [name, value] : item) bytes += name.size() + detail::value_bytes(value);
  return bytes;
}

DORMOUSE_INLINE result<void> check_table_item(const table_item& item) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : item) {
    if (!detail::is_table_attribute_name(name)) return detail::refused_attribute_name(name);
    if (!detail::is_always_stored(value)) {
      if (auto fit = detail::check_attribute(value, 0); !fit) {
        return detail::refuse_service_call(errc::invalid_argument, fit.error().reason, "attribute \"{}\": {}",
                                           detail::printable(name, 64), fit.error().detail);
      }
    }
    bytes += name.size() + detail::value_bytes(value);  // only now: it goes as deep as the value
  }
  if (bytes <= table::item_bytes_max) return {};
  return detail::refuse_service_call(errc::too_large, failure_reason::value_bytes, "item of {} bytes; at most {}",
                                     bytes, table::item_bytes_max);
}

namespace detail {

// ---- writes ---------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE failure unsupported_by_table(const char* what, const char* capability) {
  return refuse_service_call(errc::unsupported, failure_reason::none, "this table cannot do {} ({})", what, capability);
}

DORMOUSE_INLINE result<void> check_table_condition(const condition& what) {
  if (what.is_always() || what.is_within_limits()) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::none,
                             "a condition beyond {} operators or {} levels", condition::operators_max,
                             condition::levels_max);
}

DORMOUSE_INLINE result<void> check_write_condition(const write_condition& when, const table_capabilities& able) {
  const int given = int{when.if_absent} + int{when.if_exists} + int{when.if_version != 0};
  if (given == 0 && when.holds.is_always()) return {};
  if (given > 1) {
    return refuse_service_call(errc::invalid_argument, failure_reason::none,
                               "if_absent, if_exists and if_version; give one of them");
  }
  if (auto fit = check_table_condition(when.holds); !fit) return fit;
  if (!able.conditions) return unsupported_by_table("a write under a condition", "conditions");
  return {};
}

DORMOUSE_INLINE result<void> check_table_token(std::string_view token, const table_capabilities& able) {
  if (token.empty()) return {};
  if (token.size() > table::token_bytes_max) {
    return refuse_service_call(errc::invalid_argument, failure_reason::none, "token of {} bytes; give 0 .. {}",
                               token.size(), table::token_bytes_max);
  }
  if (!able.tokens) return unsupported_by_table("a write with a token", "tokens");
  return {};
}

DORMOUSE_INLINE result<void> check_table_within(const service_transaction* within, std::string_view token,
                                                const table_capabilities& able) {
  if (within == nullptr) return {};
  if (!able.shared_transactions) return unsupported_by_table("a write within a transaction", "shared_transactions");
  if (token.empty()) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::none, "a token within a transaction; give either");
}

// What a write of one kind has no use for, it must not have.
DORMOUSE_INLINE result<void> check_table_write_kind(const table_write& what) {
  const bool is_put = what.kind == table_write_kind::put;
  const bool is_update = what.kind == table_write_kind::update;
  const bool is_known =
      is_put || is_update || what.kind == table_write_kind::erase || what.kind == table_write_kind::check;
  const char* wrong = nullptr;
  if (!is_known) wrong = "a write of an unknown kind";
  if (!is_put && !what.item.empty()) wrong = "an item; only a put has one";
  if (!is_update && !what.update.actions().empty()) wrong = "an update; only a write of that kind has one";
  if (!is_put && !is_update && what.expires_at) wrong = "expires_at; only a put or update has it";
  if (wrong == nullptr) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::none, "{}", wrong);
}

DORMOUSE_INLINE result<void> check_table_write(const table_write& what, const table_capabilities& able) {
  if (auto fit = check_table_key(what.key); !fit) return fit;
  if (auto fit = check_table_write_kind(what); !fit) return fit;
  if (what.kind == table_write_kind::put) {
    if (auto fit = check_table_item(what.item); !fit) return fit;
  }
  if (what.kind == table_write_kind::update) {
    if (!able.updates) return unsupported_by_table("an update", "updates");
    if (auto fit = what.update.check(); !fit) return fit;
  }
  if (what.expires_at && !able.expiry) return unsupported_by_table("items that expire", "expiry");
  return check_write_condition(what.when, able);
}

DORMOUSE_INLINE result<void> check_table_writes(const std::vector<table_write>& writes,
                                                const table_capabilities& able) {
  std::vector<const table_key*> keys;
  keys.reserve(writes.size());
  for (const table_write& each : writes) keys.push_back(&each.key);
  if (auto fit = check_table_keys_differ(keys); !fit) return fit;
  for (std::size_t at = 0; at < writes.size(); ++at) {
    if (auto fit = check_table_write(writes[at], able); !fit) {
      return refuse_service_call(fit.error().code, fit.error().reason, "write {}: {}", at, fit.error().detail);
    }
  }
  return {};
}

DORMOUSE_INLINE std::size_t table_write_bytes(const table_write& what) noexcept {
  std::size_t bytes = what.key.partition.size() + what.key.sort.size() + table::item_bytes(what.item);
  for (const update_action& each : what.update.actions()) {
    bytes += attribute_bytes(each.value);
    for (const auto& part : each.path) {
      const auto* name = std::get_if<std::string>(&part);
      bytes += name != nullptr ? name->size() : sizeof(std::size_t);
    }
  }
  return bytes;
}

// ---- walks ----------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<void> check_table_projection(const std::vector<std::string>& names) {
  if (names.size() > table_projection_max) {
    return refuse_service_call(errc::invalid_argument, failure_reason::none, "projection of {} names; give 0 .. {}",
                               names.size(), table_projection_max);
  }
  for (const std::string& each : names) {
    if (!is_table_attribute_name(each)) return refused_attribute_name(each);
  }
  return {};
}

DORMOUSE_INLINE result<void> check_sort_range(const sort_range& range) {
  if (!range.prefix.empty() && (range.from || range.to)) {
    return refuse_service_call(errc::invalid_argument, failure_reason::none,
                               "sort.prefix and sort.from or sort.to; give one of them");
  }
  const std::size_t longest =
      std::max({range.prefix.size(), range.from ? range.from->size() : 0, range.to ? range.to->size() : 0});
  if (longest <= table::sort_bytes_max) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::key_bytes, "sort of {} bytes; give 0 .. {}",
                             longest, table::sort_bytes_max);
}

DORMOUSE_INLINE result<void> check_table_index(const table_query& what, const table_capabilities& able) {
  if (what.index.empty()) return {};
  const auto is_it = [&](const table_index& each) { return each.name == what.index; };
  if (std::none_of(able.indexes.begin(), able.indexes.end(), is_it)) {
    return refuse_service_call(errc::invalid_argument, failure_reason::name, "there is no index \"{}\"",
                               printable(what.index, 64));
  }
  if (what.consistency == read_consistency::strong && !able.strong_index_reads) {
    return unsupported_by_table("strong reads of an index", "strong_index_reads");
  }
  return {};
}

DORMOUSE_INLINE result<void> check_write_condition(const stored_item* now, const write_condition& when) {
  if (when.if_absent && now != nullptr) {
    return refuse_service_call(errc::condition_failed, failure_reason::none, "there is an item, of version {}",
                               now->version);
  }
  if ((when.if_exists || when.if_version != 0) && now == nullptr) {
    return refuse_service_call(errc::condition_failed, failure_reason::none, "there is no item");
  }
  if (when.if_version != 0 && when.if_version != now->version) {
    return refuse_service_call(errc::condition_failed, failure_reason::none, "the item's version is {}", now->version);
  }
  if (when.holds.is_always() || when.holds.holds(now != nullptr ? &now->item : nullptr)) return {};
  return refuse_service_call(errc::condition_failed, failure_reason::none, "the condition does not hold");
}

DORMOUSE_INLINE result<void> check_table_query(const table_query& what, const table_capabilities& able) {
  if (auto fit = check_table_count("page_size", what.page_size, table::page_size_max); !fit) return fit;
  if (auto fit = check_table_key({what.partition, {}}); !fit) return fit;
  if (auto fit = check_sort_range(what.sort); !fit) return fit;
  if (auto fit = check_table_projection(what.projection); !fit) return fit;
  if (auto fit = check_table_condition(what.filter); !fit) return fit;
  return check_table_index(what, able);
}

DORMOUSE_INLINE result<void> check_table_scan(const table_scan& what) {
  if (auto fit = check_table_count("page_size", what.page_size, table::page_size_max); !fit) return fit;
  if (auto fit = check_table_count("segments", what.segments, 1'000); !fit) return fit;
  if (what.segment >= what.segments) {
    return refuse_service_call(errc::invalid_argument, failure_reason::none, "segment is {}; give 0 .. {}",
                               what.segment, what.segments - 1);
  }
  if (auto fit = check_table_projection(what.projection); !fit) return fit;
  return check_table_condition(what.filter);
}

}  // namespace detail

// ---- for adapters ---------------------------------------------------------------------------------------------------

DORMOUSE_INLINE void check_table_schema(const table_schema& schema, std::string_view options_name) {
  const auto require = [&](bool fits, std::string_view member, auto value, const char* bounds) {
    if (fits) return;
    throw std::invalid_argument(
        fmt::format("dormouse: {}::schema.{} is {}; give {}", options_name, member, value, bounds));
  };
  require(schema.indexes.size() <= table::indexes_max, "indexes.size()", schema.indexes.size(), "0 .. 20");
  for (std::size_t at = 0; at < schema.indexes.size(); ++at) {
    const table_index& each = schema.indexes[at];
    const auto of = [at](const char* member) { return fmt::format("indexes[{}].{}", at, member); };
    const auto shown = [](const std::string& name) { return '"' + detail::printable(name, 64) + '"'; };
    require(detail::is_plain_name(each.name), of("name"), shown(each.name), "1 .. 64 of [A-Za-z0-9_-]");
    require(detail::is_table_attribute_name(each.partition_field), of("partition_field"), shown(each.partition_field),
            "1 .. 255 bytes");
    require(each.sort_field.size() <= table::name_bytes_max, of("sort_field"), shown(each.sort_field),
            "0 .. 255 bytes");
    require(each.projection.size() <= detail::table_projection_max, of("projection.size()"), each.projection.size(),
            "0 .. 100");
    for (const std::string& name : each.projection) {
      require(detail::is_table_attribute_name(name), of("projection"), shown(name), "names of 1 .. 255 bytes");
    }
    for (std::size_t before = 0; before < at; ++before) {
      require(schema.indexes[before].name != each.name, of("name"), shown(each.name), "each index a name of its own");
    }
  }
  require(schema.change_view <= table_change_view::both, "change_view", static_cast<int>(schema.change_view),
          "one of its enumerators");
  require(schema.changes_max >= 1 && schema.changes_max <= 100'000'000, "changes_max", schema.changes_max,
          "1 .. 100000000");
  require(schema.changes_age >= std::chrono::seconds(1) && schema.changes_age <= std::chrono::hours(365 * 24),
          "changes_age", schema.changes_age.count(), "1 s .. 365 days");
}

namespace detail {
DORMOUSE_INLINE std::optional<std::string> index_field_bytes(const table_item& item, const std::string& field) {
  const auto found = item.find(field);
  if (found == item.end()) return std::nullopt;
  if (const auto* text = std::get_if<std::string>(&found->second)) return *text;
  if (const auto* bytes = std::get_if<payload>(&found->second)) return std::string(bytes->text());
  if (const auto* number = std::get_if<std::int64_t>(&found->second)) return sort_number(*number);
  return std::nullopt;
}
}  // namespace detail

DORMOUSE_INLINE std::optional<table_key> table_index_key(const table_index& index, const table_item& item) {
  auto partition = detail::index_field_bytes(item, index.partition_field);
  auto sort = index.sort_field.empty() ? std::string() : detail::index_field_bytes(item, index.sort_field);
  if (!partition || !sort || partition->empty() || partition->size() > table::partition_bytes_max ||
      sort->size() > table::sort_bytes_max) {
    return std::nullopt;
  }
  return table_key{std::move(*partition), std::move(*sort)};
}

DORMOUSE_INLINE table_item project_table_item(const table_item& item, const std::vector<std::string>& names) {
  if (names.empty()) return item;
  table_item part;
  for (const std::string& each : names) {
    if (const auto found = item.find(each); found != item.end()) part.insert(*found);
  }
  return part;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
