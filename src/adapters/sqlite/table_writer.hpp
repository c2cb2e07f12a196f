// SPDX-License-Identifier: MIT
#pragma once

// What writes of a table do within a piece of work of the engine's. When it fails, the engine undoes all of it.

#include <dormouse/services/table.hpp>

#include "engines/sqlite/connection.hpp"
#include "table_state.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

class table_writer {
 public:
  struct outcome {
    stored_item now{};  // of an update; else only its version
    bool existed = false;
  };

  table_writer(connection& in, table_state& of, calendar_time now) noexcept : in_(in), of_(of), now_(now) {}

  // One write, which is left as it is: work may be done again. `former` gets what was there, if it is not null.
  result<outcome> apply(const table_write& what, std::optional<stored_item>* former);
  // Takes away up to `count` items that have expired, if the hint says that there may be some.
  result<void> remove_expired(std::size_t count);
  [[nodiscard]] bool has_logged() const noexcept { return logged_; }
  // Was the hint of when something expires raised? It is wrong when this work is undone.
  [[nodiscard]] bool has_raised_hint() const noexcept { return raised_hint_; }

 private:
  // What is there, as much as was looked at.
  struct former_row {
    std::int64_t id = 0;
    bool expired = false;
    stored_item now{};
    std::string bytes{};  // of the item, for the log
  };
  enum class look : std::uint8_t { none, head, whole };

  [[nodiscard]] look needed_for(const table_write& what, bool wants_former) const noexcept;
  result<std::optional<former_row>> find(const table_key& key, look how);
  result<bool> erase(const table_key& key, const std::optional<former_row>& row, look how);
  result<outcome> store(const table_write& what, const std::optional<former_row>& row);
  result<void> upsert(const table_key& key, const stored_item& now, const table_item& item, std::string& bytes);
  result<void> erase_row(std::int64_t id);
  result<bool> remove_first_expired();
  result<void> note_soonest();
  result<void> log(table_change_kind kind, std::string_view partition, std::string_view sort, const std::string* former,
                   std::optional<std::string_view> current);
  [[nodiscard]] bool has_expired(const std::optional<calendar_time>& when) const noexcept {
    return when && *when <= now_;
  }

  connection& in_;
  table_state& of_;
  const calendar_time now_;
  bool logged_ = false;
  bool raised_hint_ = false;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
