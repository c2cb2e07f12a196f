// SPDX-License-Identifier: MIT
// Any bytes are refused with a column inside them, or are a schedule whose next times are later and later.

#include <dormouse/triggers/schedule.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = dormouse::schedule::parse(text);
  if (!parsed) {
    if (parsed.error().code != dormouse::errc::invalid_argument || parsed.error().detail.empty()) std::abort();
    return 0;
  }
  if (parsed->text() != text) std::abort();
  auto last = std::chrono::system_clock::time_point{std::chrono::seconds{1'700'000'000}};
  for (int i = 0; i < 3; ++i) {
    const auto next = parsed->next(last);
    if (!next) break;
    if (*next <= last) std::abort();
    last = *next;
  }
  return 0;
}
