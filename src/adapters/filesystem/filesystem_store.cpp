// SPDX-License-Identifier: MIT

#include "filesystem_store.hpp"

#include <dormouse/detail/service_call.hpp>

#include "engines/failpoint.hpp"
#include "object_download.hpp"

#include <algorithm>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem {

namespace {

failure no_such_object(std::string_view key) {
  return detail::make_failure(errc::not_found, effect_kind::not_applied, failure_reason::none, key);
}

}  // namespace

// ---- what is being written ------------------------------------------------------------------------------------------

// Bytes are collected until they make a block, or none follow: then it is known whether there has to be a file.
class filesystem_store::upload final : public object_upload {
 public:
  upload(filesystem_store& store, std::string_view key, const object_put_options& options)
      : store_(store), options_(options) {
    info_.key = key;
    info_.content_type = options.content_type;
    info_.metadata = options.metadata;
  }

  result<void> write(std::string_view bytes) override {
    info_.size += bytes.size();
    if (info_.size > store_.options_.bytes_max) {
      return detail::make_failure(errc::limit_exceeded, effect_kind::not_applied, failure_reason::store_full,
                                  "more bytes than bytes_max");
    }
    while (block_.size() + bytes.size() >= block_bytes) {
      const std::size_t count = block_bytes - block_.size();
      const std::string_view first = bytes.substr(0, count);
      bytes.remove_prefix(count);
      // Whole blocks are not copied together when the caller has them in one piece.
      auto written = block_.empty() ? write_block(first) : write_block(block_.append(first));
      if (!written) return written;
      block_.clear();
    }
    block_.append(bytes);
    return {};
  }

  result<object_info> finish() override {
    return detail::contained([&](effect_kind& effect) -> result<object_info> {
      if (file_ == nullptr && block_.size() <= inline_bytes_max) {
        append_sum(contents_.sums, block_);
        contents_.bytes = std::move(block_);
        return commit(effect);
      }
      if (!block_.empty()) {
        if (auto written = write_block(block_); !written) return std::move(written).error();
      }
      if (auto placed = file_->place(); !placed) return std::move(placed).error();
      contents_.file = file_->name();
      return commit(effect);
    });
  }

 private:
  result<void> write_block(std::string_view block) {
    if (file_ == nullptr) {
      auto staged = store_.files_->stage();
      if (!staged) return std::move(staged).error();
      file_ = std::move(*staged);
    }
    append_sum(contents_.sums, block);
    return file_->write(block);
  }

  result<object_info> commit(effect_kind& effect) {
    effect = effect_kind::unknown;
    // The file is the index's from here on, unless it is certain that it is not.
    if (file_ != nullptr) file_->keep();
    auto made = store_.index_->put(std::move(info_), contents_, options_);
    if (!made) {
      if (file_ != nullptr) file_->keep(made.error().effect != effect_kind::not_applied);
      return std::move(made).error();
    }
    store_.settle(*made);
    return std::move(made->info);
  }

  filesystem_store& store_;
  const object_put_options options_;
  object_info info_{};
  object_contents contents_{};
  std::string block_{};
  std::unique_ptr<staged_blob> file_{};
};

// ---- the store ------------------------------------------------------------------------------------------------------

filesystem_store::filesystem_store(const filesystem_object_store_options& options, const clock& time, descriptor root,
                                   std::unique_ptr<object_index> index, std::unique_ptr<blob_files> files) noexcept
    : object_store(time),
      options_(options),
      root_(std::move(root)),
      index_(std::move(index)),
      files_(std::move(files)) {}

object_store_capabilities filesystem_store::capabilities() const noexcept {
  return {.change_log = true, .conditional_put = true};
}

result<void> filesystem_store::sweep() {
  return index_->with_files([&](const auto& is_known) { return files_->sweep(is_known); });
}

void filesystem_store::settle(const made_change& made) noexcept {
  // Who reads it has it open; who is about to open it looks again (do_open).
  pass(failpoint::index_committed);
  if (!made.unused_file.empty()) {
    files_->remove(made.unused_file);
    pass(failpoint::former_file_removed);
  }
  const std::lock_guard lock(watchers_mutex_);
  for (change_watcher* const each : watchers_) each->changed();
}

result<std::unique_ptr<object_upload>> filesystem_store::do_create(std::string_view key,
                                                                   const object_put_options& options) {
  return std::unique_ptr<object_upload>(std::make_unique<upload>(*this, key, options));
}

// The file that the index names may be gone by the time it is opened: then the object has been replaced or erased, and
// the index says so. Only if it says the same again the file is missing.
result<std::unique_ptr<object_download>> filesystem_store::do_open(std::string_view key,
                                                                   const object_get_options& options) {
  std::string missed;
  for (int tries = 0; tries < 1'000; ++tries) {
    auto found = index_->find(key, options.deadline);
    if (!found) return std::move(found).error();
    if (!*found) return no_such_object(key);
    const auto extent = checked_range(options.range, (*found)->info.size);
    if (!extent) return extent.error();
    if ((*found)->contents.file.empty()) return open_inline(std::move(**found), *extent);
    bool missing = false;
    auto file = files_->open((*found)->contents.file, (*found)->info.size, missing);
    if (file) return open_file(files_->io(), std::move(*file), std::move(**found), *extent);
    if (!missing || missed == (*found)->contents.file) return std::move(file).error();
    missed = (*found)->contents.file;
  }
  return detail::make_failure(errc::unavailable, effect_kind::not_applied, failure_reason::none,
                              "the object is replaced faster than it can be opened");
}

result<object_info> filesystem_store::do_head(std::string_view key, const call_options& options) {
  auto found = index_->head(key, options.deadline);
  if (!found) return std::move(found).error();
  if (!*found) return no_such_object(key);
  return std::move(**found);
}

result<bool> filesystem_store::do_erase(std::string_view key, const call_options& options) {
  const auto made = index_->erase(key, options.deadline);
  if (!made) return made.error();
  if (!*made) return false;
  settle(**made);
  return true;
}

result<object_info> filesystem_store::do_copy(std::string_view from, std::string_view to,
                                              const object_put_options& options) {
  auto made = index_->copy(from, to, options);
  if (!made) return std::move(made).error();
  if (!*made) return no_such_object(from);
  settle(**made);
  return std::move((*made)->info);
}

result<std::vector<object_info>> filesystem_store::do_list(std::string_view prefix, std::string_view after,
                                                           std::size_t count, const call_options& options) {
  return index_->list(prefix, after, count, options.deadline);
}

// ---- changes --------------------------------------------------------------------------------------------------------

result<std::vector<object_change>> filesystem_store::do_changes(std::uint64_t after, std::size_t count,
                                                                const call_options& options) {
  return index_->changes(after, count, options.deadline);
}

result<std::uint64_t> filesystem_store::do_last_change(const call_options& options) {
  return index_->last_change(options.deadline);
}

result<std::optional<std::uint64_t>> filesystem_store::do_position(std::string_view reader,
                                                                   const call_options& options) {
  return index_->position(reader, options.deadline);
}

result<void> filesystem_store::do_remember(std::string_view reader, std::uint64_t position,
                                           const call_options& options) {
  return index_->remember(reader, position, options.deadline);
}

result<void> filesystem_store::do_watch(change_watcher& who) {
  const std::lock_guard lock(watchers_mutex_);
  watchers_.push_back(&who);
  return {};
}

void filesystem_store::do_unwatch(change_watcher& who) noexcept {
  const std::lock_guard lock(watchers_mutex_);
  std::erase(watchers_, &who);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem
