// SPDX-License-Identifier: MIT
#pragma once

// What all who have a table of a file open share.

#include <dormouse/adapters/sqlite.hpp>
#include <dormouse/detail/watcher_list.hpp>
#include <dormouse/services/table_types.hpp>

#include "engines/sqlite/engine.hpp"
#include "number_source.hpp"
#include "table_sql.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

struct table_state {
  std::int64_t id = 0;
  table_schema schema{};
  std::vector<placed_index> indexes{};  // those of the schema
  std::size_t places = 0;               // pairs of columns that there are
  table_sql sql{};
  number_source versions{"UPDATE dormouse_tables SET versions = versions + ?2 WHERE id = ?1 RETURNING versions"};
  detail::watcher_list watchers{};
  // Nothing expires before; a hint that spares writes a look. Written by whoever writes the file, read by others.
  std::atomic<std::int64_t> nothing_expires_before{0};

  [[nodiscard]] bool logs() const noexcept { return schema.change_view != table_change_view::none; }
  [[nodiscard]] bool logs_former() const noexcept {
    return schema.change_view == table_change_view::old_item || schema.change_view == table_change_view::both;
  }
  [[nodiscard]] bool logs_current() const noexcept {
    return schema.change_view == table_change_view::new_item || schema.change_view == table_change_view::both;
  }
};

// Makes the table, or brings it to this schema. Fails: unsupported (another format), corruption, as engine::write().
result<std::shared_ptr<table_state>> open_table_state(engine& file, const sqlite_table_options& options);

// Do two declare the same?
[[nodiscard]] bool same_schema(const table_schema& a, const table_schema& b) noexcept;

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
