// SPDX-License-Identifier: MIT
#pragma once

// Is this process a fork(2) of the one that made an object? Its threads are gone there, and its locks may be held for
// ever by them, so nothing of it may be touched.
// Asking is a load. Linux: of a page that the kernel empties in the child (MADV_WIPEONFORK, madvise(2), since 4.14); no
// handler is registered with the process. Elsewhere: of a count that a handler of pthread_atfork(3) raises in the
// child. When there is neither: getpid(), a system call.

#include <dormouse/detail/config.hpp>

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <new>

#if DORMOUSE_PLATFORM_LINUX
#include <sys/mman.h>
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

#if DORMOUSE_PLATFORM_LINUX

// Null when the kernel gives none. Never given back: one page a process.
inline std::atomic<std::uint64_t>* page_emptied_by_fork() noexcept {
  static std::atomic<std::uint64_t>* const page = []() -> std::atomic<std::uint64_t>* {
    const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    void* const got = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) return nullptr;
    if (::madvise(got, size, MADV_WIPEONFORK) == 0) return ::new (got) std::atomic<std::uint64_t>{0};
    ::munmap(got, size);
    return nullptr;
  }();
  return page;
}

class fork_mark {
 public:
  fork_mark() noexcept {
    if (page_ == nullptr) return;
    // A child that makes objects of its own marks its page anew, with another number than its parent's.
    static std::atomic<std::uint64_t> last{0};
    std::uint64_t found = page_->load();
    if (found == 0) {
      const std::uint64_t fresh = ++last;
      if (page_->compare_exchange_strong(found, fresh)) found = fresh;
    }
    mine_ = found;
  }
  [[nodiscard]] bool is_child() const noexcept {
    // relaxed: the kernel has emptied it before the child's first instruction.
    if (page_ != nullptr) [[likely]]
      return page_->load(std::memory_order_relaxed) != mine_;
    return ::getpid() != process_;
  }

 private:
  std::atomic<std::uint64_t>* const page_ = page_emptied_by_fork();
  std::uint64_t mine_ = 0;
  const pid_t process_ = ::getpid();
};

#else

// How many forks lie between the first process and this one, as far as fork() tells; null when nobody can be told.
inline const std::atomic<std::uint64_t>* forks_told() noexcept {
  static std::atomic<std::uint64_t> forks{0};
  static const bool told = ::pthread_atfork(nullptr, nullptr, [] { ++forks; }) == 0;
  return told ? &forks : nullptr;
}

class fork_mark {
 public:
  [[nodiscard]] bool is_child() const noexcept {
    // relaxed: counted before the child's fork() returns, on its only thread.
    if (forks_ != nullptr) [[likely]]
      return forks_->load(std::memory_order_relaxed) != mine_;
    return ::getpid() != process_;
  }

 private:
  const std::atomic<std::uint64_t>* const forks_ = forks_told();
  const std::uint64_t mine_ = forks_ != nullptr ? forks_->load(std::memory_order_relaxed) : 0;
  const pid_t process_ = ::getpid();
};

#endif

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
