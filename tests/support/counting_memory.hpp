// SPDX-License-Identifier: MIT
#pragma once

// A memory resource that knows what is out, and can fail on one thread.

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory_resource>
#include <new>
#include <thread>
#include <utility>

namespace support {

class counting_memory final : public std::pmr::memory_resource {
 public:
  [[nodiscard]] std::size_t allocations() const noexcept { return allocations_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }    // out now
  [[nodiscard]] std::size_t blocks() const noexcept { return blocks_; }  // out now
  [[nodiscard]] int failed() const noexcept { return failed_; }

  // The n-th allocation from now on, of this thread only, counted from 0, throws.
  void fail_here(long n) noexcept {
    fails_on_ = std::this_thread::get_id();
    left_ = n;
  }
  void fail_no_more() noexcept { fail_here(-1); }
  // What happens in the midst of the next call of the resource. One thread at a time.
  void interrupt_next(std::function<void()> with) { interruption_ = std::move(with); }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    interrupt();
    if (std::this_thread::get_id() == fails_on_.load() && left_ >= 0 && left_-- == 0) {
      ++failed_;
      throw std::bad_alloc{};
    }
    void* const got = ::operator new (bytes, std::align_val_t{alignment});
    ++allocations_;
    ++blocks_;
    bytes_ += bytes;
    return got;
  }
  void do_deallocate(void* given, std::size_t bytes, std::size_t alignment) override {
    interrupt();
    bytes_ -= bytes;
    --blocks_;
    ::operator delete (given, std::align_val_t{alignment});
  }
  [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  void interrupt() {
    if (interruption_) std::exchange(interruption_, nullptr)();
  }

  std::function<void()> interruption_{};
  std::atomic<std::size_t> allocations_{0};
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::size_t> blocks_{0};
  std::atomic<std::thread::id> fails_on_{};
  std::atomic<long> left_{-1};
  std::atomic<int> failed_{0};
};

}  // namespace support
