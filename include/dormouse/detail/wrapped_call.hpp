// SPDX-License-Identifier: MIT
#pragma once

// Calls a handler that stands inside another, whatever its shape, and gives its outcome as a result.

#include <dormouse/functions/context.hpp>
#include <dormouse/functions/handler.hpp>

#include <type_traits>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// Is `Handler`, when const, called with these?
template <class Handler, class... A>
inline constexpr bool is_const_handler =
    std::is_invocable_v<const Handler&, A..., context&> || std::is_invocable_v<const Handler&, A...>;

// `A` are the parameters as the handler has them: T, const T& or T&&. A value is moved out of `given`.
template <class R, class... A, class Handler>
result<R> call_for_result(Handler& handler, context& ctx, std::remove_reference_t<A>&... given) {
  const auto run = [&]() -> decltype(auto) {
    if constexpr (std::is_invocable_v<Handler&, A..., context&>) {
      return handler(static_cast<A&&>(given)..., ctx);
    } else {
      return handler(static_cast<A&&>(given)...);
    }
  };
  if constexpr (std::is_void_v<decltype(run())>) {
    run();
    return {};
  } else {
    return run();
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
