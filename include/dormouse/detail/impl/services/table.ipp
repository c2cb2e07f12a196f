// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/page_cursor.hpp>
#include <dormouse/detail/service_call.hpp>
#include <dormouse/services/table.hpp>

#include <fmt/format.h>

#include <cmath>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

DORMOUSE_INLINE bool fits(const table_key& key) noexcept {
  return !key.partition.empty() && key.partition.size() <= table::partition_bytes_max &&
         key.sort.size() <= table::sort_bytes_max;
}

DORMOUSE_INLINE result<void> check_key(const table_key& key) {
  if (fits(key)) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::key_bytes,
                             "key of {} and {} bytes; give a partition of 1 .. {} and a sort of 0 .. {}",
                             key.partition.size(), key.sort.size(), table::partition_bytes_max, table::sort_bytes_max);
}

DORMOUSE_INLINE result<void> check_item(const table_item& item) {
  for (const auto& [name, value] : item) {
    if (name.empty() || name.size() > table::name_bytes_max) {
      return refuse_service_call(errc::invalid_argument, failure_reason::name,
                                 "attribute name of {} bytes; give 1 .. {}", name.size(), table::name_bytes_max);
    }
    if (const auto* number = std::get_if<double>(&value); number != nullptr && !std::isfinite(*number)) {
      return refuse_service_call(errc::invalid_argument, failure_reason::none,
                                 "attribute \"{}\" is a number that is not finite", printable(name, 64));
    }
  }
  if (const std::size_t bytes = table::item_bytes(item); bytes > table::item_bytes_max) {
    return refuse_service_call(errc::too_large, failure_reason::value_bytes, "item of {} bytes; at most {}", bytes,
                               table::item_bytes_max);
  }
  return {};
}

constexpr std::size_t table_cursor_bytes_max = 2 * table::partition_bytes_max + table::sort_bytes_max;

DORMOUSE_INLINE result<table_key> read_cursor(std::string_view cursor, std::string_view prefix) {
  const auto refused = [](const char* why) {
    return refuse_service_call(errc::invalid_argument, failure_reason::none, "the cursor {}", why);
  };
  auto parts = read_cursor_parts(cursor, 3, table_cursor_bytes_max);
  if (!parts) return refused("is malformed");
  if (parts->at(0) != prefix) return refused("belongs to another prefix");
  table_key last{std::move(parts->at(1)), std::move(parts->at(2))};
  if (!fits(last) || !last.partition.starts_with(prefix)) return refused("is malformed");
  return last;
}

}  // namespace detail

DORMOUSE_INLINE std::size_t table::item_bytes(const table_item& item) noexcept {
  std::size_t bytes = 0;
  for (const auto& [name, value] : item) {
    bytes += name.size();
    if (const auto* text = std::get_if<std::string>(&value)) {
      bytes += text->size();
    } else if (const auto* data = std::get_if<payload>(&value)) {
      bytes += data->size();
    } else if (std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value)) {
      bytes += 8;
    } else {
      bytes += 1;
    }
  }
  return bytes;
}

// Each of the four: arguments first, as they do not depend on the time; then the deadline; then the adapter.

DORMOUSE_INLINE result<std::optional<table_item>> table::get(const table_key& key, const table_call_options& options) {
  return detail::contained([&](effect_kind&) -> result<std::optional<table_item>> {
    if (auto fit = detail::check_key(key); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    return do_get(key, options);
  });
}

DORMOUSE_INLINE result<void> table::put(const table_key& key, table_item item, const table_call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<void> {
    if (auto fit = detail::check_key(key); !fit) return fit;
    if (auto fit = detail::check_item(item); !fit) return fit;
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return fit;
    effect = effect_kind::unknown;
    return do_put(key, std::move(item), options);
  });
}

DORMOUSE_INLINE result<bool> table::erase(const table_key& key, const table_call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<bool> {
    if (auto fit = detail::check_key(key); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_erase(key, options);
  });
}

DORMOUSE_INLINE result<table_page> table::list(const table_list_options& options) {
  return detail::contained([&](effect_kind&) -> result<table_page> {
    if (options.page_size < 1 || options.page_size > page_size_max) {
      return detail::refuse_service_call(errc::invalid_argument, failure_reason::page_size,
                                         "page_size is {}; give 1 .. {}", options.page_size, page_size_max);
    }
    if (options.partition_prefix.size() > partition_bytes_max) {
      return detail::refuse_service_call(errc::invalid_argument, failure_reason::key_bytes,
                                         "partition_prefix of {} bytes; give 0 .. {}", options.partition_prefix.size(),
                                         partition_bytes_max);
    }
    std::optional<table_key> after;
    if (!options.cursor.empty()) {
      auto read = detail::read_cursor(options.cursor, options.partition_prefix);
      if (!read) return std::move(read).error();
      after = std::move(*read);
    }
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    // One more than asked for tells whether another page follows.
    auto found = do_list(options.partition_prefix, after ? &*after : nullptr, options.page_size + 1,
                         {.deadline = options.deadline});
    if (!found) return std::move(found).error();
    table_page page;
    page.entries = std::move(*found);
    if (page.entries.size() > options.page_size) {
      page.entries.resize(options.page_size);
      const table_key& last = page.entries.back().key;
      page.cursor = detail::make_cursor({options.partition_prefix, last.partition, last.sort});
    }
    return page;
  });
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
