// SPDX-License-Identifier: MIT
#pragma once

// The store behind open_filesystem_object_store(), and the way in for tests, which bring system calls of their own.

#include <dormouse/adapters/filesystem_object_store.hpp>

#include "blob_files.hpp"
#include "object_index.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem {

// Objects of up to so many bytes are in the index: one sync for all of a put, instead of four.
constexpr std::size_t inline_bytes_max = std::size_t{32} << 10U;

// As the function without `io`, which must outlive the store. `vfs`: what SQLite reaches the index through, by the name
// it was registered with; empty: the system's.
result<std::unique_ptr<object_store>> open_filesystem_object_store(const filesystem_object_store_options& options,
                                                                   file_io& io, const std::string& vfs = {});

class filesystem_store final : public object_store {
 public:
  filesystem_store(const filesystem_object_store_options& options, const clock& time, descriptor root,
                   std::unique_ptr<object_index> index, std::unique_ptr<blob_files> files) noexcept;

  [[nodiscard]] object_store_capabilities capabilities() const noexcept override;
  [[nodiscard]] durability_level durability() const noexcept override { return options_.durability; }
  // Removes the files that the index does not know.
  result<void> sweep();

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
  result<std::uint64_t> do_last_change(const call_options& options) override;
  result<std::optional<std::uint64_t>> do_position(std::string_view reader, const call_options& options) override;
  result<void> do_remember(std::string_view reader, std::uint64_t position, const call_options& options) override;
  result<void> do_watch(change_watcher& who) override;
  void do_unwatch(change_watcher& who) noexcept override;

  // After a change has been committed.
  void settle(const made_change& made) noexcept;

  const filesystem_object_store_options options_;
  const descriptor root_;
  const std::unique_ptr<object_index> index_;
  const std::unique_ptr<blob_files> files_;
  std::mutex watchers_mutex_{};  // guards the watchers
  std::vector<change_watcher*> watchers_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem
