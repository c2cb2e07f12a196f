// SPDX-License-Identifier: MIT

#include <dormouse/adapters/sqlite_file.hpp>

#include "engines/sqlite/engine.hpp"

#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {
namespace {
constexpr std::int32_t application_id = 0x646f726d;  // "dorm"
}  // namespace

result<std::shared_ptr<sqlite_file>> open_sqlite_file(const sqlite_file_options& options) {
  auto opened = sqlite::open_engine({.file = options, .application_id = application_id});
  if (!opened) return std::move(opened).error();
  return std::make_shared<sqlite_file>(std::move(*opened));
}

result<void> check_sqlite_file(sqlite_file& file) { return file.opened().check(); }

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
