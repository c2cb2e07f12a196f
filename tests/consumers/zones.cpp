// SPDX-License-Identifier: MIT
#include <dormouse/triggers/on_schedule.hpp>
#include <dormouse/triggers/time_zones.hpp>

int main() {
  const auto berlin = dormouse::find_time_zone("Europe/Berlin");
  return berlin && dormouse::on_schedule("0 3 * * *", {.zone = *berlin}) != nullptr ? 0 : 1;
}
