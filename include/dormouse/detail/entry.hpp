// SPDX-License-Identifier: MIT
#pragma once

// The few calls through which typed code of a user reaches the core: everything behind them is compiled once.

#include <dormouse/clock.hpp>
#include <dormouse/detail/handler_ops.hpp>
#include <dormouse/event.hpp>
#include <dormouse/failure.hpp>
#include <dormouse/functions/acceptance.hpp>
#include <dormouse/functions/reply_receiver.hpp>
#include <dormouse/functions/report.hpp>
#include <dormouse/result.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class core;
class event_item;
class host_driver;
class item_pointer;
class recycler;
class work_item;
struct function_probe;
struct function_record;

// A function as a handle knows it. Valid while the runtime is.
struct function_reference {
  core* owner = nullptr;
  function_record* record = nullptr;
  std::uint32_t generation = 0;
};

// Runs it here; the outcome is in call.out. `deadline` null: none but those inherited.
void call_here(const function_reference& target, call_arguments& call, const clock::time_point* deadline);
// What items for that function are made in.
[[nodiscard]] recycler& memory_of_items(const function_reference& target) noexcept;
// Hands the item over; null counts as out of memory. A posted one is not the caller's any more, of another the caller
// keeps an owner. On failure it stays the caller's.
result<acceptance> hand_over(const function_reference& target, item_pointer& item, const clock::time_point* deadline,
                             bool posted);
// An event to be handed over, null when there is no memory. `until_over`: see event_item.
[[nodiscard]] event_item* make_event_item(const function_reference& target, event&& message,
                                          std::shared_ptr<void> until_over = nullptr) noexcept;
// Hands an event over for one attempt, whose end `tells` is told: see trigger_port::submit(). `submitter` is who asks.
result<void> submit_reported(const function_reference& target, event&& message, std::shared_ptr<reply_receiver> tells,
                             const void* submitter);
// Blocks until the item has ended; inside a handler, an item that nobody has started is run here first.
void wait_ended(work_item& item);
bool wait_ended_until(work_item& item, clock::time_point limit);
[[nodiscard]] bool has_ended(const work_item& item) noexcept;
[[nodiscard]] function_stats stats_of(const function_reference& target);
[[nodiscard]] std::string_view name_of(const function_reference& target) noexcept;

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
