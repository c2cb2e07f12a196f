// SPDX-License-Identifier: MIT
#pragma once

// The reference table: one locked map in memory. The fastest to read, and what tests and small hosts need.
// Durability: memory. Everything is gone with the object.
// Blocking:   while another call has the lock: at most for the copy of one page. Deadlines are read on entry only.
// Errors:     a write that fails, out_of_memory included, has changed nothing.

#include <dormouse/services/table.hpp>

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct memory_table_options {
  // Items at once, 1 .. 1,000,000,000. Beyond: limit_exceeded (store_full), nothing changed.
  std::size_t items_max = 1'000'000;
  // Bytes of keys and items at once, 1 .. 1 TiB. Beyond: the same.
  std::size_t bytes_max = std::size_t{1} << 30U;
  // What deadlines are compared with; must outlive the table. Null: the system's clock.
  const clock* time = nullptr;
};

class memory_table final : public table {
 public:
  // Throws std::invalid_argument naming the option that is outside its bounds.
  explicit memory_table(const memory_table_options& options = {});

  [[nodiscard]] table_capabilities capabilities() const noexcept override { return {}; }
  [[nodiscard]] durability_level durability() const noexcept override { return durability_level::memory; }
  // Items now.
  [[nodiscard]] std::size_t size() const;

 private:
  result<std::optional<table_item>> do_get(const table_key& key, const table_call_options& options) override;
  result<void> do_put(const table_key& key, table_item&& item, const table_call_options& options) override;
  result<bool> do_erase(const table_key& key, const table_call_options& options) override;
  result<std::vector<table_entry>> do_list(std::string_view partition_prefix, const table_key* after, std::size_t count,
                                           const table_call_options& options) override;

  const memory_table_options options_;
  mutable std::mutex mutex_{};
  std::map<table_key, table_item> items_{};
  std::size_t bytes_ = 0;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/adapters/memory_table.ipp>
#endif
