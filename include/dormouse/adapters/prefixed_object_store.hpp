// SPDX-License-Identifier: MIT
#pragma once

// The part of an object store whose keys begin with a prefix, as a store of its own: several tenants in one.
//
//   prefixed_object_store mine(shared, "tenant1/");
//   mine.put("report.pdf", bytes);                   // in `shared`: "tenant1/report.pdf"
//
// Keys get the prefix on the way in and lose it on the way out. No call gives an object, a key or a change of another
// prefix. What all share: the store's capacity, its log of changes (whose numbers have gaps here, whose last_change()
// is that of all, and which others' changes may fill), and being told: a watcher here hears of others' changes, too.
// Who holds the store behind this one sees everything; it is no protection from code in the same process.
// Limits:  a key is shorter by the prefix: see capabilities(). Names of readers are the prefix's own.
// Threads, Blocking, Errors: as the inner store, which must outlive this one.

#include <dormouse/detail/forwarding_object_store.hpp>
#include <dormouse/detail/key_prefix.hpp>
#include <dormouse/services/object_store.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class prefixed_object_store final : public detail::forwarding_object_store<detail::plain_forwarding> {
 public:
  // 2 .. 256 bytes of UTF-8 with one '/', at the end: so none begins with another one. Throws std::invalid_argument.
  prefixed_object_store(object_store& inner, std::string prefix);
  [[nodiscard]] object_store_capabilities capabilities() const noexcept override;

 private:
  class upload;
  class download;
  result<std::unique_ptr<object_upload>> do_create(std::string_view key, const object_put_options& options) override;
  result<std::unique_ptr<object_download>> do_open(std::string_view key, const object_get_options& options) override;
  result<object_info> do_head(std::string_view key, const call_options& options) override;
  result<bool> do_erase(std::string_view key, const call_options& options) override;
  result<object_info> do_copy(std::string_view from, std::string_view to, const object_put_options& options) override;
  result<std::vector<object_info>> do_list(std::string_view prefix, std::string_view after, std::size_t count,
                                           const call_options& options) override;
  result<std::vector<object_change>> do_changes(std::uint64_t after, std::size_t count,
                                                const call_options& options) override;
  result<std::optional<std::uint64_t>> do_position(std::string_view reader, const call_options& options) override;
  result<void> do_remember(std::string_view reader, std::uint64_t position, const call_options& options) override;

  [[nodiscard]] result<void> fits(std::string_view key) const;
  result<object_info> own(result<object_info> got) const;

  const detail::key_prefix prefix_;
  detail::foreign_changes foreign_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/adapters/prefixed_object_store.ipp>
#endif
