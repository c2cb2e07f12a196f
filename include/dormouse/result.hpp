// SPDX-License-Identifier: MIT
#pragma once

// A value or the failure that prevented it: what everything returns that the world may refuse while running.
// The names are those of std::expected (C++23), so a later switch is mechanical.
// Threads: a plain value. Errors: only value() throws, and only for a caller that asserts success.

#include <dormouse/failure.hpp>

#include <functional>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

namespace dormouse::inline DORMOUSE_FLAVOUR {

template <class T>
class result;

// Thrown by result::value() on a failure: the caller said there was none.
class bad_result_access : public std::logic_error {
 public:
  explicit bad_result_access(failure why) : std::logic_error(to_string(why)), why_(std::move(why)) {}
  [[nodiscard]] const failure& error() const noexcept { return why_; }

 private:
  failure why_;
};

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;

template <class T>
class [[nodiscard]] result {
  static_assert(!std::is_reference_v<T>, "dormouse: a result holds a value; use a pointer or std::reference_wrapper");
  static_assert(!std::is_same_v<std::remove_cv_t<T>, failure>, "dormouse: result<failure> would be ambiguous");

 public:
  using value_type = T;
  using error_type = failure;

  result() requires std::is_default_constructible_v<T> : state_(std::in_place_index<0>) {}
  template <class U = T>
  requires(std::is_convertible_v<U, T> && !is_result<std::remove_cvref_t<U>> &&
           !std::is_same_v<std::remove_cvref_t<U>, failure>) result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  result(failure why) : state_(std::in_place_index<1>, std::move(why)) {}
  template <class... Args>
  explicit result(std::in_place_t, Args&&... args) : state_(std::in_place_index<0>, std::forward<Args>(args)...) {}

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  // Precondition of the next five: has_value().
  [[nodiscard]] T& operator*() & { return *checked(); }
  [[nodiscard]] const T& operator*() const& { return *checked(); }
  [[nodiscard]] T&& operator*() && { return std::move(*checked()); }
  [[nodiscard]] T* operator->() { return checked(); }
  [[nodiscard]] const T* operator->() const { return checked(); }

  // Precondition: !has_value().
  [[nodiscard]] const failure& error() const& {
    DORMOUSE_ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] failure&& error() && {
    DORMOUSE_ASSERT(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

  // The value, or throws bad_result_access: for start-up code and tests, where a failure is the caller's mistake.
  T& value() & { return require(), **this; }
  const T& value() const& { return require(), **this; }
  T&& value() && { return require(), std::move(**this); }

  template <class U>
  [[nodiscard]] T value_or(U&& other) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(other));
  }
  template <class U>
  [[nodiscard]] T value_or(U&& other) && {
    return has_value() ? std::move(**this) : static_cast<T>(std::forward<U>(other));
  }

  // f(value) -> result<U>; a failure passes through.
  template <class F>
  auto and_then(F&& f) && -> std::invoke_result_t<F, T&&> {
    if (!has_value()) return std::move(*this).error();
    return std::invoke(std::forward<F>(f), std::move(**this));
  }
  template <class F>
  auto and_then(F&& f) const& -> std::invoke_result_t<F, const T&> {
    if (!has_value()) return error();
    return std::invoke(std::forward<F>(f), **this);
  }
  // f(value) -> U, wrapped into result<U>.
  template <class F, class U = std::remove_cv_t<std::invoke_result_t<F, T&&>>>
  result<U> transform(F&& f) && {
    if (!has_value()) return std::move(*this).error();
    if constexpr (std::is_void_v<U>) {
      std::invoke(std::forward<F>(f), std::move(**this));
      return {};
    } else {
      return std::invoke(std::forward<F>(f), std::move(**this));
    }
  }
  // f(failure) -> result<T>; a value passes through.
  template <class F>
  result or_else(F&& f) && {
    if (has_value()) return std::move(*this);
    return std::invoke(std::forward<F>(f), std::move(*this).error());
  }

 private:
  [[nodiscard]] T* checked() {
    DORMOUSE_ASSERT(has_value());
    return std::get_if<0>(&state_);
  }
  [[nodiscard]] const T* checked() const {
    DORMOUSE_ASSERT(has_value());
    return std::get_if<0>(&state_);
  }
  void require() const {
    if (!has_value()) throw bad_result_access(error());
  }
  std::variant<T, failure> state_;
};

template <>
class [[nodiscard]] result<void> {
 public:
  using value_type = void;
  using error_type = failure;

  result() noexcept = default;
  result(failure why) : why_(std::move(why)) {}

  [[nodiscard]] bool has_value() const noexcept { return !why_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  void operator*() const noexcept { DORMOUSE_ASSERT(has_value()); }
  [[nodiscard]] const failure& error() const& {
    DORMOUSE_ASSERT(!has_value());
    return *why_;
  }
  [[nodiscard]] failure&& error() && {
    DORMOUSE_ASSERT(!has_value());
    return std::move(*why_);
  }
  void value() const {
    if (!has_value()) throw bad_result_access(error());
  }
  template <class F>
  auto and_then(F&& f) const -> std::invoke_result_t<F> {
    if (!has_value()) return error();
    return std::invoke(std::forward<F>(f));
  }

 private:
  std::optional<failure> why_{};  // not a variant, whose destructor is a call in each of a service's many checks
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
