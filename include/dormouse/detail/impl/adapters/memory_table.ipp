// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/detail/service_call.hpp>
#include <dormouse/detail/table_checks.hpp>
#include <dormouse/detail/table_fingerprint.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

constexpr std::size_t expired_per_write = 2;  // so that they leave faster than they can come

DORMOUSE_INLINE const memory_table_options& checked(const memory_table_options& options) {
  if (options.items_max < 1 || options.items_max > 1'000'000'000) {
    throw std::invalid_argument(
        fmt::format("dormouse: memory_table_options::items_max is {}; give 1 .. 1000000000", options.items_max));
  }
  if (options.bytes_max < 1 || options.bytes_max > std::size_t{1} << 40U) {
    throw std::invalid_argument(
        fmt::format("dormouse: memory_table_options::bytes_max is {}; give 1 .. 1 TiB", options.bytes_max));
  }
  check_table_schema(options.schema, "memory_table_options");
  return options;
}

DORMOUSE_INLINE std::size_t stored_bytes(const table_key& key, const table_item& item) noexcept {
  return key.partition.size() + key.sort.size() + table::item_bytes(item);
}

}  // namespace detail

DORMOUSE_INLINE memory_table::memory_table(const memory_table_options& options)
    : table(options.time != nullptr ? *options.time : detail::system_clock_of_services()),
      options_(detail::checked(options)),
      capabilities_{.conditions = true,
                    .updates = true,
                    .transactions = true,
                    .expiry = true,
                    .tokens = true,
                    .change_log = options.schema.change_view != table_change_view::none,
                    .strong_index_reads = true,
                    .indexes = options.schema.indexes},
      indexes_(options_.schema.indexes) {}

DORMOUSE_INLINE std::size_t memory_table::size() const {
  const std::lock_guard lock(mutex_);
  return items_.size();
}

// ---- a write, from its arguments to its answer ----------------------------------------------------------------------

// The lock of a write; tells of what was logged under it, once it is free again.
class memory_table::writing {
 public:
  explicit writing(memory_table& store) : store_(store), lock_(store.mutex_), before_(store.log_.last()) {}
  writing(const writing&) = delete;
  writing& operator=(const writing&) = delete;
  ~writing() {
    const bool logged = store_.log_.last() != before_;  // also by a write that failed: of items that had expired
    lock_.unlock();
    if (logged) store_.tell();
  }

 private:
  memory_table& store_;
  std::unique_lock<std::mutex> lock_;
  const std::uint64_t before_;
};

// Runs `write` under the lock. What it throws has left nothing behind, which only this adapter knows.
template <class F>
auto memory_table::changing(F&& write) -> decltype(write()) {
  const writing each(*this);
  try {
    return write();
  } catch (const std::bad_alloc&) {
    return detail::make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
  }
}

DORMOUSE_INLINE result<table::write_outcome> memory_table::do_write(table_write&& what,
                                                                    const table_write_options& options) {
  const std::uint64_t fingerprint = options.token.empty() ? 0 : detail::fingerprint_of(what);
  step one(what);  // what stood there before is destroyed without the lock
  return changing([&]() -> result<write_outcome> {
    auto earlier = answered(options.token, fingerprint);
    if (!earlier) return std::move(earlier).error();
    if (*earlier != nullptr) return write_outcome{(*earlier)->now, (*earlier)->existed};
    expire_some(detail::expired_per_write);
    if (auto fit = look(one, nullptr, 0); !fit) {
      if (options.former != nullptr && one.existed) *options.former = one.entry->second.now;
      return std::move(fit).error();
    }
    if (auto fit = make(one); !fit) return std::move(fit).error();
    write_outcome outcome{.now = {.version = one.fresh.version}, .existed = one.existed};
    if (what.kind == table_write_kind::update) outcome.now = one.fresh;
    auto answer = answer_to(options.token, fingerprint);
    if (answer) {
      answer->now = outcome.now;
      answer->existed = outcome.existed;
      answer->bytes += table::item_bytes(outcome.now.item);
    }
    if (auto fit = check_room({&one, 1}, answer ? answer->bytes : 0); !fit) return std::move(fit).error();
    perform({&one, 1}, options.token, answer);
    if (options.former != nullptr && one.existed) options.former->emplace(std::move(one.fresh));
    return outcome;
  });
}

DORMOUSE_INLINE result<std::vector<table_version>> memory_table::do_transact(std::vector<table_write>&& writes,
                                                                             const table_transaction_options& options) {
  using versions = std::vector<table_version>;
  const std::uint64_t fingerprint = options.token.empty() ? 0 : detail::fingerprint_of(writes);
  std::vector<step> steps;  // destroyed without the lock
  return changing([&]() -> result<versions> {
    steps.reserve(writes.size());
    for (table_write& each : writes) steps.emplace_back(each);
    auto earlier = answered(options.token, fingerprint);
    if (!earlier) return std::move(earlier).error();
    if (*earlier != nullptr) return (*earlier)->versions;
    expire_some(detail::expired_per_write * steps.size());
    std::vector<std::size_t> failed;
    result<void> first{};
    for (std::size_t at = 0; at < steps.size(); ++at) {
      auto fit = look(steps[at], &failed, at);
      if (!fit && first) first = std::move(fit);
    }
    if (!first) {
      if (options.failed != nullptr) *options.failed = std::move(failed);
      return std::move(first).error();
    }
    for (step& each : steps) {
      if (auto fit = make(each); !fit) return std::move(fit).error();
    }
    versions given;
    for (const step& each : steps) given.push_back(each.fresh.version);
    auto answer = answer_to(options.token, fingerprint);
    if (answer) {
      answer->versions = given;
      answer->bytes += given.size() * sizeof(table_version);
    }
    if (auto fit = check_room(steps, answer ? answer->bytes : 0); !fit) return std::move(fit).error();
    perform(steps, options.token, answer);
    return given;
  });
}

// An expired item leaves before anything else is asked of its key, whatever becomes of the write.
DORMOUSE_INLINE result<void> memory_table::look(step& one, std::vector<std::size_t>* failed, std::size_t position) {
  one.entry = items_.find(one.what.key);
  if (one.entry != nullptr && !is_there(one.entry->second)) {
    expire(*one.entry);
    one.entry = nullptr;
  }
  one.existed = one.entry != nullptr;
  auto fit = detail::check_write_condition(one.existed ? &one.entry->second.now : nullptr, one.what.when);
  if (fit || failed == nullptr) return fit;
  failed->push_back(position);
  return detail::refuse_service_call(fit.error().code, fit.error().reason, "write {}: {}", position,
                                     fit.error().detail);
}

DORMOUSE_INLINE result<void> memory_table::make(step& one) {
  table_write& what = one.what;
  if (what.kind == table_write_kind::erase || what.kind == table_write_kind::check) return {};
  if (what.kind == table_write_kind::put) {
    one.fresh.item = std::move(what.item);
  } else {
    if (one.existed) one.fresh = one.entry->second.now;
    if (auto fit = what.update.apply(one.fresh.item); !fit) return fit;
    if (auto fit = check_table_item(one.fresh.item); !fit) return fit;
  }
  if (what.kind == table_write_kind::put || what.expires_at) one.fresh.expires_at = what.expires_at;
  one.fresh.version = ++last_version_;
  one.bytes = detail::stored_bytes(what.key, one.fresh.item);
  return {};
}

DORMOUSE_INLINE result<void> memory_table::check_room(std::span<const step> steps, std::size_t token_bytes) const {
  std::size_t items = items_.size();
  std::size_t bytes = bytes_ + token_bytes;
  for (const step& each : steps) {
    if (each.what.kind == table_write_kind::check) continue;
    const std::size_t former = each.existed ? each.entry->second.bytes : 0;
    items = items + (each.bytes != 0 ? 1 : 0) - (each.existed ? 1 : 0);
    bytes = bytes + each.bytes - former;
  }
  if (items <= options_.items_max && bytes <= options_.bytes_max) return {};
  return detail::make_failure(errc::limit_exceeded, effect_kind::not_applied, failure_reason::store_full,
                              items > options_.items_max ? "items_max is reached" : "bytes_max is reached");
}

// All of what was planned, or an exception and nothing of it: first whatever can fail, all of it to be taken back, then
// the rest.
DORMOUSE_INLINE void memory_table::perform(std::span<step> steps, std::string_view token,
                                           std::optional<detail::memory_answer>& answer) {
  staged so_far;
  try {
    for (step& each : steps) stage(each, so_far);
    if (answer) {
      const std::size_t bytes = answer->bytes;
      tokens_.add(token, std::move(*answer));
      bytes_ += bytes;
    }
  } catch (...) {
    take_back(steps, so_far);
    throw;
  }
  detail::memory_indexes::finish(so_far.indexes.left);
  for (step& each : steps) commit(each);
  if (so_far.log_entries > 0) trim_log();
}

DORMOUSE_INLINE void memory_table::stage(step& one, staged& so_far) {
  const table_write& what = one.what;
  const bool erases = what.kind == table_write_kind::erase;
  if (what.kind == table_write_kind::check || (erases && !one.existed)) return;
  if (one.entry == nullptr) one.entry = &items_.add(std::move(one.what.key));
  const stored_item* former = one.existed ? &one.entry->second.now : nullptr;
  const stored_item* fresh = erases ? nullptr : &one.fresh;
  if (fresh != nullptr) items_.prepare(*one.entry, *fresh);
  if (!options_.schema.indexes.empty()) {
    indexes_.prepare(*one.entry, former != nullptr ? &former->item : nullptr, fresh != nullptr ? &fresh->item : nullptr,
                     so_far.indexes);
  }
  if (!capabilities_.change_log) return;
  const auto changed = one.existed ? table_change_kind::modify : table_change_kind::insert;
  log(erases ? table_change_kind::remove : changed, one.entry->first, former, fresh);
  ++so_far.log_entries;
}

DORMOUSE_INLINE void memory_table::commit(step& one) noexcept {
  if (one.what.kind == table_write_kind::check || one.entry == nullptr) return;
  bytes_ = bytes_ + one.bytes - one.entry->second.bytes;
  one.entry->second.bytes = one.bytes;
  if (one.what.kind != table_write_kind::erase) return items_.exchange(*one.entry, one.fresh);
  items_.remove(*one.entry, one.fresh);
}

DORMOUSE_INLINE void memory_table::take_back(std::span<step> steps, const staged& so_far) noexcept {
  detail::memory_indexes::finish(so_far.indexes.added);
  log_.take_back(so_far.log_entries);
  for (step& each : steps) {
    if (each.entry == nullptr || each.what.kind == table_write_kind::check) continue;
    items_.take_back(*each.entry, each.fresh);
    if (each.existed) continue;
    stored_item nothing;
    items_.remove(*each.entry, nothing);
  }
}

// ---- tokens ---------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<const detail::memory_answer*> memory_table::answered(std::string_view token,
                                                                            std::uint64_t fingerprint) {
  if (token.empty() && tokens_.empty()) return nullptr;
  bytes_ -= tokens_.forget(time().now());
  if (token.empty()) return nullptr;
  const detail::memory_answer* found = tokens_.find(token);
  if (found != nullptr && found->fingerprint != fingerprint) {
    return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                       "the token was given to another call");
  }
  if (found == nullptr && tokens_.full()) {
    auto full = detail::refuse_service_call(errc::throttled, failure_reason::store_full, "{} tokens are kept",
                                            detail::memory_tokens::count_max);
    full.retry_after = std::chrono::ceil<std::chrono::milliseconds>(tokens_.oldest_until() - time().now());
    return full;
  }
  return found;
}

DORMOUSE_INLINE std::optional<detail::memory_answer> memory_table::answer_to(std::string_view token,
                                                                             std::uint64_t fingerprint) const {
  if (token.empty()) return std::nullopt;
  return detail::memory_answer{
      .fingerprint = fingerprint, .bytes = token.size(), .until = time().now() + detail::memory_tokens::age_max};
}

// ---- expiry ---------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE bool memory_table::is_there(const detail::memory_row& row) const noexcept {
  return !row.now.expires_at || *row.now.expires_at > time().wall();
}

DORMOUSE_INLINE void memory_table::expire(detail::memory_entry& entry) {
  detail::memory_index_changes leaving;
  indexes_.prepare(entry, &entry.second.now.item, nullptr, leaving);
  if (capabilities_.change_log) log(table_change_kind::expire, entry.first, &entry.second.now, nullptr);
  detail::memory_indexes::finish(leaving.left);
  bytes_ -= entry.second.bytes;
  stored_item gone;
  items_.remove(entry, gone);
  trim_log();
}

DORMOUSE_INLINE void memory_table::expire_some(std::size_t count) {
  if (items_.expiring().empty()) return;
  const calendar_time now = time().wall();
  for (; count > 0 && !items_.expiring().empty() && items_.expiring().begin()->when <= now; --count) {
    expire(*items_.expiring().begin()->entry);
  }
}

DORMOUSE_INLINE result<std::optional<calendar_time>> memory_table::do_remove_expired(std::size_t count,
                                                                                     const call_options&) {
  return changing([&]() -> result<std::optional<calendar_time>> {
    expire_some(count);
    if (items_.expiring().empty()) return std::optional<calendar_time>{};
    return std::optional<calendar_time>{items_.expiring().begin()->when};
  });
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
