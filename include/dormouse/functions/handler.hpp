// SPDX-License-Identifier: MIT
#pragma once

// What may be a handler, and how its shape is read.
//
//   R f()          R f(Arg)          R f(context&)          R f(Arg, context&)
//
// as a function, a lambda or an object with one operator(). R is a value, result<value>, void or result<void>. Arg is
// `const event&` for the event itself, or any type: by value, const T& or T&&. A handler may throw anything.
//   copyable callable    a prototype: each cold start copies it; state held by value is per instance, lost when idle
//   move-only callable   its own single instance, never reaped
//   captureless lambda, function pointer   nothing to construct
//   per_instance(make)   each cold start calls make(), which may run on several threads at once
// A mistake is a static_assert with a sentence; a generic or overloaded operator() needs define<R(Arg)>(...).

#include <dormouse/result.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class context;  // dormouse/functions/context.hpp

// Makes the state of one instance at each cold start; the result may be immovable or an aggregate.
template <class Factory>
struct per_instance_factory {
  Factory make;
};

template <class Factory>
[[nodiscard]] per_instance_factory<std::decay_t<Factory>> per_instance(Factory&& make) {
  static_assert(std::is_invocable_v<const std::decay_t<Factory>&>,
                "dormouse: per_instance(make): `make` takes no argument and must be callable when const, since cold "
                "starts may run it on several threads at once (no mutable lambda)");
  static_assert(!std::is_reference_v<std::invoke_result_t<const std::decay_t<Factory>&>>,
                "dormouse: per_instance(make): `make` returns the handler object by value");
  return {std::forward<Factory>(make)};
}

namespace detail {

template <class T>
inline constexpr bool is_per_instance = false;
template <class F>
inline constexpr bool is_per_instance<per_instance_factory<F>> = true;

// The object whose operator() serves events.
template <class T>
struct handler_object {
  using type = T;
};
template <class F>
struct handler_object<per_instance_factory<F>> {
  using type = std::remove_cv_t<std::invoke_result_t<const F&>>;
};
template <class T>
using handler_object_t = typename handler_object<T>::type;

template <class R, class... A>
struct call_shape {
  using returned = R;
  using parameters = std::tuple<A...>;
};
template <class T>
struct shape_of_member;
template <class C, class R, class... A>
struct shape_of_member<R (C::*)(A...)> : call_shape<R, A...> {};
template <class C, class R, class... A>
struct shape_of_member<R (C::*)(A...) const> : call_shape<R, A...> {};
template <class C, class R, class... A>
struct shape_of_member<R (C::*)(A...) noexcept> : call_shape<R, A...> {};
template <class C, class R, class... A>
struct shape_of_member<R (C::*)(A...) const noexcept> : call_shape<R, A...> {};
template <class C, class R, class... A>
struct shape_of_member<R (C::*)(A...)&> : call_shape<R, A...> {};
template <class C, class R, class... A>
struct shape_of_member<R (C::*)(A...) const&> : call_shape<R, A...> {};

template <class T>
struct shape_of : shape_of_member<decltype(&T::operator())> {};
template <class R, class... A>
struct shape_of<R (*)(A...)> : call_shape<R, A...> {};
template <class R, class... A>
struct shape_of<R (*)(A...) noexcept> : call_shape<R, A...> {};

template <class T>
concept has_one_call_operator = requires {
  &T::operator();
}
|| (std::is_pointer_v<T> && std::is_function_v<std::remove_pointer_t<T>>);

template <class T>
struct unwrapped {
  using type = std::remove_cv_t<T>;
};
template <class T>
struct unwrapped<result<T>> {
  using type = T;
};
// What a call of the function yields: result<int> and int are both int.
template <class T>
using unwrapped_t = typename unwrapped<T>::type;

template <class... A>
inline constexpr bool takes_context = false;
template <class A>
inline constexpr bool takes_context<A> = std::is_same_v<A, context&>;
template <class A, class B, class... Rest>
inline constexpr bool takes_context<A, B, Rest...> = takes_context<B, Rest...>;

// Types that look at memory they do not own: an event that waits in a queue would leave them dangling.
template <class T>
inline constexpr bool is_view = std::is_pointer_v<T>;
template <class T, std::size_t N>
inline constexpr bool is_view<std::span<T, N>> = true;
template <class C, class Traits>
inline constexpr bool is_view<std::basic_string_view<C, Traits>> = true;
template <class T>
inline constexpr bool is_view<std::reference_wrapper<T>> = true;

template <class A>
constexpr bool check_parameter() {
  using plain = std::remove_cvref_t<A>;
  static_assert(!std::is_same_v<plain, context>,
                "dormouse: `context&` is the last parameter of a handler, taken by non-const reference");
  static_assert(!(std::is_lvalue_reference_v<A> && !std::is_const_v<std::remove_reference_t<A>>),
                "dormouse: a handler takes its argument by value, const T& or T&&, not by non-const reference");
  static_assert(!std::is_pointer_v<plain>,
                "dormouse: a handler takes no raw pointer; take std::string_view for text, payload for bytes");
  return true;
}

// Checks the shape and names the typed signature: R() or R(Arg).
template <class R, class Tuple>
struct typed_signature {
  static_assert(
      std::tuple_size_v<Tuple> <= 1,
      "dormouse: a handler takes at most one argument and, after it, context&; put several values in a struct");
};
template <class R>
struct typed_signature<R, std::tuple<>> {
  using type = R();
};
template <class R, class A>
struct typed_signature<R, std::tuple<A>> {
  static_assert(check_parameter<A>());
  using type = R(A);
};

template <class... A>
struct without_context {
  using type = std::tuple<A...>;
};
template <>
struct without_context<context&> {
  using type = std::tuple<>;
};
template <class A>
struct without_context<A, context&> {
  using type = std::tuple<A>;
};

template <class Returned, class Tuple>
struct signature_from;
template <class Returned, class... A>
struct signature_from<Returned, std::tuple<A...>> {
  static_assert(!std::is_reference_v<Returned>,
                "dormouse: a handler returns a value, result<value>, void or result<void>");
  static_assert(!std::is_same_v<unwrapped_t<Returned>, failure>,
                "dormouse: a handler that may fail returns result<T>, not a failure");
  using type = typename typed_signature<unwrapped_t<Returned>, typename without_context<A...>::type>::type;
};

template <class Object>
constexpr bool check_deducible() {
  static_assert(has_one_call_operator<Object>,
                "dormouse: the handler is generic, overloaded or not callable; say which call is meant: "
                "define<R(Arg)>(name, handler)");
  return true;
}

template <class Object>
struct deduced {
  static_assert(check_deducible<Object>());
  using shape = shape_of<Object>;
  using type = typename signature_from<typename shape::returned, typename shape::parameters>::type;
};

// Checks what is said in define<R(Arg)>(name, handler).
template <class Object, class Signature>
struct checked_signature {
  static_assert(!std::is_function_v<Signature>,
                "dormouse: a handler takes at most one argument and, after it, context&; "
                "put several values in a struct");
};
template <class Object, class R>
struct checked_signature<Object, R()> {
  static_assert(!is_result<R> && !std::is_reference_v<R>,
                "dormouse: define<R(Arg)>: R is the plain value that a caller gets, not result<R> and no reference");
  static_assert(std::is_invocable_v<Object&> || std::is_invocable_v<Object&, context&>,
                "dormouse: define<R()>: the handler cannot be called without an argument");
};
template <class Object, class R, class A>
struct checked_signature<Object, R(A)> {
  static_assert(!is_result<R> && !std::is_reference_v<R>,
                "dormouse: define<R(Arg)>: R is the plain value that a caller gets, not result<R> and no reference");
  static_assert(check_parameter<A>());
  static_assert(std::is_invocable_v<Object&, A> || std::is_invocable_v<Object&, A, context&>,
                "dormouse: define<R(Arg)>: the handler cannot be called with Arg");
};

// The typed signature of a handler given to define(): R() or R(Arg).
template <class Handler>
using signature_of = typename deduced<handler_object_t<std::decay_t<Handler>>>::type;

}  // namespace detail

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
