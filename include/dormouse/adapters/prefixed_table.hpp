// SPDX-License-Identifier: MIT
#pragma once

// The part of a table whose partitions begin with a prefix, as a table of its own: several tenants in one.
//
//   prefixed_table mine(shared, "tenant1/");
//   mine.put({"ann", ""}, item);                     // in `shared`: the partition "tenant1/ann"
//
// Partitions get the prefix on the way in and lose it on the way out. No call gives an item, a key or a change of
// another prefix. What all share: the table's capacity; its log of changes (whose numbers have gaps here, whose
// last_change() is that of all, and which others' changes may fill); being told (a watcher here hears of others'
// changes, too); remove_expired(), which works on all, and whose answer is theirs; and scan(), which goes through all:
// a page of it may be empty and have a cursor. Who holds the table behind this one sees everything; it is no protection
// from code in the same process.
// There are no indexes: those of the shared table have everybody's items in one partition, and pages of others' items
// cannot be told from pages of none.
// Limits:  a partition is shorter by the prefix: see capabilities(). Names of readers and tokens are the prefix's own.
// Threads, Blocking, Errors: as the inner table, which must outlive this one.

#include <dormouse/detail/forwarding_table.hpp>
#include <dormouse/detail/key_prefix.hpp>
#include <dormouse/services/table.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class prefixed_table final : public detail::forwarding_table<detail::plain_forwarding> {
 public:
  // 2 .. 256 bytes of UTF-8 with one '/', at the end: so none begins with another one. Throws std::invalid_argument.
  prefixed_table(table& inner, std::string prefix);
  [[nodiscard]] const table_capabilities& capabilities() const noexcept override { return capabilities_; }

 private:
  result<std::optional<stored_item>> do_get(const table_key& key, const table_get_options& options) override;
  result<write_outcome> do_write(table_write&& what, const table_write_options& options) override;
  result<table_page> do_query(const table_query& what, std::string_view after) override;
  result<table_page> do_scan(const table_scan& what, std::string_view after) override;
  result<table_batch> do_get_batch(const std::vector<table_key>& keys, const table_get_options& options) override;
  result<std::vector<result<table_version>>> do_write_batch(std::vector<table_write>&& writes,
                                                            const call_options& options) override;
  result<std::vector<table_version>> do_transact(std::vector<table_write>&& writes,
                                                 const table_transaction_options& options) override;
  result<std::vector<table_change>> do_changes(std::uint64_t after, std::size_t count,
                                               const call_options& options) override;
  result<std::optional<std::uint64_t>> do_position(std::string_view reader, const call_options& options) override;
  result<void> do_remember(std::string_view reader, std::uint64_t position, const call_options& options) override;

  // Puts the prefix before it. Fails: key_bytes.
  result<void> put_on(std::string& partition) const;
  result<void> put_on(std::vector<table_write>& writes) const;
  [[nodiscard]] std::string own_token(const std::string& token) const;

  const detail::key_prefix prefix_;
  table_capabilities capabilities_{};
  detail::foreign_changes foreign_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/adapters/prefixed_table.ipp>
#endif
