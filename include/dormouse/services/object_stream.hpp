// SPDX-License-Identifier: MIT
#pragma once

// An object on its way into a store or out of it, piece by piece, and what is known of it beside its bytes.
// Threads: one at a time. Errors: as in object_store.hpp; after a failure a writer or reader fails again, in the same
// way. Owning: they belong to the caller; their store must outlive them.

#include <dormouse/clock.hpp>
#include <dormouse/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// Names are 1 .. 255 bytes of [a-z0-9_-], values printable ASCII: what fits into a header of HTTP.
using object_metadata = std::map<std::string, std::string, std::less<>>;

struct object_info {
  std::string key{};
  std::uint64_t size = 0;  // bytes
  // Changes with every put to the key, even of the same bytes. Opaque printable text; compare for equality only.
  std::string etag{};
  std::chrono::system_clock::time_point modified{};
  std::string content_type{};
  object_metadata metadata{};
};

// Which bytes of an object. Default: all.
struct object_range {
  std::uint64_t offset = 0;               // from the start; below the object's size, or 0
  std::optional<std::uint64_t> length{};  // at most so many; empty: to the end
  std::optional<std::uint64_t> suffix{};  // instead of both: the last so many bytes, or all if there are fewer
};

// What an adapter makes for one put. Destroyed without finish(): nothing has happened.
class object_upload {
 public:
  virtual ~object_upload() = default;
  virtual result<void> write(std::string_view bytes) = 0;
  // Called once, last. The object is there, with the durability of the store, when it returns.
  virtual result<object_info> finish() = 0;
};

// What an adapter makes for one read.
class object_download {
 public:
  virtual ~object_download() = default;
  [[nodiscard]] virtual const object_info& info() const noexcept = 0;
  // Fills `to` from its start; fewer bytes than it holds only at the end of the range. 0: there are no more.
  virtual result<std::size_t> read(std::span<char> to) = 0;
};

// A put in progress. Dropped before finish() it changes nothing.
class object_writer {
 public:
  // Takes the next bytes. Fails: too_large (value_bytes) beyond the store's object_bytes_max, deadline_exceeded
  // (caller_deadline), limit_exceeded (store_full), unavailable, out_of_memory, expired after finish().
  result<void> write(std::string_view bytes);
  // Makes it the object of its key. Fails as write, and: condition_failed.
  result<object_info> finish();

 private:
  friend class object_store;
  object_writer(std::unique_ptr<object_upload> target, const clock& time, std::uint64_t bytes_max,
                const std::optional<clock::time_point>& deadline) noexcept
      : target_(std::move(target)), time_(&time), bytes_left_(bytes_max), deadline_(deadline) {}
  result<void> may_go_on();
  void end(failure why);

  std::unique_ptr<object_upload> target_;
  const clock* time_;
  std::uint64_t bytes_left_;
  std::optional<clock::time_point> deadline_;
  std::optional<failure> over_{};  // why no more is taken
};

// A read in progress.
class object_reader {
 public:
  // Of the whole object, whatever the range.
  [[nodiscard]] const object_info& info() const noexcept { return source_->info(); }
  // Fills `to`; fewer bytes than it holds only at the end of the range, 0 behind it. Fails: deadline_exceeded
  // (caller_deadline), corruption, unavailable, out_of_memory.
  result<std::size_t> read(std::span<char> to);

 private:
  friend class object_store;
  object_reader(std::unique_ptr<object_download> source, const clock& time,
                const std::optional<clock::time_point>& deadline) noexcept
      : source_(std::move(source)), time_(&time), deadline_(deadline) {}

  std::unique_ptr<object_download> source_;
  const clock* time_;
  std::optional<clock::time_point> deadline_;
  std::optional<failure> over_{};
};

// For adapters: the first byte and the number of bytes of a range in an object of that size. Fails: invalid_argument
// when it begins behind the end, or is two things at once.
struct object_extent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
result<object_extent> checked_range(const object_range& range, std::uint64_t size);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/services/object_stream.ipp>
#endif
