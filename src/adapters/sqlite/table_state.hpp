// SPDX-License-Identifier: MIT
#pragma once

// What all who have a table of a file open share.

#include <dormouse/adapters/sqlite.hpp>
#include <dormouse/services/change_watcher.hpp>
#include <dormouse/services/table_types.hpp>

#include "engines/sqlite/engine.hpp"
#include "table_sql.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

// Versions, each given away once and greater than those before, though the file only hears of every millionth: whole
// blocks are taken from it, in a commit of their own. What is left of a block when the process ends is skipped.
class version_source {
 public:
  // Before the work that calls next(), and not within any: there are enough for it.
  result<void> prepare(engine& file, std::int64_t table_id, const deadline& until);
  // Fails: throttled, when hundreds of writers came between.
  result<table_version> next();

 private:
  std::mutex mutex_{};
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
};

class watcher_list {
 public:
  void add(change_watcher& who);
  void remove(change_watcher& who) noexcept;
  void tell() noexcept;

 private:
  std::mutex mutex_{};
  std::vector<change_watcher*> watchers_{};
};

struct table_state {
  std::int64_t id = 0;
  table_schema schema{};
  std::vector<placed_index> indexes{};  // those of the schema
  std::size_t places = 0;               // pairs of columns that there are
  table_sql sql{};
  version_source versions{};
  watcher_list watchers{};
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
