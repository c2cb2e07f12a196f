// SPDX-License-Identifier: MIT
#pragma once

// From a handler of a known type to its handler_ops: the only code that is generated for each handler.

#include <dormouse/codec.hpp>
#include <dormouse/detail/handler_ops.hpp>
#include <dormouse/functions/handler.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

template <class T>
inline constexpr bool is_function_pointer = std::is_pointer_v<T>&& std::is_function_v<std::remove_pointer_t<T>>;

// A closure without captures: empty, and its default constructor does nothing.
template <class T>
inline constexpr bool is_stateless = is_function_pointer<T> ||
                                     (std::is_empty_v<T> && std::is_trivially_default_constructible_v<T> &&
                                      std::is_trivially_copyable_v<T>);

template <class H>
constexpr handler_state state_kind() {
  if constexpr (is_per_instance<H>) return handler_state::per_instance;
  if constexpr (is_stateless<H>) return handler_state::none;
  return std::is_copy_constructible_v<H> ? handler_state::per_instance : handler_state::single;
}

// A failure that a handler returned: its own code becomes the cause of function_failed.
inline failure as_function_failure(failure why) {
  why.cause = why.code;
  why.code = errc::function_failed;
  return why;
}

// Puts what the handler returned where the caller waits for it.
template <class R, class Returned>
call_end put_result(void* out, Returned&& returned) {
  auto& slot = *static_cast<std::optional<result<R>>*>(out);
  if constexpr (is_result<std::remove_cvref_t<Returned>>) {
    if (!returned.has_value()) {
      slot.emplace(as_function_failure(std::forward<Returned>(returned).error()));
      return call_end::failed;
    }
  }
  slot.emplace(std::forward<Returned>(returned));
  return call_end::value;
}

template <class R, class Object, class... A>
call_end call_and_put(void* out, Object& object, A&&... arguments) {
  using returned = std::invoke_result_t<Object&, A...>;
  if constexpr (std::is_void_v<returned>) {
    object(std::forward<A>(arguments)...);
    return put_result<void>(out, result<void>{});
  } else {
    return put_result<R>(out, object(std::forward<A>(arguments)...));
  }
}

// With context when the handler wants it.
template <class R, class Object, class... A>
call_end call_object(void* out, Object& object, context& ctx, A&&... arguments) {
  if constexpr (std::is_invocable_v<Object&, A..., context&>) {
    return call_and_put<R>(out, object, std::forward<A>(arguments)..., ctx);
  } else {
    return call_and_put<R>(out, object, std::forward<A>(arguments)...);
  }
}

inline call_end refuse_call(call_arguments& arguments, failure why) {
  arguments.refuse(arguments.out, std::move(why));
  return call_end::refused;
}

inline failure no_codec(std::string_view what) {
  return {.code = errc::unsupported,
          .effect = effect_kind::not_applied,
          .reason = failure_reason::payload_type,
          .detail = "the handler's " + std::string(what) + " has no codec: specialise dormouse::codec for it"};
}

// A typed outcome as bytes. A reply that cannot be written is the function's failure: the handler has run.
template <class R>
call_end encode_reply(call_end end, std::optional<result<R>>& typed, const call_arguments& arguments) {
  auto& out = *static_cast<std::optional<result<reply>>*>(arguments.out);
  if (end != call_end::value) {
    out.emplace(std::move(*typed).error());
    return end;
  }
  if constexpr (std::is_void_v<R> || !encodable<R>) {
    out.emplace(reply{});  // without a codec nobody wanted it: see has_reply
  } else {
    auto bytes = codec<R>::encode(std::move(**typed));
    if (!bytes) {
      out.emplace(as_function_failure(std::move(bytes).error()));
      return call_end::failed;
    }
    out.emplace(reply{std::move(*bytes), codec<R>::content_type});
  }
  return call_end::value;
}

// Can the caller by name have what it wants? Asked before the handler runs.
template <class R>
bool has_reply(const call_arguments& arguments) {
  return std::is_void_v<R> || encodable<R> || !arguments.reply_wanted;
}

template <class H, class Signature>
struct handler_calls;

template <class H, class R>
struct handler_calls<H, R()> {
  using object_type = handler_object_t<H>;
  static call_end call(object_type& object, context& ctx, call_arguments& arguments) {
    return call_object<R>(arguments.out, object, ctx);
  }
  static call_end call_event(object_type& object, context& ctx, call_arguments& arguments) {
    if (!has_reply<R>(arguments)) return refuse_call(arguments, no_codec("return type"));
    std::optional<result<R>> typed;
    const call_end end = call_object<R>(&typed, object, ctx);
    return encode_reply<R>(end, typed, arguments);
  }
};

template <class H, class R, class A>
struct handler_calls<H, R(A)> {
  using object_type = handler_object_t<H>;
  using plain = std::remove_cvref_t<A>;

  static call_end pass(object_type& object, context& ctx, plain& argument, bool movable, void* out) {
    if constexpr (std::is_lvalue_reference_v<A>) {
      return call_object<R>(out, object, ctx, std::as_const(argument));
    } else if constexpr (std::is_rvalue_reference_v<A> || !std::is_copy_constructible_v<plain>) {
      return call_object<R>(out, object, ctx, std::move(argument));
    } else {
      if (movable) return call_object<R>(out, object, ctx, std::move(argument));
      return call_object<R>(out, object, ctx, plain(std::as_const(argument)));
    }
  }
  static call_end call(object_type& object, context& ctx, call_arguments& arguments) {
    return pass(object, ctx, *static_cast<plain*>(arguments.argument), arguments.movable, arguments.out);
  }
  static call_end call_event(object_type& object, context& ctx, call_arguments& arguments) {
    if (!has_reply<R>(arguments)) return refuse_call(arguments, no_codec("return type"));
    const auto& message = *static_cast<const event*>(arguments.argument);
    std::optional<result<R>> typed;
    call_end end = call_end::refused;
    if constexpr (std::is_same_v<plain, event> && std::is_lvalue_reference_v<A>) {
      end = call_object<R>(&typed, object, ctx, message);
    } else if constexpr (decodable<plain>) {
      auto argument = codec<plain>::decode(message);
      if (!argument) return refuse_call(arguments, std::move(argument).error());
      end = pass(object, ctx, *argument, true, &typed);
    } else {
      return refuse_call(arguments, no_codec("parameter"));
    }
    return encode_reply<R>(end, typed, arguments);
  }
};

// How the state of a handler type is made, reached and dropped.
template <class H, class Signature>
struct handler_adapter {
  using object_type = handler_object_t<H>;
  using calls = handler_calls<H, Signature>;

  // A handler without state is made on the spot, which costs nothing; any other is where its instance says.
  static call_end call(void* object, context& ctx, call_arguments& arguments) {
    if constexpr (is_function_pointer<H>) {
      H function = reinterpret_cast<H>(object);
      return calls::call(function, ctx, arguments);
    } else if constexpr (is_stateless<H>) {
      object_type fresh{};
      return calls::call(fresh, ctx, arguments);
    } else {
      return calls::call(*static_cast<object_type*>(object), ctx, arguments);
    }
  }
  static call_end call_event(void* object, context& ctx, call_arguments& arguments) {
    if constexpr (is_function_pointer<H>) {
      H function = reinterpret_cast<H>(object);
      return calls::call_event(function, ctx, arguments);
    } else if constexpr (is_stateless<H>) {
      object_type fresh{};
      return calls::call_event(fresh, ctx, arguments);
    } else {
      return calls::call_event(*static_cast<object_type*>(object), ctx, arguments);
    }
  }
  static void* construct(const void* prototype) {
    if constexpr (is_per_instance<H>) {
      return new object_type(static_cast<const H*>(prototype)->make());
    } else if constexpr (state_kind<H>() == handler_state::per_instance) {
      return new object_type(*static_cast<const object_type*>(prototype));
    } else {
      return nullptr;
    }
  }
  static void destroy(void* object) { delete static_cast<object_type*>(object); }
  static void drop_prototype(void* prototype) {
    if constexpr (!is_stateless<H>) delete static_cast<H*>(prototype);
  }
  static constexpr bool const_call() {
    if constexpr (is_function_pointer<H>) {
      return true;
    } else {
      return std::is_invocable_v<const object_type&> || const_takes_argument(static_cast<Signature*>(nullptr));
    }
  }
  template <class R>
  static constexpr bool const_takes_argument(R (*)()) {
    return std::is_invocable_v<const object_type&, context&>;
  }
  template <class R, class A>
  static constexpr bool const_takes_argument(R (*)(A)) {
    return std::is_invocable_v<const object_type&, A> || std::is_invocable_v<const object_type&, A, context&>;
  }

  static constexpr handler_ops ops{
      .construct = &construct,
      .destroy =
          [] {
            if constexpr (state_kind<H>() == handler_state::per_instance) return &destroy;
            return static_cast<void (*)(void*)>(nullptr);
          }(),
      .drop_prototype = &drop_prototype,
      .call = &call,
      .call_event = &call_event,
      .state = state_kind<H>(),
      .const_call = const_call(),
      .trivial_destructor = std::is_trivially_destructible_v<object_type>,
      .object_bytes = sizeof(object_type),
  };
};

// The prototype of a handler: owned by the function it is registered under.
template <class H, class F>
void* make_prototype(F&& handler) {
  if constexpr (is_function_pointer<H>) {
    return reinterpret_cast<void*>(static_cast<H>(handler));
  } else if constexpr (is_stateless<H>) {
    return nullptr;
  } else {
    return new H(std::forward<F>(handler));
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
