#include "rows.hpp"

#include <utility>
#include <variant>

namespace watch_folder {

namespace {

// The attribute of that name, or T{} when there is none of that type.
template <class T>
T value(const dormouse::table_item& item, std::string_view name) {
  const auto found = item.find(name);
  const T* held = found == item.end() ? nullptr : std::get_if<T>(&found->second);
  return held == nullptr ? T{} : *held;
}

void add_row(row_totals& totals, const dormouse::table_entry& row) {
  totals.sums.bytes += value<std::int64_t>(row.item, "bytes");
  if (value<bool>(row.item, "is_text")) {
    ++totals.texts;
    totals.sums.lines += value<std::int64_t>(row.item, "lines");
    totals.sums.words += value<std::int64_t>(row.item, "words");
  }
  totals.digests.emplace(row.key.partition, value<std::string>(row.item, "sha256"));
}

}  // namespace

dormouse::table_key row_key(const std::filesystem::path& relative) { return {.partition = relative.string()}; }

dormouse::table_item make_row(const std::string& sha256, const text_counts& counts) {
  return {{"sha256", sha256},
          {"bytes", counts.bytes},
          {"lines", counts.lines},
          {"words", counts.words},
          {"is_text", counts.is_text}};
}

dormouse::result<row_totals> read_rows(dormouse::table& rows) {
  row_totals totals;
  dormouse::table_scan where{.page_size = dormouse::table::page_size_max};
  do {
    auto page = rows.scan(where);
    if (!page) return page.error();
    for (const auto& row : page->entries) add_row(totals, row);
    where.cursor = std::move(page->cursor);
  } while (!where.cursor.empty());
  return totals;
}

std::size_t count_rows(dormouse::table& rows) {
  std::size_t count = 0;
  dormouse::table_scan where{.projection = {"bytes"}, .page_size = dormouse::table::page_size_max};
  do {
    auto page = rows.scan(where);
    if (!page) return 0;
    count += page->entries.size();
    where.cursor = std::move(page->cursor);
  } while (!where.cursor.empty());
  return count;
}

}  // namespace watch_folder
