// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/invocation.hpp>
#include <dormouse/detail/waiting.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#if defined(__GLIBCXX__)
#include <cxxabi.h>
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// ---- where an invocation stands in the chain of calls ---------------------------------------------------------------

DORMOUSE_ALWAYS_INLINE void invocation::begin(context& ctx, core& owner, function_record& record,
                                              work_item* item) noexcept {
  ctx.core_ = &owner;
  ctx.record_ = &record;
  ctx.parent_ = this_thread_invocation;
  const auto above = static_cast<std::uint16_t>(ctx.parent_ != nullptr ? ctx.parent_->depth_ : 0);
  ctx.depth_ = static_cast<std::uint16_t>(std::max(above, item != nullptr ? item->origin.depth : std::uint16_t{0}) + 1);
  if (item == nullptr) return;
  ctx.id_ = item->id;
  ctx.event_ = item->message();
  ctx.item_ = item;
  ctx.attempt_ = item->attempt;
}

DORMOUSE_INLINE bool invocation::inside(const core& owner) noexcept {
  for (const context* each = this_thread_invocation; each != nullptr; each = each->parent_) {
    if (each->core_ == &owner) return true;
  }
  return false;
}

DORMOUSE_INLINE bool invocation::runs_here(const function_record& record) noexcept {
  for (const context* each = this_thread_invocation; each != nullptr; each = each->parent_) {
    if (each->record_ == &record) return true;
  }
  return false;
}

DORMOUSE_INLINE bool invocation::in_chain(const context& ctx, const function_record& record) noexcept {
  for (const context* each = ctx.parent_; each != nullptr; each = each->parent_) {
    if (each->record_ == &record) return true;
  }
  return false;
}

DORMOUSE_INLINE lineage invocation::chain_of(const context& ctx) {
  lineage chain;
  for (const context* each = &ctx; each != nullptr; each = each->parent_) {
    chain.functions.insert(chain.functions.begin(), each->record_);
    if (each->item_ == nullptr || each->parent_ != nullptr) continue;
    const auto& before = each->item_->origin.functions;
    chain.functions.insert(chain.functions.begin(), before.begin(), before.end());
  }
  chain.depth = ctx.depth_;
  return chain;
}

// The deadline of the caller on this thread, in this runtime's ticks.
DORMOUSE_INLINE std::uint64_t invocation::inherited_deadline(const context& ctx) noexcept {
  const context* const parent = ctx.parent_;
  if (parent == nullptr) return never_ticks;
  if (&parent->core_->time == &ctx.core_->time) return parent->deadline_;
  return ctx.core_->time.ticks() + ctx.core_->time.to_ticks(parent->remaining());
}

DORMOUSE_INLINE void invocation::inherit(core& owner, work_item& item, bool deadline_too) {
  const context* const caller = this_thread_invocation;
  if (caller == nullptr) return;
  item.origin = chain_of(*caller);
  if (!deadline_too) return;
  context ctx;
  ctx.core_ = &owner;
  ctx.parent_ = caller;
  item.deadline = std::min(item.deadline, inherited_deadline(ctx));
}

// ---- running --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE void invocation::report(const context& ctx, const timing& times, const ending& end) noexcept {
  const clock& time = ctx.core_->time;
  invocation_report what;
  what.function = ctx.record_->name();
  what.invocation = ctx.invocation();
  what.queued = time.between(0, times.queued);
  what.init = time.between(0, times.init);
  what.run = time.between(0, end.run_ticks);
  what.total = time.between(0, end.total_ticks);
  what.cold = ctx.cold_;
  what.attempt = ctx.attempt_;
  what.outcome = end.outcome;
  ctx.core_->report(what);
}

// No instance was to be had, or none was asked for: the handler was not entered.
DORMOUSE_INLINE void invocation::refuse(const context& ctx, call_arguments& call, failure&& why, const timing& times) {
  const errc code = why.code;
  call.refuse(call.out, std::move(why));
  if (!ctx.core_->options.observer) return;
  const std::uint64_t now = ctx.core_->time.ticks();
  report(ctx, times, {.outcome = code, .total_ticks = now > times.arrived ? now - times.arrived : 0});
}

// With the chain of calls as text, unless memory is short.
DORMOUSE_INLINE failure recursion_failure(failure_reason reason, std::string_view what, const context& ctx) noexcept {
  failure why{.code = errc::recursion_limit, .effect = effect_kind::not_applied, .reason = reason};
  try {
    why.detail = fmt::format("{}: {}", what, ctx.lineage());
  } catch (...) {
    why.detail.clear();
  }
  return why;
}

// What the handler threw, as its failure. Never throws, so that no failing handler costs more than its invocation.
DORMOUSE_INLINE failure describe_thrown() noexcept {
  constexpr auto code = errc::function_failed;
  constexpr auto effect = effect_kind::unknown;
  constexpr auto reason = failure_reason::handler_threw;
  failure why;
  try {
    throw;
  } catch (const std::bad_alloc&) {
    why = make_failure(code, effect, reason, "std::bad_alloc");
    why.cause = errc::out_of_memory;
    return why;
  } catch (const std::exception& thrown) {
    why = make_failure(code, effect, reason, text_of(thrown));
  } catch (...) {
    why = make_failure(code, effect, reason, "the handler threw something that is not a std::exception");
  }
  why.cause = errc::internal;
  return why;
}

DORMOUSE_ALWAYS_INLINE call_end invocation::call_handler(context& ctx, lease& with, call_arguments& call) {
  const context* const outer = this_thread_invocation;
  this_thread_invocation = &ctx;
  call_end end = call_end::failed;
  try {
    end = call.by_event ? with.ops->call_event(with.object, ctx, call) : with.ops->call(with.object, ctx, call);
#if defined(__GLIBCXX__)
  } catch (abi::__forced_unwind&) {  // the host cancels this thread: not ours to stop
    this_thread_invocation = outer;
    with.keep = false;
    ctx.core_->instances.release(with);
    throw;
#endif
  } catch (...) {
    call.refuse(call.out, describe_thrown());
  }
  this_thread_invocation = outer;
  return end;
}

// The handler returned after its deadline: its value is dropped and its instance with it.
DORMOUSE_INLINE void invocation::overran(context& ctx, lease& with, call_arguments& call) {
  with.count(with.timeouts);
  with.keep = false;
  call.refuse(call.out,
              make_failure(errc::deadline_exceeded, effect_kind::unknown,
                           ctx.deadline_is_callers_ ? failure_reason::caller_deadline : failure_reason::timeout,
                           "the handler returned after its deadline; its value is dropped"));
}

// Runs the handler in a leased instance; giving the lease back, and then the report, are the caller's.
DORMOUSE_ALWAYS_INLINE invocation::ending invocation::run(context& ctx, lease& with, call_arguments& call,
                                                          std::uint64_t deadline, std::uint64_t begun,
                                                          const timing& times) {
  const clock& time = ctx.core_->time;
  ctx.started_ = begun;
  with.began.store(begun, std::memory_order_relaxed);  // relaxed: for who looks at stuck handlers
  ctx.deadline_ = begun + with.timeout_ticks;
  if (deadline < ctx.deadline_) {
    ctx.deadline_ = deadline;
    ctx.deadline_is_callers_ = true;
    if (deadline <= begun) [[unlikely]] {
      with.count(with.refusals);
      return too_late(call, begun, times);
    }
  }
  const call_end end = call_handler(ctx, with, call);
  const std::uint64_t ended = time.ticks();
  // Ticks that went backwards (the machine slept) count as no time.
  const std::uint64_t run_ticks = ended > begun ? ended - begun : 0;
  with.last_used.store(ended, std::memory_order_relaxed);  // relaxed: published by the release of the lease
  ending outcome{.run_ticks = run_ticks, .total_ticks = run_ticks};
  if (times.arrived != 0 && ended > times.arrived) outcome.total_ticks = ended - times.arrived;
  if (end == call_end::refused) [[unlikely]] {
    with.count(with.refusals);
    outcome.outcome = errc::invalid_argument;
    return outcome;
  }
  with.count(with.invocations);
  with.run.add(time.between(0, run_ticks));
  if (ended > ctx.deadline_ && run_ticks != 0) [[unlikely]] {
    overran(ctx, with, call);
    outcome.outcome = errc::deadline_exceeded;
  } else if (end == call_end::failed) {
    with.count(with.function_failures);
    outcome.outcome = errc::function_failed;
  }
  return outcome;
}

DORMOUSE_INLINE invocation::ending invocation::too_late(call_arguments& call, std::uint64_t now, const timing& times) {
  call.refuse(call.out, make_failure(errc::deadline_exceeded, effect_kind::not_applied, failure_reason::caller_deadline,
                                     "the deadline had passed before the handler was entered"));
  return {.outcome = errc::deadline_exceeded,
          .total_ticks = times.arrived != 0 && now > times.arrived ? now - times.arrived : 0};
}

// ---- getting an instance --------------------------------------------------------------------------------------------

DORMOUSE_INLINE bool invocation::make_lease(context& ctx, const grant& allowed, lease*& got, call_arguments& call,
                                            timing& times) {
  core& owner = *ctx.core_;
  auto& record = const_cast<function_record&>(*ctx.record_);
  const context* const outer = this_thread_invocation;
  this_thread_invocation = &ctx;  // what the constructor calls has this invocation as its caller
  auto made = owner.instances.make(record, allowed);
  this_thread_invocation = outer;
  if (!made) {
    refuse(ctx, call, std::move(made).error(), times);
    return false;
  }
  got = made->made;
  times.init = made->init_ticks;
  ctx.cold_ = made->cold;
  return true;
}

// Off the warm path: an instance of another thread, a new one, or one that comes free.
DORMOUSE_INLINE bool invocation::lease_for_caller(context& ctx, lease*& got, std::uint32_t generation,
                                                  call_arguments& call, std::uint64_t deadline, timing& times) {
  core& owner = *ctx.core_;
  auto& record = const_cast<function_record&>(*ctx.record_);
  const std::uint64_t now = owner.time.ticks();
  if (times.arrived == 0) times.arrived = now;
  ctx.started_ = now;
  ctx.deadline_ = std::min(deadline, now + record.settings->timeout_ticks);
  const lease_request request{
      .generation = generation, .deadline = ctx.deadline_, .inside = inside(owner), .in_chain = in_chain(ctx, record)};
  auto granted = owner.instances.acquire(record, request);
  if (!granted) {
    if (granted.error().reason == failure_reason::chain) {
      granted = recursion_failure(failure_reason::chain, "no free instance for a function already in the chain", ctx);
    }
    refuse(ctx, call, std::move(granted).error(), times);
    return false;
  }
  got = granted->taken;
  return got != nullptr || make_lease(ctx, *granted, got, call, times);
}

DORMOUSE_ALWAYS_INLINE void invocation::run_here(context& ctx, std::uint32_t generation, call_arguments& call,
                                                 std::uint64_t deadline, timing& times) {
  core& owner = *ctx.core_;
  auto& record = const_cast<function_record&>(*ctx.record_);
  if (owner.in_child()) [[unlikely]]
    return call.refuse(call.out, core::forked_child());
  if (ctx.parent_ != nullptr) {
    deadline = std::min(deadline, inherited_deadline(ctx));
    if (ctx.depth_ > owner.options.depth_max) [[unlikely]] {
      times.arrived = owner.time.ticks();
      return refuse(ctx, call,
                    recursion_failure(failure_reason::depth, "the chain of calls is deeper than depth_max", ctx),
                    times);
    }
  }
  lease* with = take_own(this_thread_leases.slot_of(record), record);
  if (with == nullptr || with->generation != generation) [[unlikely]] {
    if (with != nullptr) owner.instances.give_back(*with);
    if (!lease_for_caller(ctx, with, generation, call, deadline, times)) return;
  }
  const ending end = run(ctx, *with, call, deadline, owner.time.ticks(), times);
  owner.instances.release(*with);
  if (ctx.cold_) [[unlikely]]
    owner.instances.arm_reaper(record);
  if (owner.options.observer) [[unlikely]]
    report(ctx, times, end);
}

DORMOUSE_INLINE void invocation::invoke(core& owner, function_record& record, std::uint32_t generation,
                                        call_arguments& call, std::uint64_t deadline) {
  {
    context ctx;
    begin(ctx, owner, record, nullptr);
    if (call.by_event) ctx.event_ = static_cast<const event*>(call.argument);
    timing times;
    run_here(ctx, generation, call, deadline, times);
  }
  // Closed meanwhile: if this was the last handler, nothing of the runtime is left after the next line.
  if (record.attention.load(std::memory_order_relaxed) != 0) [[unlikely]]
    owner.settle();
}

DORMOUSE_INLINE void invocation::run_for_waiter(core& owner, work_item& item) {
  context ctx;
  begin(ctx, owner, *item.record, &item);
  call_arguments call = item.arguments();
  timing times;
  times.arrived = item.queued_at;
  times.queued = item.started_at > item.queued_at ? item.started_at - item.queued_at : 0;
  run_here(ctx, item.generation, call, item.deadline, times);
}

DORMOUSE_INLINE lease* invocation::run_item(core& owner, work_item& item, bool keep_lease) {
  function_record& record = *item.record;
  context ctx;
  begin(ctx, owner, record, &item);
  call_arguments call = item.arguments();
  timing times;
  times.arrived = item.queued_at;
  times.queued = item.started_at > item.queued_at ? item.started_at - item.queued_at : 0;
  lease* with = item.with.taken;
  if (with == nullptr && !make_lease(ctx, item.with, with, call, times)) {
    item.failed = true;
    return nullptr;
  }
  with->running.store(item.id, std::memory_order_relaxed);  // relaxed: shown by close(), orders nothing
  const ending end = run(ctx, *with, call, item.deadline, owner.time.ticks(), times);
  item.failed = end.outcome.has_value();
  item.run_ticks = end.run_ticks;
  with->running.store(0, std::memory_order_relaxed);
  keep_lease = keep_lease && with->keep && !ctx.cold_ && !owner.options.observer;
  if (!keep_lease) owner.instances.release(*with);
  if (ctx.cold_) owner.instances.arm_reaper(record);
  if (owner.options.observer) report(ctx, times, end);  // without the lease: the observer may call the function
  return keep_lease ? with : nullptr;
}

DORMOUSE_INLINE std::uint64_t invocation::run_next(core& owner, work_item& item, lease& with, std::uint64_t now) {
  context ctx;
  begin(ctx, owner, *item.record, &item);
  call_arguments call = item.arguments();
  item.started_at = now;
  with.running.store(item.id, std::memory_order_relaxed);  // relaxed: as in run_item()
  const ending end = run(ctx, with, call, item.deadline, now, {});
  with.running.store(0, std::memory_order_relaxed);
  item.failed = end.outcome.has_value();
  item.run_ticks = end.run_ticks;
  return now + end.run_ticks;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
