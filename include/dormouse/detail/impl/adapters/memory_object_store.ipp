// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/adapters/memory_object_store.hpp>
#include <dormouse/detail/service_call.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

DORMOUSE_INLINE const memory_object_store_options& checked(const memory_object_store_options& options) {
  const auto refuse = [](const char* option, std::size_t value, const char* bounds) {
    throw std::invalid_argument(
        fmt::format("dormouse: memory_object_store_options::{} is {}; give {}", option, value, bounds));
  };
  if (options.objects_max < 1 || options.objects_max > 1'000'000'000) {
    refuse("objects_max", options.objects_max, "1 .. 1000000000");
  }
  if (options.changes_max < 1 || options.changes_max > 1'000'000) {
    refuse("changes_max", options.changes_max, "1 .. 1000000");
  }
  if (options.bytes_max < 1 || options.bytes_max > std::size_t{1} << 40U) {
    refuse("bytes_max", options.bytes_max, "1 .. 1 TiB");
  }
  return options;
}

DORMOUSE_INLINE failure no_such_object(std::string_view key) noexcept {
  return make_failure(errc::not_found, effect_kind::not_applied, failure_reason::none, key);
}

// Does the former object allow this put? Null: there is none.
DORMOUSE_INLINE result<void> check_condition(const object_info* former, const object_put_options& options) {
  const bool allowed = options.if_absent
                           ? former == nullptr
                           : options.if_match.empty() || (former != nullptr && former->etag == options.if_match);
  if (allowed) return {};
  if (former == nullptr) return refuse_service_call(errc::condition_failed, failure_reason::none, "there is no object");
  return refuse_service_call(errc::condition_failed, failure_reason::none, "the object's etag is {}", former->etag);
}

}  // namespace detail

// ---- what is being written, and read --------------------------------------------------------------------------------

class memory_object_store::upload final : public object_upload {
 public:
  upload(memory_object_store& store, std::string_view key, const object_put_options& options)
      : store_(store), options_(options) {
    fresh_.info.key = key;
    fresh_.info.content_type = options.content_type;
    fresh_.info.metadata = options.metadata;
  }
  result<void> write(std::string_view bytes) override {
    data_.append(bytes);
    return {};
  }
  result<object_info> finish() override {
    fresh_.info.size = data_.size();
    fresh_.data = payload(std::move(data_));
    return store_.replace(std::move(fresh_), options_);
  }

 private:
  memory_object_store& store_;
  const object_put_options options_;
  stored fresh_{};
  std::string data_{};
};

class memory_object_store::download final : public object_download {
 public:
  download(std::shared_ptr<const stored> from, const object_extent& extent)
      : from_(std::move(from)), left_(from_->data.text().substr(extent.offset, extent.length)) {}
  [[nodiscard]] const object_info& info() const noexcept override { return from_->info; }
  result<std::size_t> read(std::span<char> to) override {
    const std::size_t count = std::min(to.size(), left_.size());
    if (count != 0) std::memcpy(to.data(), left_.data(), count);
    left_.remove_prefix(count);
    return count;
  }

 private:
  const std::shared_ptr<const stored> from_;
  std::string_view left_;
};

// ---- the store ------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE memory_object_store::memory_object_store(const memory_object_store_options& options)
    : object_store(options.time != nullptr ? *options.time : detail::system_clock_of_services()),
      options_(detail::checked(options)) {}

DORMOUSE_INLINE std::size_t memory_object_store::size() const {
  const std::lock_guard lock(mutex_);
  return objects_.size();
}

DORMOUSE_INLINE std::size_t memory_object_store::stored::bytes() const noexcept {
  std::size_t all = info.key.size() + info.content_type.size() + data.size();
  for (const auto& [name, value] : info.metadata) all += name.size() + value.size();
  return all;
}

DORMOUSE_INLINE std::shared_ptr<const memory_object_store::stored> memory_object_store::find(
    std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  return found != objects_.end() ? found->second : nullptr;
}

DORMOUSE_INLINE result<object_info> memory_object_store::replace(stored&& fresh, const object_put_options& options) {
  auto put = replace_locked(std::move(fresh), options);
  if (put) tell();
  return put;
}

DORMOUSE_INLINE result<object_info> memory_object_store::replace_locked(stored&& fresh,
                                                                        const object_put_options& options) {
  std::shared_ptr<const stored> former;  // its bytes are let go of without the lock
  try {
    const std::lock_guard lock(mutex_);
    const auto at = objects_.find(fresh.info.key);
    if (at != objects_.end()) former = at->second;
    if (auto fit = detail::check_condition(former != nullptr ? &former->info : nullptr, options); !fit) {
      return std::move(fit).error();
    }
    const std::size_t bytes = bytes_ - (former != nullptr ? former->bytes() : 0) + fresh.bytes();
    const bool too_many = former == nullptr && objects_.size() >= options_.objects_max;
    if (too_many || bytes > options_.bytes_max) {
      return detail::make_failure(errc::limit_exceeded, effect_kind::not_applied, failure_reason::store_full,
                                  too_many ? "objects_max is reached" : "bytes_max is reached");
    }
    fresh.info.modified = time().wall();
    fresh.info.etag = fmt::format("{:x}", last_change_ + 1);
    object_info info = fresh.info;
    auto kept = std::make_shared<const stored>(std::move(fresh));
    const auto place = at != objects_.end() ? at : objects_.emplace(info.key, nullptr).first;
    try {
      log(object_change_kind::put, info);
    } catch (...) {
      if (former == nullptr) objects_.erase(place);
      throw;
    }
    place->second = std::move(kept);
    bytes_ = bytes;
    return info;
  } catch (const std::bad_alloc&) {  // the interface could only say `unknown`
    return detail::make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
  }
}

DORMOUSE_INLINE result<std::unique_ptr<object_upload>> memory_object_store::do_create(
    std::string_view key, const object_put_options& options) {
  return std::unique_ptr<object_upload>(std::make_unique<upload>(*this, key, options));
}

DORMOUSE_INLINE result<std::unique_ptr<object_download>> memory_object_store::do_open(
    std::string_view key, const object_get_options& options) {
  auto found = find(key);
  if (found == nullptr) return detail::no_such_object(key);
  const auto extent = checked_range(options.range, found->info.size);
  if (!extent) return extent.error();
  return std::unique_ptr<object_download>(std::make_unique<download>(std::move(found), *extent));
}

DORMOUSE_INLINE result<object_info> memory_object_store::do_head(std::string_view key, const call_options&) {
  const auto found = find(key);
  if (found == nullptr) return detail::no_such_object(key);
  return found->info;
}

DORMOUSE_INLINE result<bool> memory_object_store::do_erase(std::string_view key, const call_options&) {
  std::shared_ptr<const stored> former;  // as in replace_locked()
  try {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return false;
    log(object_change_kind::erased, found->second->info);
    former = std::move(found->second);
    bytes_ -= former->bytes();
    objects_.erase(found);
  } catch (const std::bad_alloc&) {  // as there, too
    return detail::make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
  }
  tell();
  return true;
}

// ---- changes --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE void memory_object_store::log(object_change_kind kind, const object_info& info) {
  log_.push_back({.sequence = last_change_ + 1, .kind = kind, .info = info});
  ++last_change_;
  if (log_.size() > options_.changes_max) log_.pop_front();
}

DORMOUSE_INLINE void memory_object_store::tell() noexcept {
  const std::lock_guard lock(watchers_mutex_);
  for (change_watcher* const each : watchers_) each->changed();
}

DORMOUSE_INLINE result<std::vector<object_change>> memory_object_store::do_changes(std::uint64_t after,
                                                                                   std::size_t count,
                                                                                   const call_options&) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t dropped = last_change_ - log_.size();  // numbers have no gaps here
  if (after < dropped) {
    return detail::refuse_service_call(errc::expired, failure_reason::none,
                                       "changes up to {} are kept no more (changes_max {})", dropped,
                                       options_.changes_max);
  }
  if (after > last_change_) {
    return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                       "there is no change {} yet; the last one is {}", after, last_change_);
  }
  std::vector<object_change> found;
  for (std::uint64_t at = after; at < last_change_ && found.size() < count; ++at) {
    found.push_back(log_[static_cast<std::size_t>(at - dropped)]);
  }
  return found;
}

DORMOUSE_INLINE result<std::uint64_t> memory_object_store::do_last_change(const call_options&) {
  const std::lock_guard lock(mutex_);
  return last_change_;
}

DORMOUSE_INLINE result<std::optional<std::uint64_t>> memory_object_store::do_position(std::string_view reader,
                                                                                      const call_options&) {
  const std::lock_guard lock(mutex_);
  return positions_.of(reader);
}

DORMOUSE_INLINE result<void> memory_object_store::do_remember(std::string_view reader, std::uint64_t position,
                                                              const call_options&) {
  const std::lock_guard lock(mutex_);
  return positions_.remember(reader, position);
}

DORMOUSE_INLINE result<void> memory_object_store::do_watch(change_watcher& who) {
  const std::lock_guard lock(watchers_mutex_);
  watchers_.push_back(&who);
  return {};
}

DORMOUSE_INLINE void memory_object_store::do_unwatch(change_watcher& who) noexcept {
  const std::lock_guard lock(watchers_mutex_);
  std::erase(watchers_, &who);
}

// ---- copies and lists -----------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<object_info> memory_object_store::do_copy(std::string_view from, std::string_view to,
                                                                 const object_put_options& options) {
  try {
    const auto found = find(from);
    if (found == nullptr) return detail::no_such_object(from);
    stored fresh = *found;
    fresh.info.key = to;
    return replace(std::move(fresh), options);
  } catch (const std::bad_alloc&) {  // as in replace()
    return detail::make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
  }
}

DORMOUSE_INLINE result<std::vector<object_info>> memory_object_store::do_list(std::string_view prefix,
                                                                              std::string_view after, std::size_t count,
                                                                              const call_options&) {
  const std::lock_guard lock(mutex_);
  std::vector<object_info> found;
  auto at = after < prefix ? objects_.lower_bound(prefix) : objects_.upper_bound(after);
  for (; at != objects_.end() && found.size() < count && at->first.starts_with(prefix); ++at) {
    found.push_back(at->second->info);
  }
  return found;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
