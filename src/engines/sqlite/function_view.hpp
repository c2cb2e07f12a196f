// SPDX-License-Identifier: MIT
#pragma once

// Calls what it was made from; does not own it. For work whose caller waits.

#include <dormouse/detail/config.hpp>

#include <type_traits>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

template <class Signature>
class function_view;
template <class R, class... Args>
class function_view<R(Args...)> {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, function_view>) function_view(F&& call)
  noexcept
      : object_(const_cast<void*>(static_cast<const void*>(&call))), call_([](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(static_cast<Args>(args)...);
        }) {}
  R operator()(Args... args) const { return call_(object_, static_cast<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
