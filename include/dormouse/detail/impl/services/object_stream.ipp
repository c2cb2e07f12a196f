// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/service_call.hpp>
#include <dormouse/services/object_stream.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

DORMOUSE_INLINE result<object_extent> checked_range(const object_range& range, std::uint64_t size) {
  const auto refused = [&](const char* why) {
    return detail::refuse_service_call(errc::invalid_argument, failure_reason::none, "the range {}", why);
  };
  if (range.suffix) {
    if (range.offset != 0 || range.length)
      return refused("has a suffix and an offset or a length; give one of the two");
    const std::uint64_t length = std::min(*range.suffix, size);
    return object_extent{size - length, length};
  }
  if (range.offset != 0 && range.offset >= size) return refused("begins behind the end of the object");
  const std::uint64_t length = range.length.value_or(std::numeric_limits<std::uint64_t>::max());
  return object_extent{range.offset, std::min(length, size - range.offset)};
}

DORMOUSE_INLINE result<void> object_writer::may_go_on() {
  if (over_) return *over_;
  if (target_ == nullptr) {
    return detail::refuse_service_call(errc::expired, failure_reason::none, "the writer was moved from");
  }
  return detail::in_time(*time_, deadline_);
}

// Fails from now on, with `why`; what has been written so far is dropped.
DORMOUSE_INLINE void object_writer::end(failure why) {
  over_ = std::move(why);
  target_.reset();
}

DORMOUSE_INLINE result<void> object_writer::write(std::string_view bytes) {
  auto written = detail::contained([&](effect_kind&) -> result<void> {
    if (auto may = may_go_on(); !may) return may;
    if (bytes.size() > bytes_left_) {
      return detail::refuse_service_call(errc::too_large, failure_reason::value_bytes,
                                         "the object has more bytes than the store takes");
    }
    bytes_left_ -= bytes.size();
    return target_->write(bytes);
  });
  if (!written && !over_) end(written.error());
  return written;
}

DORMOUSE_INLINE result<object_info> object_writer::finish() {
  auto finished = detail::contained([&](effect_kind& effect) -> result<object_info> {
    if (auto may = may_go_on(); !may) return std::move(may).error();
    effect = effect_kind::unknown;
    return target_->finish();
  });
  if (over_) return finished;
  end(finished ? detail::refuse_service_call(errc::expired, failure_reason::none, "the writer has finished")
               : finished.error());
  return finished;
}

DORMOUSE_INLINE result<std::size_t> object_reader::read(std::span<char> to) {
  auto got = detail::contained([&](effect_kind&) -> result<std::size_t> {
    if (over_) return *over_;
    if (auto fit = detail::in_time(*time_, deadline_); !fit) return std::move(fit).error();
    return source_->read(to);
  });
  if (!got && !over_) over_ = got.error();
  return got;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
