// SPDX-License-Identifier: MIT
#pragma once

// A function by its type: what define() returns. Copyable, small, owns nothing; must not be used after its runtime.
//
//   auto greet = runtime.define("greet", [](std::string_view who) { return fmt::format("hello {}", who); });
//   result<std::string> now = greet("ann");             // on this thread, no serialization
//   auto later = greet.submit("bob");                   // result<pending<std::string>>
//   result<acceptance> kept = greet.post("eve");        // handed over; repeated if it fails
//
// Threads: every member may be called from any thread, inside handlers too.
// Errors:  no member throws, apart from what copying or moving the argument throws on the caller's side.

#include <dormouse/clock.hpp>
#include <dormouse/codec.hpp>
#include <dormouse/detail/entry.hpp>
#include <dormouse/detail/work_item.hpp>
#include <dormouse/functions/acceptance.hpp>
#include <dormouse/functions/handler.hpp>
#include <dormouse/functions/pending.hpp>

#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class runtime;

namespace detail {

template <class T>
struct owned_argument {
  static_assert(!is_view<T>,
                "dormouse: post() and submit() keep the argument until the event has run, and this view type has no "
                "owner: let the handler take the owning type, or say codec<T>::owned");
  using type = T;
};
template <class T>
requires requires { typename codec<T>::owned; }
struct owned_argument<T> {
  using type = typename codec<T>::owned;
};

// A typed call, with its argument kept.
template <class R, class A>
class typed_item final : public item_with_reply<R> {
 public:
  using plain = std::remove_cvref_t<A>;
  using owned = typename owned_argument<plain>::type;
  explicit typed_item(owned&& argument) : argument_(std::move(argument)) { this->bytes = size_of(argument_); }
  call_arguments arguments() noexcept override {
    if constexpr (std::is_same_v<owned, plain>) {
      // A posted argument stays for the next attempt: the handler gets a copy.
      return with(&argument_, !this->posted);
    } else {
      view_.emplace(view_of(argument_));
      return with(&*view_, false);
    }
  }
  [[nodiscard]] event* message() noexcept override {
    if constexpr (std::is_same_v<owned, event>) return &argument_;
    return nullptr;
  }
  [[nodiscard]] event as_event() const override {
    if constexpr (std::is_same_v<owned, event>) {
      if constexpr (std::is_copy_constructible_v<owned>) return argument_;
    } else if constexpr (encodable<owned>) {
      auto data = codec<owned>::encode(argument_);
      if (data) {
        return {.type = "dormouse.call",
                .datacontenttype = std::string(codec<owned>::content_type),
                .data = std::move(*data)};
      }
    }
    return {.type = "dormouse.call"};
  }

 private:
  call_arguments with(void* argument, bool movable) noexcept {
    return {.argument = argument, .out = &this->out, .refuse = &put_refusal<R>, .by_event = false, .movable = movable};
  }
  static plain view_of(const owned& argument) {
    if constexpr (std::is_same_v<owned, payload>) {
      return plain(argument.bytes());
    } else {
      return plain(argument);
    }
  }
  static std::size_t size_of(const owned& argument) {
    if constexpr (requires { argument.data.size(); }) {
      return argument.data.size();
    } else if constexpr (requires { argument.size(); }) {
      return argument.size();
    } else {
      return sizeof(owned);
    }
  }
  struct nothing {};
  owned argument_;
  std::conditional_t<std::is_same_v<owned, plain>, nothing, std::optional<plain>> view_{};
};

template <class R>
class bare_item final : public item_with_reply<R> {
 public:
  bare_item() noexcept {}  // not defaulted: then all of its memory would be set to zero first
  call_arguments arguments() noexcept override {
    return {.argument = nullptr, .out = &this->out, .refuse = &put_refusal<R>, .by_event = false, .movable = false};
  }
  [[nodiscard]] event as_event() const override { return {.type = "dormouse.call"}; }
};

template <class Item, class... Args>
Item* make_item(const function_reference& target, Args&&... args) {
  return new (memory_of_items(target)) Item(std::forward<Args>(args)...);
}

// Both take over the item; null counts as out of memory.
template <class Item>
result<acceptance> post_item(const function_reference& target, Item* item) {
  item_pointer given(item);
  return hand_over(target, given, nullptr, true);
}
template <class R, class Item>
result<pending<R>> submit_item(const function_reference& target, Item* item) {
  item_pointer given(item);
  if (auto handed = hand_over(target, given, nullptr, false); !handed) return std::move(handed).error();
  return pending<R>(std::move(given), item->out);
}

template <class R>
result<R> call_typed(const function_reference& target, void* argument) {
  std::optional<result<R>> out;
  call_arguments call{.argument = argument, .out = &out, .refuse = &put_refusal<R>, .by_event = false, .movable = true};
  call_here(target, call, nullptr);
  return std::move(*out);
}

}  // namespace detail

// What every handle can tell.
class function_handle {
 public:
  // Lives as long as the runtime.
  [[nodiscard]] std::string_view name() const noexcept { return detail::name_of(target_); }
  [[nodiscard]] function_stats stats() const { return detail::stats_of(target_); }

 protected:
  friend class runtime;
  explicit function_handle(const detail::function_reference& target) noexcept : target_(target) {}
  detail::function_reference target_;
};

template <class Signature>
class handle;

template <class R>
class handle<R()> : public function_handle {
 public:
  // Runs the function on this thread and returns its reply. Fails: not_found, shutting_down, throttled (instances,
  // queue_depth), deadline_exceeded (before entry: not_applied; afterwards the value is dropped: unknown), init_failed,
  // function_failed (it threw or returned a failure; `cause` says which), recursion_limit, out_of_memory.
  result<R> operator()() const { return detail::call_typed<R>(target_, nullptr); }
  // Hands over to a worker. Never blocks. Fails: not_found, shutting_down, throttled (queue_depth, queue_bytes),
  // recursion_limit, unavailable (no_threads), out_of_memory.
  result<pending<R>> submit() const {
    return detail::submit_item<R>(target_, detail::make_item<detail::bare_item<R>>(target_));
  }
  // As submit(), for an outcome that nobody waits for: a failed attempt is repeated, then delivered or kept as a dead
  // letter (function_options::retry, on_failure). Fails as submit(), and limit_exceeded (dead_letters).
  result<acceptance> post() const {
    return detail::post_item(target_, detail::make_item<detail::bare_item<R>>(target_));
  }

 private:
  friend class runtime;
  using function_handle::function_handle;
};

template <class R, class A>
class handle<R(A)> : public function_handle {
  using plain = std::remove_cvref_t<A>;

 public:
  // As handle<R()>::operator(). The argument goes to the handler as it is: nothing is encoded or copied on the way.
  result<R> operator()(A argument) const {
    return detail::call_typed<R>(target_, const_cast<void*>(static_cast<const void*>(std::addressof(argument))));
  }
  // As handle<R()>::submit(). The argument is kept until the event has run; a view is kept as its owning type.
  template <class T>
  requires std::is_convertible_v<T, typename detail::owned_argument<plain>::type> ||
      std::is_constructible_v<typename detail::owned_argument<plain>::type, T>
          result<pending<R>> submit(T&& argument)
  const {
    using item = detail::typed_item<R, A>;
    return detail::submit_item<R>(target_,
                                  detail::make_item<item>(target_, typename item::owned(std::forward<T>(argument))));
  }
  // As handle<R()>::post().
  template <class T>
  requires std::is_convertible_v<T, typename detail::owned_argument<plain>::type> ||
      std::is_constructible_v<typename detail::owned_argument<plain>::type, T>
          result<acceptance> post(T&& argument)
  const {
    static_assert(std::is_copy_constructible_v<plain> && !std::is_rvalue_reference_v<A>,
                  "dormouse: a posted argument may be needed for another attempt, so it must be copyable; invoke or "
                  "submit functions that take T&& or a move-only type");
    using item = detail::typed_item<R, A>;
    return detail::post_item(target_,
                             detail::make_item<item>(target_, typename item::owned(std::forward<T>(argument))));
  }

 private:
  friend class runtime;
  using function_handle::function_handle;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/functions.ipp>
#endif
