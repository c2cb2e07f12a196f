// SPDX-License-Identifier: MIT
#pragma once

// How far each reader of a log of changes has come, kept in memory. Not locked.

#include <dormouse/detail/service_call.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class reader_positions {
 public:
  static constexpr std::size_t readers_max = 1'000;

  [[nodiscard]] std::optional<std::uint64_t> of(std::string_view reader) const {
    const auto found = positions_.find(reader);
    return found == positions_.end() ? std::optional<std::uint64_t>{} : std::optional<std::uint64_t>{found->second};
  }
  // Fails: limit_exceeded (store_full), out_of_memory.
  result<void> remember(std::string_view reader, std::uint64_t position) {
    if (const auto found = positions_.find(reader); found != positions_.end()) {
      found->second = position;
      return {};
    }
    if (positions_.size() >= readers_max) {
      return refuse_service_call(errc::limit_exceeded, failure_reason::store_full, "{} readers have positions",
                                 readers_max);
    }
    try {
      positions_.emplace(reader, position);
    } catch (const std::bad_alloc&) {  // the interface could only say `unknown`
      return make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
    }
    return {};
  }

 private:
  std::map<std::string, std::uint64_t, std::less<>> positions_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
