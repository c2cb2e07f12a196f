// SPDX-License-Identifier: MIT
#pragma once

// Binds a schedule to a function.
//
//   runtime.attach(dormouse::on_schedule("30 8 * * Mon-Fri"), report).value();
//
// An event is of type "dormouse.schedule"; `time` is the nominal time, which may be before the moment at which the
// handler runs; extensions: schedule (the text) and pastdue ("true", "false"). A handler that takes
// `const schedule_event&` gets them as values.
//
// Each nominal time is given at most once, whatever the calendar clock does. Put forward, it makes runs that are
// missed; put back, it repeats none, but those that were skipped and not made up for run when it shows their time. A
// period (@every, rate) is counted on the steady clock from attach on, and such jumps do not move it.
// Missed is a run that comes more than `missed_after` late, or so late that a later one is due as well: the machine was
// busy or slept, the clock was put forward, or the process was not there (resume_after). A run that the function
// refuses (a full queue) is offered again every second.
// A schedule without a next time has ended, and keeps neither thread nor descriptor; no clock revives it.
// Threads:  at rest one sleeping thread (none under run() or when the host drives). On Linux, with the system's clock,
//           a schedule that is not a period has one descriptor, which tells of changes of the calendar clock; elsewhere
//           the clock is looked at every 30 s.
// Blocking: attach does not.

#include <dormouse/codec.hpp>
#include <dormouse/runtime/trigger.hpp>
#include <dormouse/triggers/schedule.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// What is made of runs that were missed.
enum class missed_runs : std::uint8_t {
  skip = 1,  // nothing; the latest of several is run when it is not late itself
  once,      // the latest of them is run
  all,       // each is run, the earliest first; of more than catch_up_max the latest
};

// What is made of a run that is due while an earlier one has not ended: succeeded, become a dead letter, or delivered.
enum class overlapping_runs : std::uint8_t {
  allow = 1,  // both run
  skip,       // it is not run
  queue,      // it waits for the end of the earlier one
};

// on_schedule() throws std::invalid_argument, naming the field and its bounds, for a value outside them.
struct on_schedule_options {
  // Behaviour -------------------------------------------------------------
  // Where the schedule's times are local; null: UTC. A schedule that names a zone (TZ=) needs that one here.
  std::shared_ptr<const time_zone> zone{};
  missed_runs missed = missed_runs::once;
  overlapping_runs overlap = overlapping_runs::skip;
  // The nominal time of the last run that is known to have been made, by an earlier process perhaps: later ones that
  // have passed were missed (a hundred years of them at most). Empty: it begins at attach.
  std::optional<schedule::time_point> resume_after{};
  // How late a run may be before it counts as missed, 1 ms .. 24 h.
  std::chrono::nanoseconds missed_after{std::chrono::seconds{10}};

  // Bounds ----------------------------------------------------------------
  // Of missed_runs::all, 1 .. 10,000.
  std::size_t catch_up_max = 100;
  // Runs that wait: for an earlier one, or for room in the function's queue, 1 .. 10,000. Beyond, the earliest of them
  // is not run.
  std::size_t waiting_max = 100;
};

// A run as a handler gets it.
struct schedule_event {
  schedule::time_point nominal{};
  bool past_due = false;  // more than missed_after late
  std::string text{};     // of the schedule
};

// Throws std::invalid_argument for text that is no schedule (with column, reason and mend), options outside their
// bounds, and a zone that is named but not given.
[[nodiscard]] std::unique_ptr<trigger> on_schedule(std::string_view text, on_schedule_options options = {});
[[nodiscard]] std::unique_ptr<trigger> on_schedule(schedule when, on_schedule_options options = {});

template <>
struct codec<schedule_event> {
  // Fails: invalid_argument (payload_type) for an event that on_schedule did not make.
  static result<schedule_event> decode(const event& message);
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/triggers/on_schedule.ipp>
#endif
