// SPDX-License-Identifier: MIT
#pragma once

// A handler without its type: how to make the state of an instance, how to call it, how to drop it.
// One constant table a handler type; a registered function holds a pointer to it.

#include <dormouse/functions/reply.hpp>
#include <dormouse/result.hpp>

#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR {
class context;
}

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// One call on its way to a handler. `out` is a std::optional<result<R>>; `refuse` puts a failure there.
struct call_arguments {
  void* argument = nullptr;  // the parameter's decayed type, or const event when by_event
  void* out = nullptr;
  void (*refuse)(void* out, failure&& why) noexcept = nullptr;
  bool by_event = false;
  bool reply_wanted = true;  // false: nobody reads the bytes of the reply
  bool movable = false;      // the argument is this call's own and may be moved from
};

enum class call_end : std::uint8_t {
  value,
  failed,  // the handler ran and returned a failure
  refused  // the handler did not run: the event's data is not what it takes
};

enum class handler_state : std::uint8_t {
  none,         // nothing to construct: function pointer or captureless lambda
  single,       // a move-only callable: it is its own only instance
  per_instance  // constructed by a cold start, destroyed when idle
};

struct handler_ops {
  // Makes the state of an instance from the prototype; may throw. Only for handler_state::per_instance.
  void* (*construct)(const void* prototype) = nullptr;
  // May throw when the user's destructor does.
  void (*destroy)(void* object) = nullptr;
  void (*drop_prototype)(void* prototype) = nullptr;
  // Both put the outcome in arguments.out. Whatever the handler throws passes through.
  call_end (*call)(void* object, context& ctx, call_arguments& arguments) = nullptr;
  call_end (*call_event)(void* object, context& ctx, call_arguments& arguments) = nullptr;
  handler_state state = handler_state::none;
  bool const_call = false;          // may run several times at once in one instance
  bool trivial_destructor = false;  // destroying it runs no user code
  std::size_t object_bytes = 0;     // of an instance
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
