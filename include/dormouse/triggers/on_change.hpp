// SPDX-License-Identifier: MIT
#pragma once

// Changes of a table's items become events of a function.
//
//   runtime.attach(dormouse::on_change(*orders, {.reader = "audit"}), audit).value();  // may refuse: a result
//
// An event is of type "dormouse.table.insert", ".modify", ".remove" or ".expire"; `subject` is the key in printable
// form, partition/sort with %XX for other bytes; extension: sequence; `data` is the whole change in a form of its own.
// A handler that takes `const table_change&` gets it as a value; one that takes `const event&` may decode it by
// codec<table_change>. The table must keep a log (table_schema::change_view), and the change has what the log tells.
// An item that expires is logged as it is taken away, which the trigger sees to: in time by the runtime's clock, or
// with the next change when the calendar was put forward.
// See change_log.hpp for guarantees, readers, gaps, threads and owning.

#include <dormouse/codec.hpp>
#include <dormouse/runtime/trigger.hpp>
#include <dormouse/services/table.hpp>
#include <dormouse/triggers/change_log.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// on_change() throws std::invalid_argument, naming the field and its bounds, for a value outside them.
struct on_change_options {
  // Behaviour -------------------------------------------------------------
  // The name under which the table remembers how far the trigger has come, 1 .. 64 of [A-Za-z0-9_-]; empty: none.
  std::string reader{};
  log_start from = log_start::now;
  // Only changes of these kinds; empty: of all.
  std::vector<table_change_kind> kinds{};
  // Only keys whose partition begins so; at most 2,048 bytes.
  std::string partition_prefix{};
  // Only changes whose item it holds of: the current one or, when there is none (any more), the former. A change that
  // the log tells neither item of is given.
  condition filter{};
  // `source` of the events; not empty.
  std::string source = "dormouse/on_change";
  // Called on a library thread after changes were lost; may block. What it throws counts with the gap.
  std::function<void(const change_gap&)> on_gap{};

  // Bounds ----------------------------------------------------------------
  // Changes that are read and whose events are not over, 1 .. 100,000.
  std::size_t in_flight_max = 1'000;
  // How long to wait before offering an event again that the function's queue refused, unless another one ends before;
  // and before reading again what could not be read; 1 ms .. 1 h.
  std::chrono::milliseconds retry_after{50};
  // With a reader: for how long a position may be behind before it is written, 0 .. 1 h; it is written sooner after
  // many events. A crash gives again what was over within that time, and what was not.
  std::chrono::milliseconds remember_after{1'000};
};

// attach() fails: unsupported when the table keeps no log; invalid_argument when the reader's position is behind the
// end of the log (another table?); and as table::last_change(), position() and remember().
[[nodiscard]] std::unique_ptr<trigger> on_change(table& source, on_change_options options = {});

template <>
struct codec<table_change> {
  static constexpr std::string_view content_type = "application/vnd.dormouse.table-change";
  // Of an event of on_change, or other data that encode() made; the item is exactly the same. Fails: invalid_argument
  // (payload_type).
  static result<table_change> decode(const event& message);
  static result<payload> encode(const table_change& change);
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/triggers/on_change.ipp>
#endif
