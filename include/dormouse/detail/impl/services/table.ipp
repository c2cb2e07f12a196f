// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/services/table.hpp>

#include <fmt/format.h>

#include <cmath>
#include <exception>
#include <iterator>
#include <new>

#if defined(__GLIBCXX__)
#include <cxxabi.h>
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

// Formats without allocating: a refusal stays that refusal when memory is short.
template <class... Args>
failure refused_by_table(errc code, failure_reason reason, fmt::format_string<Args...> text, Args&&... args) {
  char shown[256];
  const auto written = fmt::format_to_n(shown, sizeof shown, text, std::forward<Args>(args)...);
  return make_failure(code, effect_kind::not_applied, reason, {shown, static_cast<std::size_t>(written.out - shown)});
}

// Nothing an adapter throws leaves the interface. `call` is told where to say what an exception from now on may have
// left behind; until it does, nothing.
template <class F>
auto contained(F&& call) -> decltype(call(std::declval<effect_kind&>())) {
  auto effect = effect_kind::not_applied;
  try {
    return call(effect);
#if defined(__GLIBCXX__)
  } catch (abi::__forced_unwind&) {  // the host cancels this thread: not ours to stop
    throw;
#endif
  } catch (const std::bad_alloc&) {
    return make_failure(errc::out_of_memory, effect, failure_reason::none, {});
  } catch (const std::exception& why) {
    return make_failure(errc::internal, effect, failure_reason::none, why.what() != nullptr ? why.what() : "");
  } catch (...) {
    return make_failure(errc::internal, effect, failure_reason::none, "the adapter threw");
  }
}

DORMOUSE_INLINE bool fits(const table_key& key) noexcept {
  return !key.partition.empty() && key.partition.size() <= table::partition_bytes_max &&
         key.sort.size() <= table::sort_bytes_max;
}

DORMOUSE_INLINE result<void> check_key(const table_key& key) {
  if (fits(key)) return {};
  return refused_by_table(errc::invalid_argument, failure_reason::key_bytes,
                          "key of {} and {} bytes; give a partition of 1 .. {} and a sort of 0 .. {}",
                          key.partition.size(), key.sort.size(), table::partition_bytes_max, table::sort_bytes_max);
}

DORMOUSE_INLINE result<void> check_item(const table_item& item) {
  for (const auto& [name, value] : item) {
    if (name.empty() || name.size() > table::name_bytes_max) {
      return refused_by_table(errc::invalid_argument, failure_reason::name, "attribute name of {} bytes; give 1 .. {}",
                              name.size(), table::name_bytes_max);
    }
    if (const auto* number = std::get_if<double>(&value); number != nullptr && !std::isfinite(*number)) {
      return refused_by_table(errc::invalid_argument, failure_reason::none,
                              "attribute \"{}\" is a number that is not finite", printable(name, 64));
    }
  }
  if (const std::size_t bytes = table::item_bytes(item); bytes > table::item_bytes_max) {
    return refused_by_table(errc::too_large, failure_reason::value_bytes, "item of {} bytes; at most {}", bytes,
                            table::item_bytes_max);
  }
  return {};
}

// A cursor is "1", then prefix, partition and sort as hexadecimal digits, then a check sum, with a dot before each:
// printable, and checked in full when it comes back. Without the sum, one cut short on its way would be another valid
// one, and the walk would go back. It is no signature: who forges a cursor gets what he could list anyway.
constexpr std::size_t cursor_sum_digits = 16;
constexpr std::size_t cursor_bytes_max =
    1 + 4 + 2 * (2 * table::partition_bytes_max + table::sort_bytes_max) + cursor_sum_digits;

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

// 64-bit FNV-1a: any single byte that is changed changes it.
DORMOUSE_INLINE std::string cursor_sum(std::string_view text) {
  std::uint64_t sum = 0xcbf29ce484222325U;
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return fmt::format(".{:0{}x}", sum, cursor_sum_digits);
}

DORMOUSE_INLINE std::string make_cursor(std::string_view prefix, const table_key& last) {
  std::string cursor{"1"};
  append_hex(cursor, prefix);
  append_hex(cursor, last.partition);
  append_hex(cursor, last.sort);
  return cursor.append(cursor_sum(cursor));
}

DORMOUSE_INLINE result<table_key> read_cursor(std::string_view cursor, std::string_view prefix) {
  const auto refused = [](const char* why) {
    return refused_by_table(errc::invalid_argument, failure_reason::none, "the cursor {}", why);
  };
  if (cursor.size() <= cursor_sum_digits || cursor.size() > cursor_bytes_max) return refused("is malformed");
  std::string_view text = cursor.substr(0, cursor.size() - cursor_sum_digits - 1);
  if (cursor.substr(text.size()) != cursor_sum(text) || !text.starts_with('1')) return refused("is malformed");
  text.remove_prefix(1);
  const auto of_prefix = take_hex(text);
  auto partition = take_hex(text);
  auto sort = take_hex(text);
  if (!of_prefix || !partition || !sort || !text.empty()) return refused("is malformed");
  if (*of_prefix != prefix) return refused("belongs to another prefix");
  table_key last{std::move(*partition), std::move(*sort)};
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

DORMOUSE_INLINE result<void> table::in_time(const std::optional<clock::time_point>& deadline) const {
  if (!deadline || time_.now() < *deadline) return {};
  return detail::refused_by_table(errc::deadline_exceeded, failure_reason::caller_deadline,
                                  "the deadline had passed before the call");
}

// Each of the four: arguments first, as they do not depend on the time; then the deadline; then the adapter.

DORMOUSE_INLINE result<std::optional<table_item>> table::get(const table_key& key, const table_call_options& options) {
  return detail::contained([&](effect_kind&) -> result<std::optional<table_item>> {
    if (auto fit = detail::check_key(key); !fit) return std::move(fit).error();
    if (auto fit = in_time(options.deadline); !fit) return std::move(fit).error();
    return do_get(key, options);
  });
}

DORMOUSE_INLINE result<void> table::put(const table_key& key, table_item item, const table_call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<void> {
    if (auto fit = detail::check_key(key); !fit) return fit;
    if (auto fit = detail::check_item(item); !fit) return fit;
    if (auto fit = in_time(options.deadline); !fit) return fit;
    effect = effect_kind::unknown;
    return do_put(key, std::move(item), options);
  });
}

DORMOUSE_INLINE result<bool> table::erase(const table_key& key, const table_call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<bool> {
    if (auto fit = detail::check_key(key); !fit) return std::move(fit).error();
    if (auto fit = in_time(options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_erase(key, options);
  });
}

DORMOUSE_INLINE result<table_page> table::list(const table_list_options& options) {
  return detail::contained([&](effect_kind&) -> result<table_page> {
    if (options.page_size < 1 || options.page_size > page_size_max) {
      return detail::refused_by_table(errc::invalid_argument, failure_reason::page_size,
                                      "page_size is {}; give 1 .. {}", options.page_size, page_size_max);
    }
    if (options.partition_prefix.size() > partition_bytes_max) {
      return detail::refused_by_table(errc::invalid_argument, failure_reason::key_bytes,
                                      "partition_prefix of {} bytes; give 0 .. {}", options.partition_prefix.size(),
                                      partition_bytes_max);
    }
    std::optional<table_key> after;
    if (!options.cursor.empty()) {
      auto read = detail::read_cursor(options.cursor, options.partition_prefix);
      if (!read) return std::move(read).error();
      after = std::move(*read);
    }
    if (auto fit = in_time(options.deadline); !fit) return std::move(fit).error();
    // One more than asked for tells whether another page follows.
    auto found = do_list(options.partition_prefix, after ? &*after : nullptr, options.page_size + 1,
                         {.deadline = options.deadline});
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
