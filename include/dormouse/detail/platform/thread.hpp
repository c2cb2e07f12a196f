// SPDX-License-Identifier: MIT
#pragma once

// What std::thread lacks: a name, the number of processors this process may use, and the one it runs on.

#include <dormouse/detail/config.hpp>

#include <algorithm>
#include <cstddef>
#include <system_error>
#include <thread>
#include <utility>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// Names the calling thread (Linux cuts at 15 characters) and blocks the signals meant for the host: a library thread
// must not be the one that a handler of the host's interrupts. Synchronous faults stay unblocked.
inline void become_library_thread([[maybe_unused]] const char* name) noexcept {
#if defined(__linux__)
  ::pthread_setname_np(::pthread_self(), name);
  sigset_t all;
  ::sigfillset(&all);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) ::sigdelset(&all, fault);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
#endif
}

// By the host's hook, when it has one. Throws when there is no thread to be had.
template <class Hook, class Body>
[[nodiscard]] std::thread start_thread(const Hook& hook, const char* name, Body&& body) {
  if (!hook) return std::thread(std::forward<Body>(body));
  std::thread made = hook(name, std::forward<Body>(body));
  if (!made.joinable()) throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  return made;
}

// From the affinity mask, not from the machine: a container's share counts.
[[nodiscard]] inline std::size_t processors() noexcept {
#if defined(__linux__)
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    return static_cast<std::size_t>(std::max(1, CPU_COUNT(&allowed)));
  }
#endif
  return std::max(1U, std::thread::hardware_concurrency());
}

inline constexpr int unknown_processor = -1;

// The processor the calling thread is on, for now: 2 ns where the C library reads it without a system call.
[[nodiscard]] inline int current_processor() noexcept {
#if defined(__linux__)
  return ::sched_getcpu();
#else
  return unknown_processor;
#endif
}

// Between two looks of a loop that waits awake.
inline void relax_processor() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#else
  std::this_thread::yield();
#endif
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
