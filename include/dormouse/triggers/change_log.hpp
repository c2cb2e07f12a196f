// SPDX-License-Identifier: MIT
#pragma once

// What on_change and on_object have in common: they read a service's log of changes (table::changes(),
// object_store::changes()) and make an event of each.
//
// Guarantee: every change that is wanted becomes an event that the function has accepted, at least once, in the order
//           of the log; the next change of a key not before the event of the former one is over: succeeded, delivered,
//           cancelled or a dead letter. Different keys run beside each other. A dead letter that is redriven later has
//           no order any more. A queue that is full delays events and loses none; when the function is gone or the
//           runtime closes, nobody is left to give them to.
// Readers:  without a name, a trigger begins anew at each attach. With one it goes on, at another attach or in another
//           process, behind the last change up to which all events are over; some that were over are given again. One
//           trigger at a time may have a name.
// Gaps:     a log is bounded. When changes that were not read are kept no more, reading goes on with the oldest that
//           are, the gap counts in runtime_stats::observer_failures, and on_gap is called.
// Failures: when the log cannot be read or a position not be remembered, that is tried again after retry_after and
//           counts in observer_failures. An event larger than the function's queue_bytes_max never fits: it holds up
//           all changes behind it, and each offer counts in function_stats::refusals.
// Threads:  told by the service, never polling; what is read is read on a library thread. At rest no thread, or one
//           that sleeps until the next item expires. When no thread can be had, the next change tries again.
// Owning:   the service must outlive the runtime, or the trigger be detached before it ends.
// Memory:   in_flight_max events at most.

#include <dormouse/detail/config.hpp>

#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// Where a trigger begins that has no name, or one that no position is remembered for.
enum class log_start : std::uint8_t {
  now = 1,  // with the first change after attach() was called
  oldest,   // with the oldest that is kept
};

// Changes behind `after`, up to and with `resumed_after`, are kept no more and make no events.
struct change_gap {
  std::uint64_t after = 0;
  std::uint64_t resumed_after = 0;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
