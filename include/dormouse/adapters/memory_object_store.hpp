// SPDX-License-Identifier: MIT
#pragma once

// The reference object store: one locked map in memory. Bytes are never copied once they are stored: readers and copies
// share them.
// Durability: memory. Everything is gone with the object; readers keep what they read.
// Blocking:   while another call has the lock: at most for the infos of one page. Deadlines are read on entry only.
// Errors:     a write that fails, out_of_memory included, has changed nothing.
// Readers:    1,000 positions; beyond: limit_exceeded (store_full).

#include <dormouse/detail/reader_positions.hpp>
#include <dormouse/services/object_store.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct memory_object_store_options {
  // Objects at once, 1 .. 1,000,000,000. Beyond: limit_exceeded (store_full), nothing changed.
  std::size_t objects_max = 1'000'000;
  // Bytes of keys, metadata and objects at once, 1 .. 1 TiB; writers that have not finished do not count. Beyond: the
  // same.
  std::size_t bytes_max = std::size_t{1} << 30U;
  // Changes that are kept for changes(), the last so many, 1 .. 1,000,000.
  std::size_t changes_max = 10'000;
  // What deadlines are compared with, and what `modified` is; must outlive the store. Null: the system's clock.
  const clock* time = nullptr;
};

class memory_object_store final : public object_store {
 public:
  // Throws std::invalid_argument naming the option that is outside its bounds.
  explicit memory_object_store(const memory_object_store_options& options = {});

  [[nodiscard]] object_store_capabilities capabilities() const noexcept override {
    return {.change_log = true, .conditional_put = true, .object_bytes_max = options_.bytes_max};
  }
  [[nodiscard]] durability_level durability() const noexcept override { return durability_level::memory; }
  // Objects now.
  [[nodiscard]] std::size_t size() const;

 private:
  struct stored {
    object_info info{};
    payload data{};
    [[nodiscard]] std::size_t bytes() const noexcept;
  };
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

  // Under the lock: the next change is in the log; nothing has happened when it throws.
  void log(object_change_kind kind, const object_info& info);
  void tell() noexcept;
  [[nodiscard]] std::shared_ptr<const stored> find(std::string_view key) const;
  // Puts `fresh` in the place of the former object of its key, under the conditions.
  result<object_info> replace(stored&& fresh, const object_put_options& options);
  result<object_info> replace_locked(stored&& fresh, const object_put_options& options);

  const memory_object_store_options options_;
  mutable std::mutex mutex_{};  // guards the rest
  std::map<std::string, std::shared_ptr<const stored>, std::less<>> objects_{};
  std::size_t bytes_ = 0;
  std::uint64_t last_change_ = 0;  // etags are made of it, too
  std::deque<object_change> log_{};
  detail::reader_positions positions_{};
  std::mutex watchers_mutex_{};  // guards the watchers; never held together with the other one
  std::vector<change_watcher*> watchers_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/adapters/memory_object_store.ipp>
#endif
