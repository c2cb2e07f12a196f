// SPDX-License-Identifier: MIT
#pragma once

// The second orders of a memory_table. What a write adds to them is added at once, and taken away again if the write
// fails; what it removes is removed at its end, which cannot fail.

#include <dormouse/detail/memory_table_items.hpp>
#include <dormouse/services/table.hpp>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

struct memory_index_entry {
  table_key at{};  // in the index
  memory_entry* entry = nullptr;
};

inline memory_place place_of(const memory_index_entry& each) noexcept {
  return {each.at.partition, each.at.sort, each.entry->first.partition, each.entry->first.sort};
}
inline const memory_entry& entry_of(const memory_index_entry& each) noexcept { return *each.entry; }

struct memory_index {
  using order_type = std::set<memory_index_entry, memory_order>;
  const table_index* what = nullptr;
  order_type order{};
};

struct memory_index_changes {
  using place = std::pair<memory_index*, memory_index::order_type::iterator>;
  std::vector<place> added{};
  std::vector<place> left{};
};

class memory_indexes {
 public:
  explicit memory_indexes(const std::vector<table_index>& declared) {
    for (const table_index& each : declared) all_.push_back({&each, {}});
  }

  [[nodiscard]] const memory_index* find(std::string_view name) const noexcept {
    for (const memory_index& each : all_) {
      if (each.what->name == name) return &each;
    }
    return nullptr;
  }
  // `former` is to be `fresh`; null: not there. When it throws, all that `changes` says it has added is still there.
  void prepare(memory_entry& entry, const table_item* former, const table_item* fresh, memory_index_changes& changes) {
    for (memory_index& each : all_) {
      auto old_place = former != nullptr ? table_index_key(*each.what, *former) : std::nullopt;
      auto new_place = fresh != nullptr ? table_index_key(*each.what, *fresh) : std::nullopt;
      if (old_place == new_place) continue;
      if (changes.added.size() == changes.added.capacity()) {  // so that nothing is added that is not noted
        changes.added.reserve(2 * changes.added.size() + all_.size());
      }
      if (old_place) changes.left.emplace_back(&each, each.order.find(memory_index_entry{*old_place, &entry}));
      if (new_place) changes.added.emplace_back(&each, each.order.insert({std::move(*new_place), &entry}).first);
    }
  }
  static void finish(const std::vector<memory_index_changes::place>& gone) noexcept {
    for (const auto& [index, place] : gone) index->order.erase(place);
  }

 private:
  std::vector<memory_index> all_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
