// SPDX-License-Identifier: MIT
#pragma once

// The items of a memory_table: a hash finds them, a tree beside it has them in order, and another one those that
// expire. The trees point into the hash, whose nodes stay where they are.

#include <dormouse/detail/name_hash.hpp>
#include <dormouse/services/table_types.hpp>

#include <cstddef>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

struct table_key_hash {
  // Not noexcept, so that libstdc++ keeps each hash beside its key instead of computing it at every step of a search.
  std::size_t operator()(const table_key& key) const {
    return std::size_t{name_hash(key.partition)} << 32U ^ name_hash(key.sort);
  }
};
struct same_table_key {
  bool operator()(const table_key& a, const table_key& b) const noexcept {
    return same_name(a.partition, b.partition) && same_name(a.sort, b.sort);
  }
};

struct memory_row {
  stored_item now{};
  std::size_t bytes = 0;  // of key and item
};
using memory_rows = std::unordered_map<table_key, memory_row, table_key_hash, same_table_key>;
using memory_entry = memory_rows::value_type;

// A place in an order: that of an item, or one before or behind all items of a partition and sort.
struct memory_place {
  std::string_view partition{};
  std::string_view sort{};
  std::string_view key_partition{};  // items of an index may share the first two
  std::string_view key_sort{};
  int side = 0;  // -1: before all of them; 1: behind
};

inline memory_place place_of(const memory_entry* entry) noexcept {
  return {entry->first.partition, entry->first.sort, entry->first.partition, entry->first.sort};
}
inline const memory_place& place_of(const memory_place& place) noexcept { return place; }
inline const memory_entry& entry_of(const memory_entry* entry) noexcept { return *entry; }

inline bool is_before(const memory_place& a, const memory_place& b) noexcept {
  if (const int order = a.partition.compare(b.partition); order != 0) return order < 0;
  if (const int order = a.sort.compare(b.sort); order != 0) return order < 0;
  if (a.side != b.side) return a.side < b.side;
  if (const int order = a.key_partition.compare(b.key_partition); order != 0) return order < 0;
  return a.key_sort < b.key_sort;
}

struct memory_order {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const noexcept {
    return is_before(place_of(a), place_of(b));
  }
};

struct memory_expiry {
  calendar_time when{};
  memory_entry* entry = nullptr;
  friend bool operator<(const memory_expiry& a, const memory_expiry& b) noexcept {
    return a.when != b.when ? a.when < b.when : a.entry->first < b.entry->first;
  }
};

class memory_items {
 public:
  using order_type = std::set<memory_entry*, memory_order>;

  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  [[nodiscard]] memory_entry* find(const table_key& key) {
    const auto found = rows_.find(key);
    return found == rows_.end() ? nullptr : &*found;
  }
  [[nodiscard]] const order_type& order() const noexcept { return order_; }
  [[nodiscard]] const std::set<memory_expiry>& expiring() const noexcept { return expiring_; }

  // A row without an item yet. Precondition: there is none of that key.
  memory_entry& add(table_key&& key) {
    const auto added = rows_.try_emplace(std::move(key)).first;
    try {
      order_.insert(&*added);
    } catch (...) {
      rows_.erase(added);
      throw;
    }
    return *added;
  }
  // That `fresh` may take the place of the entry's item: the only part of it that can fail.
  void prepare(memory_entry& entry, const stored_item& fresh) {
    if (fresh.expires_at) expiring_.insert({*fresh.expires_at, &entry});
  }
  void take_back(memory_entry& entry, const stored_item& fresh) noexcept {
    if (fresh.expires_at && fresh.expires_at != entry.second.now.expires_at) {
      expiring_.erase({*fresh.expires_at, &entry});
    }
  }
  // Precondition: prepared.
  void exchange(memory_entry& entry, stored_item& fresh) noexcept {
    swap_items(entry.second.now, fresh);
    const stored_item& former = fresh;
    take_back(entry, former);
  }
  // Its item is in `former` then.
  void remove(memory_entry& entry, stored_item& former) noexcept {
    if (entry.second.now.expires_at) expiring_.erase({*entry.second.now.expires_at, &entry});
    swap_items(entry.second.now, former);
    order_.erase(&entry);
    rows_.erase(rows_.find(entry.first));
  }

 private:
  // Member by member: a map exchanges its root with another one, where std::swap() of the whole would move it thrice.
  static void swap_items(stored_item& a, stored_item& b) noexcept {
    a.item.swap(b.item);
    std::swap(a.version, b.version);
    std::swap(a.expires_at, b.expires_at);
  }

  memory_rows rows_{};
  order_type order_{};
  std::set<memory_expiry> expiring_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
