// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/services/table.hpp>

#include <fmt/format.h>

#include <cmath>
#include <new>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

DORMOUSE_INLINE failure refused_by_table(errc code, failure_reason reason, std::string text) {
  return {.code = code, .effect = effect_kind::not_applied, .reason = reason, .detail = std::move(text)};
}

// Nothing an adapter throws leaves the interface. `writes`: may it have taken effect?
template <class F>
auto contained(bool writes, F&& call) -> decltype(call()) {
  const auto effect = writes ? effect_kind::unknown : effect_kind::not_applied;
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return make_failure(errc::out_of_memory, effect, failure_reason::none, {});
  } catch (const std::exception& why) {
    return make_failure(errc::internal, effect, failure_reason::none, why.what());
  } catch (...) {
    return make_failure(errc::internal, effect, failure_reason::none, "the adapter threw");
  }
}

DORMOUSE_INLINE result<void> check_item(const table_item& item) {
  for (const auto& [name, value] : item) {
    if (name.empty() || name.size() > table::name_bytes_max) {
      return refused_by_table(
          errc::invalid_argument, failure_reason::name,
          fmt::format("attribute name of {} bytes; give 1 .. {}", name.size(), table::name_bytes_max));
    }
    if (const auto* number = std::get_if<double>(&value); number != nullptr && !std::isfinite(*number)) {
      return refused_by_table(errc::invalid_argument, failure_reason::none,
                              fmt::format("attribute \"{}\" is a number that is not finite", name));
    }
  }
  if (const std::size_t bytes = table::item_bytes(item); bytes > table::item_bytes_max) {
    return refused_by_table(errc::too_large, failure_reason::value_bytes,
                            fmt::format("item of {} bytes; at most {}", bytes, table::item_bytes_max));
  }
  return {};
}

// A cursor is "1", then prefix, partition and sort, each as hexadecimal digits between dots: opaque, printable, and
// checked in full when it comes back.
DORMOUSE_INLINE void append_hex(std::string& to, std::string_view bytes) {
  to.push_back('.');
  for (const char c : bytes) fmt::format_to(std::back_inserter(to), "{:02x}", static_cast<unsigned char>(c));
}

DORMOUSE_INLINE std::optional<std::string> take_hex(std::string_view& from) {
  if (from.empty() || from.front() != '.') return std::nullopt;
  from.remove_prefix(1);
  const std::string_view digits = from.substr(0, from.find('.'));
  if (digits.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    int value = 0;
    for (const char c : digits.substr(i, 2)) {
      const bool decimal = c >= '0' && c <= '9';
      if (!decimal && (c < 'a' || c > 'f')) return std::nullopt;
      value = value * 16 + (decimal ? c - '0' : c - 'a' + 10);
    }
    bytes.push_back(static_cast<char>(value));
  }
  from.remove_prefix(digits.size());
  return bytes;
}

DORMOUSE_INLINE std::string make_cursor(std::string_view prefix, const table_key& last) {
  std::string cursor{"1"};
  append_hex(cursor, prefix);
  append_hex(cursor, last.partition);
  append_hex(cursor, last.sort);
  return cursor;
}

DORMOUSE_INLINE result<table_key> read_cursor(std::string_view cursor, std::string_view prefix) {
  const auto malformed = refused_by_table(errc::invalid_argument, failure_reason::none, "the cursor is malformed");
  if (cursor.substr(0, 1) != "1") return malformed;
  cursor.remove_prefix(1);
  const auto of_prefix = take_hex(cursor);
  auto partition = take_hex(cursor);
  auto sort = take_hex(cursor);
  if (!of_prefix || !partition || !sort || !cursor.empty()) return malformed;
  if (*of_prefix != prefix) {
    return refused_by_table(errc::invalid_argument, failure_reason::none, "the cursor belongs to another prefix");
  }
  return table_key{std::move(*partition), std::move(*sort)};
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

DORMOUSE_INLINE result<void> table::in_time(const std::optional<clock::time_point>& deadline) const {
  if (!deadline || time_.now() < *deadline) return {};
  return detail::refused_by_table(errc::deadline_exceeded, failure_reason::caller_deadline,
                                  "the deadline had passed before the call");
}

DORMOUSE_INLINE result<void> table::admit(const table_key& key,
                                          const std::optional<clock::time_point>& deadline) const {
  if (key.partition.empty() || key.partition.size() > partition_bytes_max || key.sort.size() > sort_bytes_max) {
    return detail::refused_by_table(
        errc::invalid_argument, failure_reason::key_bytes,
        fmt::format("key of {} and {} bytes; give a partition of 1 .. {} and a sort of 0 .. {}", key.partition.size(),
                    key.sort.size(), partition_bytes_max, sort_bytes_max));
  }
  return in_time(deadline);
}

DORMOUSE_INLINE result<std::optional<table_item>> table::get(const table_key& key, const table_call_options& options) {
  return detail::contained(false, [&]() -> result<std::optional<table_item>> {
    if (auto fit = admit(key, options.deadline); !fit) return std::move(fit).error();
    return do_get(key);
  });
}

DORMOUSE_INLINE result<void> table::put(const table_key& key, table_item item, const table_call_options& options) {
  return detail::contained(true, [&]() -> result<void> {
    if (auto fit = admit(key, options.deadline); !fit) return fit;
    if (auto fit = detail::check_item(item); !fit) return fit;
    return do_put(key, std::move(item));
  });
}

DORMOUSE_INLINE result<bool> table::erase(const table_key& key, const table_call_options& options) {
  return detail::contained(true, [&]() -> result<bool> {
    if (auto fit = admit(key, options.deadline); !fit) return std::move(fit).error();
    return do_erase(key);
  });
}

DORMOUSE_INLINE result<table_page> table::list(const table_list_options& options) {
  return detail::contained(false, [&]() -> result<table_page> {
    if (options.page_size < 1 || options.page_size > page_size_max) {
      return detail::refused_by_table(errc::invalid_argument, failure_reason::page_size,
                                      fmt::format("page_size is {}; give 1 .. {}", options.page_size, page_size_max));
    }
    if (options.partition_prefix.size() > partition_bytes_max) {
      return detail::refused_by_table(errc::invalid_argument, failure_reason::key_bytes,
                                      "partition_prefix is too long");
    }
    std::optional<table_key> after;
    if (!options.cursor.empty()) {
      auto read = detail::read_cursor(options.cursor, options.partition_prefix);
      if (!read) return std::move(read).error();
      after = std::move(*read);
    }
    if (auto fit = in_time(options.deadline); !fit) return std::move(fit).error();
    // One more than asked for tells whether another page follows.
    auto found = do_list(options.partition_prefix, after ? &*after : nullptr, options.page_size + 1);
    if (!found) return std::move(found).error();
    table_page page;
    page.entries = std::move(*found);
    if (page.entries.size() > options.page_size) {
      page.entries.resize(options.page_size);
      page.cursor = detail::make_cursor(options.partition_prefix, page.entries.back().key);
    }
    return page;
  });
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
