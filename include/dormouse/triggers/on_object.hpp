// SPDX-License-Identifier: MIT
#pragma once

// Objects that are put into a store, or erased, become events of a function.
//
//   runtime.attach(dormouse::on_object_created(*photos, {.prefix = "in/"}), thumbnail).value();
//
// An event is of type "dormouse.object.created" or "dormouse.object.deleted"; `subject` is the key (control characters
// as %XX), `data` the key as it is; extensions: sequence, size, etag, modified (ns since 1970), contenttype and
// metadata (name=value, joined by &, with %XX) where there are any. A handler that takes `const object_created&` or
// `const object_deleted&` gets them as values. The bytes are not in the event: by the time the handler reads the
// object, it may have been put again or erased. An object that is put again is created again.
// A function that puts objects into the store it is triggered by needs a prefix or suffix that its own do not have.
// See change_log.hpp for guarantees, readers, gaps, threads and owning.

#include <dormouse/codec.hpp>
#include <dormouse/runtime/trigger.hpp>
#include <dormouse/services/object_store.hpp>
#include <dormouse/triggers/change_log.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// on_object_created() and on_object_deleted() throw std::invalid_argument, naming the field and its bounds, for a value
// outside them.
struct on_object_options {
  // Behaviour -------------------------------------------------------------
  // Only keys that begin so, and end so; at most 1,024 bytes each.
  std::string prefix{};
  std::string suffix{};
  // The name under which the store remembers how far the trigger has come, 1 .. 64 of [A-Za-z0-9_-]; empty: none.
  std::string reader{};
  log_start from = log_start::now;
  // `source` of the events; not empty.
  std::string source = "dormouse/on_object";
  // Called on a library thread after changes were lost; may block. What it throws counts with the gap.
  std::function<void(const change_gap&)> on_gap{};

  // Bounds ----------------------------------------------------------------
  // As in on_change_options.
  std::size_t in_flight_max = 1'000;
  std::chrono::milliseconds retry_after{50};
  std::chrono::milliseconds remember_after{1'000};
};

// The object as it was put; `sequence` is that of the change.
struct object_created : object_info {
  std::uint64_t sequence = 0;
};
// The object that was erased.
struct object_deleted : object_info {
  std::uint64_t sequence = 0;
};

// attach() fails: unsupported when the store keeps no log; invalid_argument when the reader's position is behind the
// end of the log (another store?); and as object_store::last_change(), position() and remember().
[[nodiscard]] std::unique_ptr<trigger> on_object_created(object_store& source, on_object_options options = {});
[[nodiscard]] std::unique_ptr<trigger> on_object_deleted(object_store& source, on_object_options options = {});

// Fail: invalid_argument (payload_type) for an event that its trigger did not make.
template <>
struct codec<object_created> {
  static result<object_created> decode(const event& message);
};
template <>
struct codec<object_deleted> {
  static result<object_deleted> decode(const event& message);
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/triggers/on_object.ipp>
#endif
