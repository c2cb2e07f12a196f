#pragma once

// Which table the rows are in: the one choice that the host makes and no handler sees.

#include <dormouse/result.hpp>
#include <dormouse/services/table.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

namespace watch_folder {

enum class row_store { memory, sqlite };

// "memory" or "sqlite"; empty for anything else.
[[nodiscard]] std::optional<row_store> row_store_named(std::string_view name);
[[nodiscard]] std::string_view name_of(row_store which);
// A file of SQLite's is made in `folder`. Fails: unsupported when the demo was built without SQLite; as the file does.
[[nodiscard]] dormouse::result<std::unique_ptr<dormouse::table>> open_rows(row_store which,
                                                                           const std::filesystem::path& folder);

}  // namespace watch_folder
