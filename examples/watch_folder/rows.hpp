#pragma once

// What the table holds: a row for each file. Its key is the path below the watched folder.

#include <dormouse/result.hpp>
#include <dormouse/services/table.hpp>

#include "text_statistics.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace watch_folder {

using digests_by_file = std::map<std::string, std::string, std::less<>>;  // path -> 64 hexadecimal digits

[[nodiscard]] dormouse::table_key row_key(const std::filesystem::path& relative);
[[nodiscard]] dormouse::table_item make_row(const std::string& sha256, const text_counts& counts);

// All rows, read page by page.
struct row_totals {
  text_counts sums{};
  std::size_t texts = 0;
  digests_by_file digests{};
};
[[nodiscard]] dormouse::result<row_totals> read_rows(dormouse::table& rows);
// How many there are; 0, too, when they cannot be read.
[[nodiscard]] std::size_t count_rows(dormouse::table& rows);

}  // namespace watch_folder
