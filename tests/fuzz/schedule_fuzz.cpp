// SPDX-License-Identifier: MIT
// Any bytes are refused with a column inside them, or are a schedule whose next times are later and later, in UTC and
// in a zone whose clock is changed every week; and nothing lies between a time and the next.

#include <dormouse/triggers/schedule.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using time_point = dormouse::schedule::time_point;

// Half an hour to and fro, from Sunday to Sunday, at a quarter past.
class restless_zone final : public dormouse::time_zone {
 public:
  std::string_view name() const noexcept override { return "Test/Restless"; }
  period at(std::chrono::sys_seconds when) const override {
    using weeks = std::chrono::duration<std::int64_t, std::ratio<604'800>>;
    const std::chrono::seconds shift = std::chrono::hours{73} + std::chrono::minutes{15};
    const auto week = std::chrono::floor<weeks>(when - shift);
    return {.begin = week + shift,
            .end = week + weeks{1} + shift,
            .offset = std::chrono::minutes{week.time_since_epoch().count() % 2 == 0 ? 60 : 90}};
  }
};

void check_refusal(const dormouse::failure& why, std::size_t size) {
  if (why.code != dormouse::errc::invalid_argument) std::abort();
  constexpr std::string_view begins = "column ";
  if (!why.detail.starts_with(begins) || why.detail.find(": ") == std::string::npos) std::abort();
  const auto column = std::strtoul(why.detail.c_str() + begins.size(), nullptr, 10);
  if (column < 1 || column > size + 1) std::abort();
}

void check_times(const dormouse::schedule& parsed, const dormouse::time_zone& zone) {
  for (const std::int64_t begin : {0LL, 1'700'000'000LL, 9'100'000'000LL}) {
    auto last = time_point{std::chrono::seconds{begin}};
    for (int i = 0; i < 3; ++i) {
      const auto next = parsed.next(last, zone);
      if (!next) break;
      if (*next <= last) std::abort();
      if (!parsed.period() && parsed.next(last + (*next - last) / 2, zone) != next) std::abort();
      if (!parsed.period() && parsed.next(*next - time_point::duration{1}, zone) != next) std::abort();
      last = *next;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = dormouse::schedule::parse(text);
  if (!parsed) {
    check_refusal(parsed.error(), size);
    return 0;
  }
  if (parsed->text() != text) std::abort();
  check_times(*parsed, dormouse::time_zone::utc());
  check_times(*parsed, restless_zone{});
  return 0;
}
