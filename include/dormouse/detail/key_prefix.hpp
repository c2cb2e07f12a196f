// SPDX-License-Identifier: MIT
#pragma once

// What the prefixed decorators put before every key, and take away again.

#include <dormouse/detail/service_call.hpp>
#include <dormouse/detail/utf8.hpp>
#include <dormouse/failure.hpp>
#include <dormouse/result.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class key_prefix {
 public:
  static constexpr std::size_t bytes_max = 256;

  // With one '/', at the end: so no prefix begins with another one. Throws std::invalid_argument for another text.
  explicit key_prefix(std::string text) : text_(std::move(text)) {
    const bool sound = text_.size() >= 2 && text_.size() <= bytes_max && text_.find('/') == text_.size() - 1 &&
                       text_.find('\0') == std::string::npos && is_well_formed_utf8(text_);
    if (sound) return;
    throw std::invalid_argument(
        fmt::format("dormouse: the prefix is \"{}\"; give 2 .. {} bytes of UTF-8 with one '/', at the end",
                    printable(text_, 64), bytes_max));
  }

  [[nodiscard]] std::size_t size() const noexcept { return text_.size(); }
  [[nodiscard]] std::string before(std::string_view key) const { return std::string(text_).append(key); }
  [[nodiscard]] bool is_own(std::string_view key) const noexcept { return key.starts_with(text_); }
  // Precondition: is_own().
  void take_off(std::string& key) const { key.erase(0, text_.size()); }

  // Does a key of so many bytes fit behind it?
  [[nodiscard]] result<void> fits(std::size_t bytes, std::size_t most) const {
    if (bytes <= most - text_.size()) return {};
    return refuse_service_call(errc::invalid_argument, failure_reason::key_bytes,
                               "a key or prefix of {} bytes; give 0 .. {}", bytes, most - text_.size());
  }

  // A name of at most 64 bytes that nobody else's is: its beginning, and 128 bits of both. No signature: who wants two
  // of them to be equal finds them.
  [[nodiscard]] std::string own_name(std::string_view name) const {
    const std::string both = before(name);
    return fmt::format("{}-{:016x}{:016x}", name.substr(0, 31), mixed(both, 0x9e3779b97f4a7c15U),
                       mixed(both, 0xc2b2ae3d27d4eb4fU));
  }

 private:
  // The mixing of splitmix64 after each byte; see random.hpp.
  [[nodiscard]] static std::uint64_t mixed(std::string_view text, std::uint64_t sum) noexcept {
    for (const char each : text) {
      sum = (sum ^ static_cast<unsigned char>(each)) + 0x9e3779b97f4a7c15U;
      sum = (sum ^ (sum >> 30U)) * 0xbf58476d1ce4e5b9U;
      sum = (sum ^ (sum >> 27U)) * 0x94d049bb133111ebU;
      sum ^= sum >> 31U;
    }
    return sum;
  }

  std::string text_;
};

// A store behind a prefix, behind a prefix: is there room for a key at all? Throws std::invalid_argument.
inline void check_room(std::size_t key_bytes_max, const key_prefix& prefix) {
  if (prefix.size() < key_bytes_max) return;
  throw std::invalid_argument(fmt::format("dormouse: the prefix has {} bytes; behind this store's own, give 2 .. {}",
                                          prefix.size(), key_bytes_max - std::min<std::size_t>(key_bytes_max, 1)));
}

// The part of a log of changes, after the last one of our own that was read, in which all changes are others': a reader
// who comes again and again does not read it again and again, and does not miss his own when it is dropped.
class foreign_changes {
 public:
  // Where to read on for what comes behind `after`.
  [[nodiscard]] std::uint64_t skip(std::uint64_t after) const {
    const std::lock_guard lock(mutex_);
    return after >= from_ && after < to_ ? to_ : after;
  }
  // There is none of ours behind `from` up to `to`.
  void note(std::uint64_t from, std::uint64_t to) {
    const std::lock_guard lock(mutex_);
    if (to < to_) return;
    if (from < from_ || from > to_) from_ = from;
    to_ = to;
  }

  // Our own changes behind `after`, `count` at most; `read(after, count)` gives a page of all, `take(change)` keeps one
  // if it is ours, and says so.
  template <class Change, class Read, class Take>
  result<std::vector<Change>> changes(std::uint64_t after, std::size_t count, Read&& read, Take&& take) {
    const std::size_t page_size = std::max<std::size_t>(count, 100);
    std::vector<Change> own;
    std::uint64_t last_own = after;
    for (std::uint64_t at = skip(after);;) {
      auto page = read(at, page_size);
      if (!page) return std::move(page).error();
      for (Change& each : *page) {
        at = each.sequence;
        if (!take(each)) continue;
        last_own = at;
        own.push_back(std::move(each));
        if (own.size() == count) return own;
      }
      if (page->size() < page_size) {
        note(last_own, at);
        return own;
      }
    }
  }

 private:
  mutable std::mutex mutex_{};  // guards the rest
  std::uint64_t from_ = 0;
  std::uint64_t to_ = 0;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
