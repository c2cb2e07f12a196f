// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/function_activity.hpp>
#include <dormouse/detail/name_hash.hpp>
#include <dormouse/detail/registry.hpp>
#include <dormouse/detail/time_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <stdexcept>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

namespace wiring {

DORMOUSE_INLINE bool is_name_part(std::string_view part) noexcept {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !part.empty() && part.size() <= registry::name_bytes_max && std::all_of(part.begin(), part.end(), allowed);
}

DORMOUSE_INLINE void check_name(std::string_view name) {
  const auto colon = name.find(':');
  const bool good =
      is_name_part(name.substr(0, colon)) && (colon == std::string_view::npos || is_name_part(name.substr(colon + 1)));
  if (good) return;
  throw std::invalid_argument(fmt::format(
      "dormouse: function name \"{}\": give 1..64 of [A-Za-z0-9_-], and after a ':' a qualifier of the same",
      printable(name, 80)));
}

template <class T, class Low, class High>
void check_range(const char* option, T value, Low low, High high) {
  if (value >= low && value <= high) return;
  throw std::invalid_argument(fmt::format("dormouse: function_options::{} is {}; give {} .. {}", option, shown(value),
                                          shown(std::common_type_t<T, Low>(low)),
                                          shown(std::common_type_t<T, High>(high))));
}

DORMOUSE_INLINE void check_retry(const retry_policy& policy) {
  using namespace std::chrono;
  check_range("retry.attempts_max", policy.attempts_max, 1U, 100U);
  check_range("retry.delay_first", policy.delay_first, nanoseconds{0}, nanoseconds{hours{24}});
  check_range("retry.delay_factor", policy.delay_factor, 1U, 100U);
  check_range("retry.delay_max", policy.delay_max, nanoseconds{0}, nanoseconds{hours{24}});
  check_range("retry.jitter_percent", policy.jitter_percent, 0U, 100U);
  check_range("retry.event_age_max", policy.event_age_max, nanoseconds{milliseconds{1}}, nanoseconds{hours{24 * 30}});
  check_range("retry.budget_percent", policy.budget_percent, 0U, 10'000U);
  check_range("retry.budget_per_second_min", policy.budget_per_second_min, 1U, 1'000'000U);
}

DORMOUSE_INLINE void check_fit(const function_options& options, const handler_ops& ops) {
  if (options.instance_concurrency <= 1 || ops.const_call) return;
  throw std::invalid_argument(
      "dormouse: function_options::instance_concurrency above 1 needs a handler whose operator() is const");
}

DORMOUSE_INLINE void check_options(const function_options& options, const handler_ops& ops) {
  using namespace std::chrono;
  check_range("timeout", options.timeout, nanoseconds{1000}, nanoseconds{hours{24}});
  check_range("init_timeout", options.init_timeout, nanoseconds{1000}, nanoseconds{hours{24}});
  check_range("idle_timeout", options.idle_timeout, nanoseconds{0}, nanoseconds{hours{24 * 30}});
  check_range("instances_max", options.instances_max, std::size_t{1}, std::size_t{1'000'000});
  check_range("instance_concurrency", options.instance_concurrency, std::size_t{1}, std::size_t{65'536});
  check_range("instances_reserved", options.instances_reserved, std::size_t{0}, std::size_t{1'000'000});
  check_range("instances_provisioned", options.instances_provisioned, std::size_t{0}, options.instances_max);
  check_range("queue_depth_max", options.queue_depth_max, std::size_t{1}, std::size_t{100'000'000});
  check_range("queue_bytes_max", options.queue_bytes_max, std::size_t{1}, std::size_t{1} << 40U);
  check_retry(options.retry);
  if (options.kind != function_kind::compute && options.kind != function_kind::blocking) {
    throw std::invalid_argument("dormouse: function_options::kind is neither compute nor blocking");
  }
  if (options.busy != when_busy::wait && options.busy != when_busy::throttle) {
    throw std::invalid_argument("dormouse: function_options::busy is neither when_busy::wait nor when_busy::throttle");
  }
  check_fit(options, ops);
}

DORMOUSE_INLINE void check_reserved(std::size_t already, std::size_t wanted, std::size_t all) {
  if (wanted <= all && already <= all - wanted) return;
  throw std::invalid_argument(
      fmt::format("dormouse: function_options::instances_reserved is {}, but of the runtime's instances_max {} only {} "
                  "are not reserved yet",
                  wanted, all, all - already));
}

}  // namespace wiring

DORMOUSE_INLINE registry::~registry() {
  const std::size_t count = size();
  for (std::size_t i = 0; i < count; ++i) {
    function_record& record = at(static_cast<std::uint32_t>(i));
    try {
      record.ops->drop_prototype(record.prototype);
    } catch (...) {  // a user's destructor that throws costs nobody else anything
    }
    delete_in(memory_, record.activity);  // of dead letters that had kept their places
    delete_in(memory_, record.totals);
  }
  for (std::size_t c = 0; c < chunk_count; ++c) {
    if (function_record* const chunk = chunks_[c].load()) {
      memory_.deallocate(chunk, chunk_bytes(c), alignof(function_record));
    }
  }
}

DORMOUSE_INLINE function_record* registry::find(std::string_view name) const noexcept {
  // acquire here and below: a found slot makes the record it names visible.
  const table* const now = table_.load(std::memory_order_acquire);
  if (now == nullptr || name.empty()) return nullptr;
  const std::uint32_t wanted = name_hash(name);
  for (std::size_t i = wanted & now->mask;; i = (i + 1) & now->mask) {
    const std::uint64_t slot = now->slots[i].load(std::memory_order_acquire);
    if (slot == 0) return nullptr;
    if (slot >> 32U != wanted) continue;
    const place where(static_cast<std::uint32_t>(slot) - 1);
    function_record& record = records_of(where)[where.offset];
    __builtin_prefetch(&record);  // beside the name
    if (same_name(names_of(where)[where.offset].name(), name)) return record.is_defined() ? &record : nullptr;
  }
}

// In the place of an undefined function of the same name, if there is one.
DORMOUSE_INLINE void registry::insert(table& into, std::uint32_t hash, std::uint32_t index) const noexcept {
  std::size_t i = hash & into.mask;
  for (;; i = (i + 1) & into.mask) {
    const std::uint64_t slot = into.slots[i].load(std::memory_order_relaxed);  // relaxed: the lock is held
    if (slot == 0) break;
    if (slot >> 32U == hash && same_name(name_at(static_cast<std::uint32_t>(slot) - 1), name_at(index))) break;
  }
  into.slots[i].store(std::uint64_t{hash} << 32U | (index + 1), std::memory_order_release);
}

DORMOUSE_INLINE void registry::grow_table() {
  const std::size_t count = size_.load(std::memory_order_relaxed);
  const table* const now = table_.load(std::memory_order_relaxed);
  if (now != nullptr && (count + 1) * 4 <= (now->mask + 1) * 3) return;
  auto larger = make_in<table>(memory_, now == nullptr ? 16 : (now->mask + 1) * 2, memory_);
  if (now != nullptr) {
    for (const auto& each : now->slots) {
      const std::uint64_t slot = each.load(std::memory_order_relaxed);  // relaxed: the lock is held
      if (slot == 0) continue;
      std::size_t i = slot >> 32U & larger->mask;
      while (larger->slots[i].load(std::memory_order_relaxed) != 0) i = (i + 1) & larger->mask;
      larger->slots[i].store(slot, std::memory_order_relaxed);  // relaxed: published below
    }
  }
  tables_.push_back(std::move(larger));
  table_.store(tables_.back().get(), std::memory_order_release);
}

DORMOUSE_INLINE function_record* registry::new_record(std::string_view name) {
  const auto index = static_cast<std::uint32_t>(size_.load(std::memory_order_relaxed));
  const place where(index);
  if (where.chunk >= chunk_count) throw std::invalid_argument("dormouse: more than 4,294,967,232 functions");
  if (chunks_[where.chunk].load(std::memory_order_relaxed) == nullptr) {
    // Memory only: a record is constructed, and its page touched, when it is given out.
    void* const memory = memory_.allocate(chunk_bytes(where.chunk), alignof(function_record));
    chunks_[where.chunk].store(static_cast<function_record*>(memory), std::memory_order_release);
  }
  const char* const kept = name.size() > name_cell::inline_bytes ? keep_name(name) : nullptr;
  const auto* const cell = new (static_cast<void*>(&names_of(where)[where.offset])) name_cell(name, kept);
  auto* const record = new (static_cast<void*>(&at(index))) function_record;
  record->index = index;
  record->name_data = cell->name().data();
  record->name_size = static_cast<std::uint8_t>(name.size());
  return record;
}

DORMOUSE_INLINE const char* registry::keep_name(std::string_view name) {
  if (names_used_ + name.size() > names_size_) {
    const std::size_t size = std::clamp<std::size_t>(names_size_ * 2, 512, 65'536);
    names_.emplace_back(size);
    names_size_ = size;
    names_used_ = 0;
  }
  char* const kept = names_.back().data() + names_used_;
  std::copy(name.begin(), name.end(), kept);
  names_used_ += name.size();
  return kept;
}

DORMOUSE_INLINE const function_settings* registry::intern(const function_options& options) {
  const function_options& wanted = options;
  const auto known =
      std::find_if(settings_.begin(), settings_.end(), [&](const auto& each) { return each->options == wanted; });
  if (known != settings_.end()) return known->get();
  auto fresh = make_in<function_settings>(memory_);
  fresh->options = wanted;
  fresh->timeout_ticks = time_.to_ticks(wanted.timeout);
  fresh->init_timeout_ticks = time_.to_ticks(wanted.init_timeout);
  fresh->idle_ticks = time_.to_ticks(wanted.idle_timeout);
  fresh->age_ticks = time_.to_ticks(wanted.retry.event_age_max);
  fresh->leases_max = wanted.instances_max * wanted.instance_concurrency;
  settings_.push_back(std::move(fresh));
  return settings_.back().get();
}

DORMOUSE_INLINE function_record& registry::add(std::string_view name, const handler_ops& ops, void* prototype,
                                               const function_options& options) {
  const std::uint32_t hash = name_hash(name);
  if (const table* const now = table_.load(std::memory_order_acquire); now != nullptr) {
    __builtin_prefetch(&now->slots[hash & now->mask]);  // it is here when the checks are done
  }
  wiring::check_name(name);
  wiring::check_options(options, ops);
  owner_in<function_totals> totals(nullptr, {&memory_});  // before the lock: the factory of a policy is the user's
  if (!options.keep.empty()) {
    totals = make_in<function_totals>(memory_, memory_);
    totals->set_policy(options.keep.make());
  }
  const std::lock_guard lock(mutex_);
  if (find(name) != nullptr) {
    throw std::invalid_argument(fmt::format("dormouse: function \"{}\" is already defined", name));
  }
  const function_settings* const settings = intern(options);
  grow_table();
  function_record* const record = new_record(name);
  record->ops = &ops;
  record->prototype = prototype;
  record->settings = settings;
  if (totals != nullptr)
    record->attention.store(attention_bits::policed, std::memory_order_relaxed);  // relaxed: unknown yet
  record->totals = totals.release();
  insert(*tables_.back(), hash, record->index);
  size_.fetch_add(1, std::memory_order_release);
  defined_.fetch_add(1, std::memory_order_relaxed);  // relaxed: for statistics
  return *record;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
