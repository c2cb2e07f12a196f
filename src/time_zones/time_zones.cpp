// SPDX-License-Identifier: MIT
// dormouse::time_zones: Howard Hinnant's date library, and nothing of it beyond this file.

#include <dormouse/triggers/time_zones.hpp>

#include <date/tz.h>

#include <exception>
#include <stdexcept>

namespace dormouse_time_zones {

const void* find(std::string_view name, std::string& why) {
  try {
    static_cast<void>(date::get_tzdb());
  } catch (const std::exception& none) {
    why = std::string("the time zone database cannot be read: ") + none.what();
    return nullptr;
  }
  try {
    return date::locate_zone(std::string(name));
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

period at(const void* zone, std::int64_t when) {
  const auto info = static_cast<const date::time_zone*>(zone)->get_info(date::sys_seconds{std::chrono::seconds{when}});
  return {.begin = info.begin.time_since_epoch().count(),
          .end = info.end.time_since_epoch().count(),
          .offset = info.offset.count()};
}

}  // namespace dormouse_time_zones
