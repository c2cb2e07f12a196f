// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/bindings.hpp>
#include <dormouse/detail/core.hpp>
#include <dormouse/detail/platform/signals.hpp>
#include <dormouse/detail/waiting.hpp>
#include <dormouse/functions/context.hpp>
#include <dormouse/runtime.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

DORMOUSE_INLINE failure unknown_function(std::string_view name) noexcept {
  failure why{.code = errc::not_found, .effect = effect_kind::not_applied, .reason = failure_reason::undefined};
  try {
    why.detail = printable(name, 80);
  } catch (...) {
    why.detail.clear();
  }
  return why;
}

DORMOUSE_INLINE failure undefined_function(const function_record& record) noexcept {
  return make_failure(errc::not_found, effect_kind::not_applied, failure_reason::undefined, record.name());
}

DORMOUSE_INLINE result<reply> call_by_name(const function_reference& target, const event& message,
                                           const clock::time_point* deadline) {
  std::optional<result<reply>> out;
  call_arguments call{.argument = const_cast<event*>(&message),
                      .out = &out,
                      .refuse = &put_refusal<reply>,
                      .by_event = true,
                      .movable = false};
  call_here(target, call, deadline);
  return std::move(*out);
}

// On a worker, so that this thread is free at the deadline.
DORMOUSE_INLINE result<reply> call_on_worker(const function_reference& target, const event& message,
                                             const std::optional<clock::time_point>& wanted) {
  if (target.owner->driver != nullptr) {
    return make_failure(errc::unsupported, effect_kind::not_applied, failure_reason::no_threads,
                        "release_at_deadline needs a worker, and this runtime is driven by its host");
  }
  const clock& time = target.owner->time;
  auto limit = time.now() + std::chrono::ceil<clock::time_point::duration>(target.record->settings->options.timeout);
  const bool callers = wanted && *wanted < limit;
  if (callers) limit = *wanted;
  auto* const item = make_event_item(target, event(message));
  item_pointer keeper(item);
  if (auto handed = hand_over(target, keeper, &limit, false); !handed) return std::move(handed).error();
  if (wait_ended_until(*item, limit)) return std::move(*item->out);
  return make_failure(errc::deadline_exceeded, effect_kind::unknown,
                      callers ? failure_reason::caller_deadline : failure_reason::timeout,
                      "the deadline passed; the handler may still run on its worker");
}

}  // namespace detail

DORMOUSE_INLINE runtime::runtime(runtime_options options)
    : core_(new detail::core(std::move(options))),  // apart from its count: threads that drive keep weak references
      bindings_(std::make_shared<bindings>()) {
  core_->start();
}

// Objects of a fork's parent: nothing may be done to them, not even their end. They stay reachable, for leak checkers.
DORMOUSE_INLINE void keep_for_ever(std::shared_ptr<void> object) {
  static auto* const kept = new std::vector<std::shared_ptr<void>>;
  kept->push_back(std::move(object));
}

DORMOUSE_INLINE runtime::~runtime() {
  if (!core_->in_child()) {
    close(std::chrono::nanoseconds{0});
    return;
  }
  keep_for_ever(std::move(core_));
  keep_for_ever(std::move(bindings_));
}

DORMOUSE_INLINE detail::function_reference runtime::define_erased(std::string_view name, const detail::handler_ops& ops,
                                                                  void* prototype, const function_options& options) {
  try {
    if (core_->in_child()) {
      throw std::runtime_error("dormouse: define in a fork of the process whose runtime it is; make one of its own");
    }
    detail::wiring::check_reserved(core_->instances.reserved, options.instances_reserved, core_->options.instances_max);
    detail::function_record& record = core_->functions.add(name, ops, prototype, options);
    core_->instances.reserved.fetch_add(options.instances_reserved);
    core_->instances.provision_soon(record);
    return {core_.get(), &record, record.generation};
  } catch (...) {
    ops.drop_prototype(prototype);
    throw;
  }
}

DORMOUSE_INLINE result<void> runtime::replace_erased(const function_handle& which, const detail::handler_ops& ops,
                                                     void* prototype) {
  detail::function_record& record = *which.target_.record;
  try {
    if (core_->in_child()) {
      ops.drop_prototype(prototype);
      return detail::core::forked_child();
    }
    detail::wiring::check_fit(record.settings->options, ops);
    if (core_->instances.replace(record, which.target_.generation, ops, prototype)) return {};
  } catch (...) {
    ops.drop_prototype(prototype);
    throw;
  }
  ops.drop_prototype(prototype);
  return detail::undefined_function(record);
}

DORMOUSE_INLINE result<std::size_t> runtime::undefine(const function_handle& which, std::chrono::nanoseconds wait_for) {
  if (core_->in_child()) return detail::core::forked_child();
  return core_->undefine(*which.target_.record, which.target_.generation, wait_for);
}

DORMOUSE_INLINE result<void> runtime::pause(const function_handle& which) {
  if (core_->in_child()) return detail::core::forked_child();
  detail::function_record& record = *which.target_.record;
  if (!record.is_still(which.target_.generation)) return detail::undefined_function(record);
  core_->instances.pause(record);
  return {};
}

DORMOUSE_INLINE result<void> runtime::resume(const function_handle& which) {
  if (core_->in_child()) return detail::core::forked_child();
  detail::function_record& record = *which.target_.record;
  if (!record.is_still(which.target_.generation)) return detail::undefined_function(record);
  core_->instances.resume(record);
  return {};
}

DORMOUSE_INLINE detail::function_reference runtime::find(std::string_view name) const noexcept {
  detail::function_record* const record = core_->functions.find(name);
  if (record == nullptr) return {};
  return {core_.get(), record, record->generation};
}

DORMOUSE_INLINE result<reply> runtime::invoke(std::string_view name, const event& message,
                                              const invoke_options& options) {
  const auto target = find(name);
  if (target.record == nullptr) return detail::unknown_function(name);
  if (options.release_at_deadline) return detail::call_on_worker(target, message, options.deadline);
  return detail::call_by_name(target, message, options.deadline ? &*options.deadline : nullptr);
}

DORMOUSE_INLINE result<reply> runtime::invoke(std::string_view name, const event& message) {
  const auto target = find(name);
  if (target.record == nullptr) return detail::unknown_function(name);
  return detail::call_by_name(target, message, nullptr);
}

DORMOUSE_INLINE result<pending<reply>> runtime::submit(std::string_view name, event message) {
  const auto target = find(name);
  if (target.record == nullptr) return detail::unknown_function(name);
  return detail::submit_item<reply>(target, detail::make_event_item(target, std::move(message)));
}

DORMOUSE_INLINE result<acceptance> runtime::post(std::string_view name, event message) {
  const auto target = find(name);
  if (target.record == nullptr) return detail::unknown_function(name);
  return detail::post_item(target, detail::make_event_item(target, std::move(message)));
}

DORMOUSE_INLINE result<invocation_state> runtime::cancel(const invocation_id& id) {
  if (core_->in_child()) return detail::core::forked_child();
  if (id.function >= core_->functions.size()) {
    return detail::make_failure(errc::not_found, effect_kind::not_applied, failure_reason::none, "no such event");
  }
  return core_->ends.cancel(core_->functions.at(id.function), id.number);
}

DORMOUSE_INLINE std::optional<invocation_status> runtime::status(const invocation_id& id) const {
  if (core_->in_child()) return std::nullopt;
  return core_->ends.status.get(id.number);
}

DORMOUSE_INLINE std::vector<dead_letter> runtime::dead_letters(const dead_letter_filter& which) const {
  if (core_->in_child()) return {};
  return core_->ends.letters(which);
}

DORMOUSE_INLINE std::size_t runtime::redrive(const dead_letter_filter& which, const redrive_options& options) {
  if (options.per_second_max && (*options.per_second_max < 1 || *options.per_second_max > 1'000'000)) {
    throw std::invalid_argument("dormouse: redrive_options::per_second_max must be 1 .. 1,000,000");
  }
  return core_->in_child() ? 0 : core_->ends.redrive(which, options);
}

DORMOUSE_INLINE std::size_t runtime::discard_dead_letters(const dead_letter_filter& which) {
  return core_->in_child() ? 0 : core_->ends.discard(which);
}

DORMOUSE_INLINE result<reply> context::invoke(std::string_view name, const event& message) {
  detail::function_record* const record = core_->functions.find(name);
  if (record == nullptr) return detail::unknown_function(name);
  return detail::call_by_name({core_, record, record->generation}, message, nullptr);
}

DORMOUSE_INLINE result<acceptance> context::post(std::string_view name, event message) {
  detail::function_record* const record = core_->functions.find(name);
  if (record == nullptr) return detail::unknown_function(name);
  const detail::function_reference target{core_, record, record->generation};
  return detail::post_item(target, detail::make_event_item(target, std::move(message)));
}

DORMOUSE_INLINE result<binding> runtime::attach(std::unique_ptr<trigger> source, const function_handle& target) {
  if (core_->in_child()) return detail::core::forked_child();
  return bindings_->add(target.target_, std::move(source));
}

DORMOUSE_INLINE result<binding> runtime::attach(std::unique_ptr<trigger> source, std::string_view name) {
  const auto target = find(name);
  if (target.record == nullptr) return detail::unknown_function(name);
  if (core_->in_child()) return detail::core::forked_child();
  return bindings_->add(target, std::move(source));
}

DORMOUSE_INLINE bool runtime::detach(binding which) { return !core_->in_child() && bindings_->remove(which); }

DORMOUSE_INLINE result<std::vector<unfinished>> runtime::run(const run_options& options) {
  if (options.drain_for < std::chrono::nanoseconds{0} || options.drain_for > std::chrono::hours{24}) {
    throw std::invalid_argument("dormouse: run_options::drain_for must be 0 .. 24 h");
  }
  if (core_->in_child()) return detail::core::forked_child();
  if (core_->driver != nullptr) return run_driven(options);
  const auto kept = core_;
  // Until everything is drained: a second signal then changes nothing, instead of meeting the host's old disposition.
  const detail::signal_scope signals(
      options.stop_on, [](void* self) { static_cast<runtime*>(self)->stop_from_signal(); }, this);
  if (auto lent = kept->timers.lend(kept->stop_asked); !lent) return std::move(lent).error();
  auto left = close(options.drain_for);
  // relaxed: whoever asked for this stop has been heard; the next run() waits for the next one.
  kept->stop_asked.store(false, std::memory_order_relaxed);
  return left;
}

// The same, when no thread is the runtime's own.
DORMOUSE_INLINE result<std::vector<unfinished>> runtime::run_driven(const run_options& options) {
  const auto kept = core_;
  if (auto prepared = kept->timers.prepare(); !prepared) return std::move(prepared).error();
  const detail::signal_scope signals(
      options.stop_on, [](void* self) { static_cast<runtime*>(self)->stop_from_signal(); }, this);
  // acquire: what was done before stop() is seen by what follows.
  const auto stopped = [&kept] { return kept->stop_asked.load(std::memory_order_acquire); };
  if (!kept->driver->drive(stopped, clock::time_point::max())) {
    return detail::make_failure(errc::conflict, effect_kind::not_applied, failure_reason::none,
                                "another thread drives this runtime");
  }
  auto left = close(options.drain_for);
  kept->stop_asked.store(false, std::memory_order_relaxed);  // relaxed: as in run()
  return left;
}

DORMOUSE_INLINE detail::host_driver& runtime::driver() const {
  if (core_->driver != nullptr) return *core_->driver;
  throw std::invalid_argument("dormouse: this runtime has threads of its own; construct it with drive_mode::host");
}

DORMOUSE_INLINE std::size_t runtime::poll(std::chrono::nanoseconds budget) {
  return core_->in_child() ? 0 : driver().poll(budget);
}

DORMOUSE_INLINE std::optional<clock::time_point> runtime::next_deadline() const {
  if (core_->in_child()) return std::nullopt;
  return driver().next_deadline();
}

DORMOUSE_INLINE result<int> runtime::descriptor() {
  if (core_->in_child()) return detail::core::forked_child();
  return driver().descriptor();
}

DORMOUSE_INLINE void runtime::stop() noexcept { stop_from_signal(); }

DORMOUSE_INLINE void runtime::stop_from_signal() noexcept {
  if (core_->in_child()) return;  // the descriptor that it wakes is the parent's, too
  core_->stop_asked.store(true, std::memory_order_release);
  core_->timers.wake();
}

DORMOUSE_INLINE std::vector<unfinished> runtime::close(std::chrono::nanoseconds drain_for) {
  if (core_->in_child()) return {};
  bindings_->stop_all();
  return core_->close(drain_for);
}

DORMOUSE_INLINE void runtime::dump(std::FILE* out) const noexcept { core_->dump(out); }

DORMOUSE_INLINE runtime_stats runtime::stats() const { return core_->in_child() ? runtime_stats{} : core_->stats(); }

DORMOUSE_INLINE const clock& runtime::time() const noexcept { return core_->time; }

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
