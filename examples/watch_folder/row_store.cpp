#include "row_store.hpp"

#include <dormouse/adapters/memory_table.hpp>
#if defined(WATCH_FOLDER_SQLITE)
#include <dormouse/adapters/sqlite.hpp>
#endif

namespace watch_folder {

std::optional<row_store> row_store_named(std::string_view name) {
  if (name == "memory") return row_store::memory;
  if (name == "sqlite") return row_store::sqlite;
  return std::nullopt;
}

std::string_view name_of(row_store which) { return which == row_store::memory ? "memory" : "sqlite"; }

dormouse::result<std::unique_ptr<dormouse::table>> open_rows(row_store which,
                                                             [[maybe_unused]] const std::filesystem::path& folder) {
  if (which == row_store::memory) return std::unique_ptr<dormouse::table>(std::make_unique<dormouse::memory_table>());
#if defined(WATCH_FOLDER_SQLITE)
  auto file = dormouse::open_sqlite_file({.path = folder / "rows.db"});
  if (!file) return file.error();
  return dormouse::open_sqlite_table(*file, {.name = "rows"});
#else
  return dormouse::failure{.code = dormouse::errc::unsupported,
                           .effect = dormouse::effect_kind::not_applied,
                           .detail = "built without SQLite (Debian: libsqlite3-dev)"};
#endif
}

}  // namespace watch_folder
