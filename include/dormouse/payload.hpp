// SPDX-License-Identifier: MIT
#pragma once

// Immutable bytes that are cheap to copy and may outlive the event they came in.
// Up to inline_bytes are held in the object; more are shared, reference counted, and never copied again.
// Threads: distinct objects may be used from distinct threads even when they share bytes.
// Errors:  construction from a view may throw std::bad_alloc; copying and moving never do.

#include <dormouse/detail/config.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class payload {
 public:
  static constexpr std::size_t inline_bytes = 24;

  payload() noexcept = default;
  // Copies the bytes.
  payload(std::string_view bytes) { assign(bytes); }
  payload(const char* text) { assign(std::string_view{text}); }
  payload(const std::string& text) { assign(text); }
  explicit payload(std::span<const std::byte> bytes)
      : payload(std::string_view{reinterpret_cast<const char*>(bytes.data()), bytes.size()}) {}
  // Takes the string over; no byte is copied above inline_bytes.
  payload(std::string&& text) {
    if (text.size() <= inline_bytes) {
      assign(text);
    } else {
      adopt(std::move(text));
    }
  }

  payload(const payload& other) noexcept : size_(other.size_), shared_(other.shared_) {
    std::memcpy(inline_, other.inline_, inline_bytes);
    // relaxed: the copier already holds a reference, so the block is alive and its bytes are visible to it.
    if (shared_ != nullptr) shared_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  payload(payload&& other) noexcept : size_(other.size_), shared_(std::exchange(other.shared_, nullptr)) {
    std::memcpy(inline_, other.inline_, inline_bytes);
    other.size_ = 0;
  }
  payload& operator=(payload other) noexcept {
    swap(other);
    return *this;
  }
  ~payload() { release(); }

  void swap(payload& other) noexcept {
    std::swap(size_, other.size_);
    std::swap(shared_, other.shared_);
    char kept[inline_bytes];
    std::memcpy(kept, inline_, inline_bytes);
    std::memcpy(inline_, other.inline_, inline_bytes);
    std::memcpy(other.inline_, kept, inline_bytes);
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  // Views live as long as this object (or, above inline_bytes, any copy of it) does.
  [[nodiscard]] const char* data() const noexcept { return shared_ != nullptr ? shared_->bytes.data() : inline_; }
  [[nodiscard]] std::string_view text() const noexcept { return {data(), size_}; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {reinterpret_cast<const std::byte*>(data()), size_};
  }

  friend bool operator==(const payload& a, const payload& b) noexcept { return a.text() == b.text(); }
  friend bool operator==(const payload& a, std::string_view b) noexcept { return a.text() == b; }
  friend bool operator==(const payload& a, const std::string& b) noexcept { return a.text() == b; }
  friend bool operator==(const payload& a, const char* b) noexcept { return a.text() == std::string_view{b}; }

 private:
  struct block {
    std::atomic<std::size_t> owners{1};
    std::string bytes{};
  };

  void assign(std::string_view bytes) {
    if (bytes.size() > inline_bytes) return adopt(std::string(bytes));
    if (!bytes.empty()) std::memcpy(inline_, bytes.data(), bytes.size());
    size_ = bytes.size();
  }
  void adopt(std::string&& text) {
    shared_ = new block;
    shared_->bytes = std::move(text);
    size_ = shared_->bytes.size();
  }
  void release() noexcept {
    // acq_rel: the last owner must see every other owner's reads finished before it frees the bytes.
    if (shared_ != nullptr && shared_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete shared_;
  }

  std::size_t size_ = 0;
  block* shared_ = nullptr;
  char inline_[inline_bytes] = {};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
