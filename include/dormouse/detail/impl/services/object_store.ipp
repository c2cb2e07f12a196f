// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/page_cursor.hpp>
#include <dormouse/detail/service_call.hpp>
#include <dormouse/detail/utf8.hpp>
#include <dormouse/services/object_store.hpp>

#include <algorithm>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

DORMOUSE_INLINE result<void> check_object_key(std::string_view key) {
  if (key.empty() || key.size() > object_store::key_bytes_max) {
    return refuse_service_call(errc::invalid_argument, failure_reason::key_bytes, "key of {} bytes; give 1 .. {}",
                               key.size(), object_store::key_bytes_max);
  }
  if (key.find('\0') == std::string_view::npos && is_well_formed_utf8(key)) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::name, "the key is not UTF-8 without NUL");
}

DORMOUSE_INLINE bool is_printable_ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char each) { return each >= ' ' && each <= '~'; });
}

DORMOUSE_INLINE bool is_metadata_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') || each == '-' || each == '_';
  });
}

DORMOUSE_INLINE result<void> check_metadata(const object_put_options& options) {
  if (options.content_type.size() > object_store::content_type_bytes_max || !is_printable_ascii(options.content_type)) {
    return refuse_service_call(errc::invalid_argument, failure_reason::name,
                               "content_type; give 0 .. {} bytes of printable ASCII",
                               object_store::content_type_bytes_max);
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : options.metadata) {
    if (!is_metadata_name(name) || !is_printable_ascii(value)) {
      return refuse_service_call(errc::invalid_argument, failure_reason::name,
                                 "metadata \"{}\"; give a name of 1 .. 255 of [a-z0-9_-] and printable ASCII",
                                 printable(name, 64));
    }
    bytes += name.size() + value.size();
  }
  if (bytes <= object_store::metadata_bytes_max) return {};
  return refuse_service_call(errc::too_large, failure_reason::value_bytes, "metadata of {} bytes; at most {}", bytes,
                             object_store::metadata_bytes_max);
}

DORMOUSE_INLINE result<void> check_list_options(const object_list_options& options) {
  if (options.page_size < 1 || options.page_size > object_store::page_size_max) {
    return refuse_service_call(errc::invalid_argument, failure_reason::page_size, "page_size is {}; give 1 .. {}",
                               options.page_size, object_store::page_size_max);
  }
  for (const std::string* each : {&options.prefix, &options.delimiter, &options.start_after}) {
    if (each->size() <= object_store::key_bytes_max) continue;
    return refuse_service_call(errc::invalid_argument, failure_reason::key_bytes,
                               "prefix, delimiter or start_after of {} bytes; give 0 .. {}", each->size(),
                               object_store::key_bytes_max);
  }
  if (options.cursor.empty() || options.start_after.empty()) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::none,
                             "a cursor and start_after; give one of them");
}

// Where the walk goes on: behind which key.
DORMOUSE_INLINE result<std::string> list_after(const object_list_options& options) {
  if (options.cursor.empty()) return options.start_after;
  auto parts = read_cursor_parts(options.cursor, 3, 3 * (object_store::key_bytes_max + 1));
  const bool sound = parts && parts->at(0) == options.prefix && parts->at(1) == options.delimiter;
  if (sound) return std::move(parts->at(2));
  return refuse_service_call(errc::invalid_argument, failure_reason::none, "the cursor {}",
                             parts ? "belongs to another prefix or delimiter" : "is malformed");
}

// What a key has in common with others: all up to the delimiter after the prefix; empty when it is listed itself.
DORMOUSE_INLINE std::string_view common_prefix(std::string_view key, const object_list_options& options) {
  if (options.delimiter.empty()) return {};
  const std::size_t at = key.find(options.delimiter, options.prefix.size());
  return at == std::string_view::npos ? std::string_view{} : key.substr(0, at + options.delimiter.size());
}

DORMOUSE_INLINE failure no_change_log() noexcept {
  return make_failure(errc::unsupported, effect_kind::not_applied, failure_reason::none,
                      "this store does not log its changes (change_log)");
}

}  // namespace detail

DORMOUSE_INLINE result<void> object_store::check_put(std::string_view key, const object_put_options& options) const {
  if (auto fit = detail::check_object_key(key); !fit) return fit;
  if (auto fit = detail::check_metadata(options); !fit) return fit;
  if (options.if_absent && !options.if_match.empty()) {
    return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                       "if_absent and if_match; give one of them");
  }
  if ((options.if_absent || !options.if_match.empty()) && !capabilities().conditional_put) {
    return detail::refuse_service_call(errc::unsupported, failure_reason::none,
                                       "this store cannot put under a condition (conditional_put)");
  }
  return detail::in_time(time_, options.deadline);
}

DORMOUSE_INLINE result<object_writer> object_store::create(std::string_view key, const object_put_options& options) {
  return detail::contained([&](effect_kind&) -> result<object_writer> {
    if (auto fit = check_put(key, options); !fit) return std::move(fit).error();
    auto made = do_create(key, options);
    if (!made) return std::move(made).error();
    return object_writer(std::move(*made), time_, capabilities().object_bytes_max, options.deadline);
  });
}

DORMOUSE_INLINE result<object_info> object_store::put(std::string_view key, std::string_view bytes,
                                                      const object_put_options& options) {
  auto writer = create(key, options);
  if (!writer) return std::move(writer).error();
  if (auto written = writer->write(bytes); !written) return std::move(written).error();
  return writer->finish();
}

DORMOUSE_INLINE result<object_reader> object_store::open(std::string_view key, const object_get_options& options) {
  return detail::contained([&](effect_kind&) -> result<object_reader> {
    if (auto fit = detail::check_object_key(key); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    auto opened = do_open(key, options);
    if (!opened) return std::move(opened).error();
    return object_reader(std::move(*opened), time_, options.deadline);
  });
}

DORMOUSE_INLINE result<stored_object> object_store::get(std::string_view key, const object_get_options& options) {
  return detail::contained([&](effect_kind&) -> result<stored_object> {
    if (options.bytes_max > get_bytes_max) {
      return detail::refuse_service_call(errc::invalid_argument, failure_reason::value_bytes,
                                         "bytes_max is {}; give 0 .. {}", options.bytes_max, get_bytes_max);
    }
    auto reader = open(key, options);
    if (!reader) return std::move(reader).error();
    auto extent = checked_range(options.range, reader->info().size);
    if (!extent) return std::move(extent).error();
    if (extent->length > options.bytes_max) {
      return detail::refuse_service_call(errc::too_large, failure_reason::value_bytes,
                                         "{} bytes, more than bytes_max {}; open() reads them piece by piece",
                                         extent->length, options.bytes_max);
    }
    std::string bytes(static_cast<std::size_t>(extent->length), '\0');
    auto got = reader->read(bytes);
    if (!got) return std::move(got).error();
    if (*got != bytes.size()) {
      return detail::refuse_service_call(errc::corruption, failure_reason::none, "{} bytes of {}", *got, bytes.size());
    }
    return stored_object{reader->info(), payload(std::move(bytes))};
  });
}

DORMOUSE_INLINE result<object_info> object_store::head(std::string_view key, const call_options& options) {
  return detail::contained([&](effect_kind&) -> result<object_info> {
    if (auto fit = detail::check_object_key(key); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    return do_head(key, options);
  });
}

DORMOUSE_INLINE result<bool> object_store::erase(std::string_view key, const call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<bool> {
    if (auto fit = detail::check_object_key(key); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_erase(key, options);
  });
}

DORMOUSE_INLINE result<object_info> object_store::copy(std::string_view from, std::string_view to,
                                                       const object_put_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<object_info> {
    if (auto fit = detail::check_object_key(from); !fit) return std::move(fit).error();
    if (!options.content_type.empty() || !options.metadata.empty()) {
      return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                         "a copy has the content type and metadata of its original; give none");
    }
    if (auto fit = check_put(to, options); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_copy(from, to, options);
  });
}

// ---- changes --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<void> object_store::check_log(const std::optional<clock::time_point>& deadline) const {
  if (!capabilities().change_log) return detail::no_change_log();
  return detail::in_time(time_, deadline);
}

DORMOUSE_INLINE result<std::vector<object_change>> object_store::changes(std::uint64_t after, std::size_t count,
                                                                         const call_options& options) {
  return detail::contained([&](effect_kind&) -> result<std::vector<object_change>> {
    if (count < 1 || count > page_size_max) {
      return detail::refuse_service_call(errc::invalid_argument, failure_reason::page_size, "count is {}; give 1 .. {}",
                                         count, page_size_max);
    }
    if (auto fit = check_log(options.deadline); !fit) return std::move(fit).error();
    return do_changes(after, count, options);
  });
}

DORMOUSE_INLINE result<std::uint64_t> object_store::last_change(const call_options& options) {
  return detail::contained([&](effect_kind&) -> result<std::uint64_t> {
    if (auto fit = check_log(options.deadline); !fit) return std::move(fit).error();
    return do_last_change(options);
  });
}

DORMOUSE_INLINE result<std::optional<std::uint64_t>> object_store::position(std::string_view reader,
                                                                            const call_options& options) {
  return detail::contained([&](effect_kind&) -> result<std::optional<std::uint64_t>> {
    if (auto fit = detail::check_reader(reader); !fit) return std::move(fit).error();
    if (auto fit = check_log(options.deadline); !fit) return std::move(fit).error();
    return do_position(reader, options);
  });
}

DORMOUSE_INLINE result<void> object_store::remember(std::string_view reader, std::uint64_t position,
                                                    const call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<void> {
    if (auto fit = detail::check_reader(reader); !fit) return fit;
    if (auto fit = check_log(options.deadline); !fit) return fit;
    effect = effect_kind::unknown;
    return do_remember(reader, position, options);
  });
}

DORMOUSE_INLINE result<void> object_store::watch(change_watcher& who) {
  return detail::contained([&](effect_kind&) -> result<void> {
    if (auto fit = check_log({}); !fit) return fit;
    return do_watch(who);
  });
}

DORMOUSE_INLINE void object_store::unwatch(change_watcher& who) noexcept {
  if (capabilities().change_log) do_unwatch(who);
}

DORMOUSE_INLINE result<std::vector<object_change>> object_store::do_changes(std::uint64_t, std::size_t,
                                                                            const call_options&) {
  return detail::no_change_log();
}
DORMOUSE_INLINE result<std::uint64_t> object_store::do_last_change(const call_options&) {
  return detail::no_change_log();
}
DORMOUSE_INLINE result<std::optional<std::uint64_t>> object_store::do_position(std::string_view, const call_options&) {
  return detail::no_change_log();
}
DORMOUSE_INLINE result<void> object_store::do_remember(std::string_view, std::uint64_t, const call_options&) {
  return detail::no_change_log();
}
DORMOUSE_INLINE result<void> object_store::do_watch(change_watcher&) { return detail::no_change_log(); }
DORMOUSE_INLINE void object_store::do_unwatch(change_watcher&) noexcept {}

// ---- listing --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<object_page> object_store::list(const object_list_options& options) {
  return detail::contained([&](effect_kind&) -> result<object_page> {
    if (auto fit = detail::check_list_options(options); !fit) return std::move(fit).error();
    auto after = detail::list_after(options);
    if (!after) return std::move(after).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    return walk(options, std::move(*after));
  });
}

// One more than the page holds tells whether another page follows.
DORMOUSE_INLINE result<object_page> object_store::walk(const object_list_options& options, std::string after) {
  object_page page;
  for (;;) {
    const std::size_t wanted = options.page_size + 1 - page.objects.size() - page.common_prefixes.size();
    auto found = do_list(options.prefix, after, wanted, {.deadline = options.deadline});
    if (!found) return std::move(found).error();
    for (object_info& each : *found) {
      // No key has the byte 0xff, so this is behind all keys that begin so; here, those found with the first of them.
      if (each.key < after) continue;
      if (page.objects.size() + page.common_prefixes.size() == options.page_size) {
        page.cursor = detail::make_cursor({options.prefix, options.delimiter, after});
        return page;
      }
      if (const std::string_view common = detail::common_prefix(each.key, options); !common.empty()) {
        page.common_prefixes.emplace_back(common);
        after = page.common_prefixes.back() + '\xff';
      } else {
        after = each.key;
        page.objects.push_back(std::move(each));
      }
    }
    if (found->size() < wanted) return page;
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
