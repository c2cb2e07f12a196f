// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/page_cursor.hpp>
#include <dormouse/detail/service_call.hpp>
#include <dormouse/detail/table_checks.hpp>
#include <dormouse/detail/table_fingerprint.hpp>
#include <dormouse/services/table.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// Each call: arguments first, as they do not depend on the time; then capabilities and the deadline; then the adapter.

// ---- one item -------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<std::optional<stored_item>> table::get(const table_key& key, const table_get_options& options) {
  return detail::contained([&](effect_kind&) -> result<std::optional<stored_item>> {
    if (auto fit = detail::check_table_key(key); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    return do_get(key, options);
  });
}

DORMOUSE_INLINE result<table::write_outcome> table::write(table_write&& what, const table_write_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<write_outcome> {
    if (options.former != nullptr) options.former->reset();
    const table_capabilities& able = capabilities();
    if (auto fit = detail::check_table_write(what, able); !fit) return std::move(fit).error();
    if (auto fit = detail::check_table_token(options.token, able); !fit) return std::move(fit).error();
    if (auto fit = detail::check_table_within(options.within, options.token, able); !fit) {
      return std::move(fit).error();
    }
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_write(std::move(what), options);
  });
}

DORMOUSE_INLINE result<table_version> table::put(table_key key, table_item item, const table_write_options& options) {
  table_write what;  // filled in afterwards: an aggregate of that size is cleared as a whole first, at a cost
  what.kind = table_write_kind::put;
  what.key = std::move(key);
  what.item = std::move(item);
  what.when = options.when;
  what.expires_at = options.expires_at;
  auto done = write(std::move(what), options);
  if (!done) return std::move(done).error();
  return done->now.version;
}

DORMOUSE_INLINE result<stored_item> table::update(table_key key, table_update what,
                                                  const table_write_options& options) {
  auto done = write({.kind = table_write_kind::update,
                     .key = std::move(key),
                     .update = std::move(what),
                     .when = options.when,
                     .expires_at = options.expires_at},
                    options);
  if (!done) return std::move(done).error();
  return std::move(done->now);
}

DORMOUSE_INLINE result<bool> table::erase(table_key key, const table_write_options& options) {
  auto done = write(
      {.kind = table_write_kind::erase, .key = std::move(key), .when = options.when, .expires_at = options.expires_at},
      options);
  if (!done) return std::move(done).error();
  return done->existed;
}

// ---- several items --------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<table_batch> table::get_batch(const std::vector<table_key>& keys,
                                                     const table_get_options& options) {
  return detail::contained([&](effect_kind&) -> result<table_batch> {
    std::vector<const table_key*> each;
    for (const table_key& key : keys) {
      if (auto fit = detail::check_table_key(key); !fit) return std::move(fit).error();
      each.push_back(&key);
    }
    if (auto fit = detail::check_table_keys_differ(each); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    return do_get_batch(keys, options);
  });
}

DORMOUSE_INLINE result<table_batch> table::do_get_batch(const std::vector<table_key>& keys,
                                                        const table_get_options& options) {
  table_batch batch;
  for (std::size_t at = 0; at < keys.size(); ++at) {
    auto got =
        detail::in_time(time_, options.deadline) ? do_get(keys[at], options) : failure{.code = errc::deadline_exceeded};
    if (!got && got.error().code == errc::deadline_exceeded) {
      batch.unprocessed.assign(keys.begin() + static_cast<std::ptrdiff_t>(at), keys.end());
      return batch;
    }
    if (!got) return std::move(got).error();
    if (!*got) continue;
    batch.found.push_back({keys[at], std::move((*got)->item), (*got)->version, (*got)->expires_at});
  }
  return batch;
}

DORMOUSE_INLINE result<std::vector<result<table_version>>> table::write_batch(std::vector<table_write> writes,
                                                                              const call_options& options) {
  using answers = std::vector<result<table_version>>;
  return detail::contained([&](effect_kind& effect) -> result<answers> {
    if (auto fit = detail::check_table_writes(writes, capabilities()); !fit) return std::move(fit).error();
    const auto is_check = [](const table_write& each) { return each.kind == table_write_kind::check; };
    if (std::any_of(writes.begin(), writes.end(), is_check)) {
      return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                         "a check in a batch; only transact() has them");
    }
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_write_batch(std::move(writes), options);
  });
}

// What one write throws is its own failure: those before it have been done, and those behind it shall be.
DORMOUSE_INLINE result<std::vector<result<table_version>>> table::do_write_batch(std::vector<table_write>&& writes,
                                                                                 const call_options& options) {
  std::vector<result<table_version>> answers;
  answers.reserve(writes.size());
  for (table_write& each : writes) {
    const bool answers_version = each.kind != table_write_kind::erase;
    answers.push_back(detail::contained([&](effect_kind& effect) -> result<table_version> {
      if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
      const table_write_options alone{
          .when = each.when, .expires_at = each.expires_at, .token = {}, .deadline = options.deadline};
      effect = effect_kind::unknown;
      auto done = do_write(std::move(each), alone);
      if (!done) return std::move(done).error();
      return answers_version ? done->now.version : 0;
    }));
  }
  return answers;
}

DORMOUSE_INLINE result<std::vector<table_version>> table::transact(std::vector<table_write> writes,
                                                                   const table_transaction_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<std::vector<table_version>> {
    if (options.failed != nullptr) options.failed->clear();
    const table_capabilities& able = capabilities();
    if (auto fit = detail::check_table_count("writes.size()", writes.size(), batch_max); !fit) {
      return std::move(fit).error();
    }
    if (!able.transactions) {
      return detail::refuse_service_call(errc::unsupported, failure_reason::none,
                                         "this table has no transactions (transactions)");
    }
    if (auto fit = detail::check_table_writes(writes, able); !fit) return std::move(fit).error();
    std::size_t bytes = 0;
    for (const table_write& each : writes) bytes += detail::table_write_bytes(each);
    if (bytes > transaction_bytes_max) {
      return detail::refuse_service_call(errc::too_large, failure_reason::value_bytes,
                                         "transaction of {} bytes; at most {}", bytes, transaction_bytes_max);
    }
    if (auto fit = detail::check_table_token(options.token, able); !fit) return std::move(fit).error();
    if (auto fit = detail::check_table_within(options.within, options.token, able); !fit) {
      return std::move(fit).error();
    }
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_transact(std::move(writes), options);
  });
}

// ---- many items -----------------------------------------------------------------------------------------------------

namespace detail {

// Where an adapter goes on may take as much as two keys and the place in an index, and a little of its own.
constexpr std::size_t table_cursor_bytes_max = 4 * (table::partition_bytes_max + table::sort_bytes_max);

inline std::string question_text(std::uint64_t question) { return fmt::format("{:x}", question); }

// The adapter's place; nothing for the start.
DORMOUSE_INLINE result<std::optional<std::string>> table_cursor_place(std::string_view cursor, std::uint64_t question) {
  if (cursor.empty()) return std::optional<std::string>{};
  auto parts = read_cursor_parts(cursor, 2, table_cursor_bytes_max);
  if (parts && parts->at(0) == question_text(question)) return std::optional<std::string>{std::move(parts->at(1))};
  return refuse_service_call(errc::invalid_argument, failure_reason::none, "the cursor {}",
                             parts ? "belongs to another question" : "is malformed");
}

// One page of a walk. `ask` gets the place, null for the start.
template <class F>
result<table_page> table_page_of(std::string_view cursor, std::uint64_t question, F&& ask) {
  auto place = table_cursor_place(cursor, question);
  if (!place) return std::move(place).error();
  result<table_page> page = ask(*place ? std::string_view(**place) : std::string_view{});
  if (page && !page->cursor.empty()) page->cursor = make_cursor({question_text(question), page->cursor});
  return page;
}

}  // namespace detail

DORMOUSE_INLINE result<table_page> table::query(const table_query& what) {
  return detail::contained([&](effect_kind&) -> result<table_page> {
    if (auto fit = detail::check_table_query(what, capabilities()); !fit) return std::move(fit).error();
    return detail::table_page_of(what.cursor, detail::fingerprint_of(what),
                                 [&](std::string_view after) -> result<table_page> {
                                   if (auto fit = detail::in_time(time_, what.deadline); !fit) return fit.error();
                                   return do_query(what, after);
                                 });
  });
}

DORMOUSE_INLINE result<table_page> table::scan(const table_scan& what) {
  return detail::contained([&](effect_kind&) -> result<table_page> {
    if (auto fit = detail::check_table_scan(what); !fit) return std::move(fit).error();
    return detail::table_page_of(what.cursor, detail::fingerprint_of(what),
                                 [&](std::string_view after) -> result<table_page> {
                                   if (auto fit = detail::in_time(time_, what.deadline); !fit) return fit.error();
                                   return do_scan(what, after);
                                 });
  });
}

// ---- expiry and changes ---------------------------------------------------------------------------------------------

namespace detail {

DORMOUSE_INLINE failure no_table_capability(const char* name) noexcept {
  return make_failure(errc::unsupported, effect_kind::not_applied, failure_reason::none, name);
}

DORMOUSE_INLINE result<void> check_table_log(const table& store) {
  if (store.capabilities().change_log) return {};
  return no_table_capability("this table does not log its changes (change_log)");
}

}  // namespace detail

DORMOUSE_INLINE result<std::optional<calendar_time>> table::remove_expired(std::size_t count,
                                                                           const call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<std::optional<calendar_time>> {
    if (auto fit = detail::check_table_count("count", count, page_size_max); !fit) return std::move(fit).error();
    if (!capabilities().expiry) return detail::no_table_capability("no item of this table expires (expiry)");
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_remove_expired(count, options);
  });
}

DORMOUSE_INLINE result<std::vector<table_change>> table::changes(std::uint64_t after, std::size_t count,
                                                                 const call_options& options) {
  return detail::contained([&](effect_kind&) -> result<std::vector<table_change>> {
    if (auto fit = detail::check_table_count("count", count, page_size_max); !fit) return std::move(fit).error();
    if (auto fit = detail::check_table_log(*this); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    return do_changes(after, count, options);
  });
}

DORMOUSE_INLINE result<std::uint64_t> table::last_change(const call_options& options) {
  return detail::contained([&](effect_kind&) -> result<std::uint64_t> {
    if (auto fit = detail::check_table_log(*this); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    return do_last_change(options);
  });
}

DORMOUSE_INLINE result<std::optional<std::uint64_t>> table::position(std::string_view reader,
                                                                     const call_options& options) {
  return detail::contained([&](effect_kind&) -> result<std::optional<std::uint64_t>> {
    if (auto fit = detail::check_reader(reader); !fit) return std::move(fit).error();
    if (auto fit = detail::check_table_log(*this); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    return do_position(reader, options);
  });
}

DORMOUSE_INLINE result<void> table::remember(std::string_view reader, std::uint64_t position,
                                             const call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<void> {
    if (auto fit = detail::check_reader(reader); !fit) return fit;
    if (auto fit = detail::check_table_log(*this); !fit) return fit;
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return fit;
    effect = effect_kind::unknown;
    return do_remember(reader, position, options);
  });
}

DORMOUSE_INLINE result<void> table::watch(change_watcher& who) {
  return detail::contained([&](effect_kind&) -> result<void> {
    if (auto fit = detail::check_table_log(*this); !fit) return fit;
    return do_watch(who);
  });
}

DORMOUSE_INLINE void table::unwatch(change_watcher& who) noexcept {
  if (capabilities().change_log) do_unwatch(who);
}

// ---- what an adapter without the capability has ---------------------------------------------------------------------

DORMOUSE_INLINE result<std::vector<table_version>> table::do_transact(std::vector<table_write>&&,
                                                                      const table_transaction_options&) {
  return detail::no_table_capability("transactions");
}
DORMOUSE_INLINE result<std::optional<calendar_time>> table::do_remove_expired(std::size_t, const call_options&) {
  return detail::no_table_capability("expiry");
}
DORMOUSE_INLINE result<std::vector<table_change>> table::do_changes(std::uint64_t, std::size_t, const call_options&) {
  return detail::no_table_capability("change_log");
}
DORMOUSE_INLINE result<std::uint64_t> table::do_last_change(const call_options&) {
  return detail::no_table_capability("change_log");
}
DORMOUSE_INLINE result<std::optional<std::uint64_t>> table::do_position(std::string_view, const call_options&) {
  return detail::no_table_capability("change_log");
}
DORMOUSE_INLINE result<void> table::do_remember(std::string_view, std::uint64_t, const call_options&) {
  return detail::no_table_capability("change_log");
}
DORMOUSE_INLINE result<void> table::do_watch(change_watcher&) { return detail::no_table_capability("change_log"); }
DORMOUSE_INLINE void table::do_unwatch(change_watcher&) noexcept {}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
