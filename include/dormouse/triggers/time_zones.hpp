// SPDX-License-Identifier: MIT
#pragma once

// The time zones of the IANA database, as the system has them installed (Debian: tzdata). Needs the component
// dormouse::time_zones; goes beside either flavour of the library.
//
//   auto berlin = dormouse::find_time_zone("Europe/Berlin").value();
//   runtime.attach(dormouse::on_schedule("0 3 * * *", {.zone = berlin}), nightly).value();
//
// Limits: changes of offset are known up to 2037, as far as the installed files list them; later years keep the last.

#include <dormouse/result.hpp>
#include <dormouse/triggers/schedule.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// What the component's archive has: the same for every flavour of the headers.
namespace dormouse_time_zones {

struct period {
  std::int64_t begin;  // seconds since 1970, UTC
  std::int64_t end;
  std::int64_t offset;  // seconds
};
// A zone, for ever valid, or null. Then `why` says why. Any thread; the first call reads files.
[[nodiscard]] const void* find(std::string_view name, std::string& why);
[[nodiscard]] period at(const void* zone, std::int64_t when);

}  // namespace dormouse_time_zones

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

class iana_zone final : public time_zone {
 public:
  iana_zone(std::string name, const void* found) : name_(std::move(name)), zone_(found) {}
  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] period at(std::chrono::sys_seconds when) const override {
    const auto found = dormouse_time_zones::at(zone_, when.time_since_epoch().count());
    return {.begin = std::chrono::sys_seconds{std::chrono::seconds{found.begin}},
            .end = std::chrono::sys_seconds{std::chrono::seconds{found.end}},
            .offset = std::chrono::seconds{found.offset}};
  }

 private:
  const std::string name_;
  const void* const zone_;
};

}  // namespace detail

// Fails: not_found for a name that is not in the database, unavailable when there is no database. Blocks: the first
// call reads files. Any thread.
[[nodiscard]] inline result<std::shared_ptr<const time_zone>> find_time_zone(std::string_view name) {
  std::string why;
  if (const void* const found = dormouse_time_zones::find(name, why)) {
    return std::shared_ptr<const time_zone>(std::make_shared<detail::iana_zone>(std::string(name), found));
  }
  return failure{.code = why.empty() ? errc::not_found : errc::unavailable,
                 .effect = effect_kind::not_applied,
                 .reason = failure_reason::name,
                 .detail = why.empty() ? "no time zone of that name, as in Europe/Berlin" : why};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
