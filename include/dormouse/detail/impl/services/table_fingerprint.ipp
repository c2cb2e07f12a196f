// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/table_digest.hpp>
#include <dormouse/detail/table_fingerprint.hpp>

#include <optional>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE void add_write(table_digest& all, const table_write& what) noexcept {
  all.add(static_cast<std::uint64_t>(what.kind));
  all.add(std::string_view(what.key.partition));
  all.add(std::string_view(what.key.sort));
  all.add(what.item);
  all.add(std::uint64_t{what.update.actions().size()});
  for (const update_action& each : what.update.actions()) {
    all.add(static_cast<std::uint64_t>(each.kind));
    all.add(each.path);
    all.add(each.value);
  }
  all.add(std::uint64_t{what.when.if_absent} << 1U | std::uint64_t{what.when.if_exists});
  all.add(what.when.if_version);
  all.add(what.when.holds.fingerprint());
  all.add(std::uint64_t{what.expires_at.has_value()});
  if (what.expires_at) all.add(static_cast<std::uint64_t>(what.expires_at->time_since_epoch().count()));
}

DORMOUSE_INLINE std::uint64_t fingerprint_of(const table_write& what) noexcept {
  table_digest all;
  all.add(std::string_view("write"));
  add_write(all, what);
  return all.value();
}

DORMOUSE_INLINE std::uint64_t fingerprint_of(const std::vector<table_write>& writes) noexcept {
  table_digest all;
  all.add(std::string_view("transact"));
  for (const table_write& each : writes) add_write(all, each);
  return all.value();
}

DORMOUSE_INLINE std::uint64_t fingerprint_of(const table_query& what) noexcept {
  table_digest all;
  for (const std::string_view each : {std::string_view("query"), std::string_view(what.partition),
                                      std::string_view(what.index), std::string_view(what.sort.prefix)}) {
    all.add(each);
  }
  for (const auto* each : {&what.sort.from, &what.sort.to}) {
    all.add(std::uint64_t{each->has_value()});
    if (*each) all.add(std::string_view(**each));
  }
  all.add(std::uint64_t{what.descending});
  all.add(what.filter.fingerprint());
  for (const std::string& each : what.projection) all.add(std::string_view(each));
  return all.value();
}

DORMOUSE_INLINE std::uint64_t fingerprint_of(const table_scan& what) noexcept {
  table_digest all;
  all.add(std::string_view("scan"));
  all.add(std::uint64_t{what.segment});
  all.add(std::uint64_t{what.segments});
  all.add(what.filter.fingerprint());
  for (const std::string& each : what.projection) all.add(std::string_view(each));
  return all.value();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
