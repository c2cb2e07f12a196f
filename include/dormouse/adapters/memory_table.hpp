// SPDX-License-Identifier: MIT
#pragma once

// The reference table: everything in memory, behind one lock, with all that the interface can do. Items are found by a
// hash and kept in order beside it; what a table does not use (indexes, a log, items that expire, tokens) costs it
// nothing.
// Durability: memory. Everything is gone with the object.
// Blocking:   while another call has the lock: at most for the copy of one page. Deadlines are read on entry only.
// Errors:     a write that fails, out_of_memory included, has changed nothing but that expired items may be gone.
// Tokens:     kept for 10 minutes, 100,000 at once; beyond: throttled, until the oldest ends.
// Readers:    1,000 positions; beyond: limit_exceeded (store_full).

#include <dormouse/detail/memory_table_indexes.hpp>
#include <dormouse/detail/memory_table_items.hpp>
#include <dormouse/detail/memory_table_log.hpp>
#include <dormouse/detail/memory_table_tokens.hpp>
#include <dormouse/detail/reader_positions.hpp>
#include <dormouse/services/table.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct memory_table_options {
  // Items at once, 1 .. 1,000,000,000. Beyond: limit_exceeded (store_full), nothing changed.
  std::size_t items_max = 1'000'000;
  // Bytes of keys and items at once, and of the answers that are kept for tokens, 1 .. 1 TiB. Beyond: the same. The log
  // keeps as many bytes on top, then drops its oldest changes.
  std::size_t bytes_max = std::size_t{1} << 30U;
  table_schema schema{};
  // What deadlines are compared with, and expiry; must outlive the table. Null: the system's clock.
  const clock* time = nullptr;
};

class memory_table final : public table {
 public:
  // Throws std::invalid_argument naming the option that is outside its bounds.
  explicit memory_table(const memory_table_options& options = {});

  [[nodiscard]] const table_capabilities& capabilities() const noexcept override { return capabilities_; }
  [[nodiscard]] durability_level durability() const noexcept override { return durability_level::memory; }
  // Items now, with those that have expired and are not yet taken away.
  [[nodiscard]] std::size_t size() const;

 private:
  // One write of a call, from its arguments to its answer.
  struct step {
    explicit step(table_write& given) : what(given) {}
    table_write& what;
    detail::memory_entry* entry = nullptr;  // where the item is; null: there is none
    bool existed = false;
    stored_item fresh{};  // what is to be there; when it has been done, what was there
    std::size_t bytes = 0;
  };
  // What a call has added so far, to be taken back if it fails, and what it takes away at its end.
  struct staged {
    detail::memory_index_changes indexes{};
    std::size_t log_entries = 0;
  };

  result<std::optional<stored_item>> do_get(const table_key& key, const table_get_options& options) override;
  result<write_outcome> do_write(table_write&& what, const table_write_options& options) override;
  result<table_page> do_query(const table_query& what, std::string_view after) override;
  result<table_page> do_scan(const table_scan& what, std::string_view after) override;
  result<std::vector<table_version>> do_transact(std::vector<table_write>&& writes,
                                                 const table_transaction_options& options) override;
  result<std::optional<calendar_time>> do_remove_expired(std::size_t count, const call_options& options) override;
  result<std::vector<table_change>> do_changes(std::uint64_t after, std::size_t count,
                                               const call_options& options) override;
  result<std::uint64_t> do_last_change(const call_options& options) override;
  result<std::optional<std::uint64_t>> do_position(std::string_view reader, const call_options& options) override;
  result<void> do_remember(std::string_view reader, std::uint64_t position, const call_options& options) override;
  result<void> do_watch(change_watcher& who) override;
  void do_unwatch(change_watcher& who) noexcept override;

  // The rest is called under the lock, but for tell().
  class writing;
  template <class F>
  auto changing(F&& write) -> decltype(write());
  void tell() noexcept;
  // A write: look at what is there, make what shall be, then do all of it or, if that throws, nothing.
  result<void> look(step& one, std::vector<std::size_t>* failed, std::size_t position);
  result<void> make(step& one);
  [[nodiscard]] result<void> check_room(std::span<const step> steps, std::size_t token_bytes) const;
  void perform(std::span<step> steps, std::string_view token, std::optional<detail::memory_answer>& answer);
  void stage(step& one, staged& so_far);
  void commit(step& one) noexcept;
  void take_back(std::span<step> steps, const staged& so_far) noexcept;
  // The answer to an earlier call with this token; null: there was none.
  result<const detail::memory_answer*> answered(std::string_view token, std::uint64_t fingerprint);
  // Its answer, to be filled in; empty: the call has no token.
  [[nodiscard]] std::optional<detail::memory_answer> answer_to(std::string_view token, std::uint64_t fingerprint) const;

  void log(table_change_kind kind, const table_key& key, const stored_item* former, const stored_item* current);
  void trim_log();
  void expire(detail::memory_entry& entry);
  void expire_some(std::size_t count);
  [[nodiscard]] bool is_there(const detail::memory_row& row) const noexcept;

  struct walk;
  template <class It>
  table_page page_of(It at, It end, const walk& how) const;
  template <class Order>
  result<table_page> query_in(const Order& order, const table_query& what, std::string_view after,
                              const table_index* index) const;

  const memory_table_options options_;
  table_capabilities capabilities_{};
  mutable std::mutex mutex_{};  // guards the rest
  detail::memory_items items_{};
  detail::memory_indexes indexes_;
  detail::memory_log log_{};
  detail::memory_tokens tokens_{};
  detail::reader_positions positions_{};
  std::size_t bytes_ = 0;
  table_version last_version_ = 0;
  std::mutex watchers_mutex_{};  // guards the watchers; never held together with the other one
  std::vector<change_watcher*> watchers_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/adapters/memory_table.ipp>
#include <dormouse/detail/impl/adapters/memory_table_changes.ipp>
#include <dormouse/detail/impl/adapters/memory_table_reads.ipp>
#endif
