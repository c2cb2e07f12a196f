// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/platform/directory_watch.hpp>
#include <dormouse/triggers/on_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

inline constexpr std::string_view file_changed_type = "dormouse.file.changed";
inline constexpr std::string_view file_deleted_type = "dormouse.file.deleted";

// What is to be given is a set of paths: whether a file was changed or is gone is seen when its turn comes.
class file_trigger final : public trigger {
 public:
  file_trigger(std::filesystem::path root, on_file_options options)
      : root_(std::move(root)), options_(std::move(options)) {}

  result<void> start(trigger_port& port) override;
  void wake() override;
  void stop() noexcept override { watch_.reset(); }

 private:
  result<void> arm();
  void take_seen();
  void want(std::string path);
  void want_known(const std::string& path);
  void give();
  bool give_one(const std::string& path);
  result<void> post(std::string_view type, const std::string& path);

  std::filesystem::path root_;
  const on_file_options options_;
  trigger_port* port_ = nullptr;
  std::optional<directory_watch> watch_{};
  std::vector<sighting> seen_{};
  std::unordered_set<std::string> wanted_{};
  std::deque<const std::string*> queue_{};  // the same, oldest first
  std::set<std::string> known_{};           // whose end is of interest; empty unless options_.deleted
  clock::time_point give_at_{};
};

DORMOUSE_INLINE result<void> file_trigger::start(trigger_port& port) {
  port_ = &port;
  std::error_code error;
  auto whole = std::filesystem::absolute(root_, error);
  if (!error) root_ = whole.has_filename() ? std::move(whole) : whole.parent_path();  // without the slash at the end
  watch_.emplace(directory_watch_options{.root = root_,
                                         .recursive = options_.recursive,
                                         .existing = options_.existing,
                                         .deleted = options_.deleted,
                                         .hidden = options_.hidden,
                                         .suffix = options_.suffix,
                                         .folders_max = options_.folders_max,
                                         .settle_for = options_.settle_for,
                                         .rescan_every = options_.rescan_every});
  auto opened = watch_->open(port.time().now(), seen_);
  if (opened) {
    take_seen();
    opened = arm();
  }
  if (!opened) watch_.reset();
  return opened;
}

DORMOUSE_INLINE void file_trigger::wake() {
  try {
    watch_->collect(port_->time().now(), seen_);
    take_seen();
    give();
  } catch (...) {
    // Out of memory: what was read may be lost, so all is read again, but not at once.
    watch_->suspect();
    port_->wake_at(port_->time().now() + options_.retry_after).value();
    throw;
  }
  const auto left_out = watch_->take_left_out();
  arm().value();
  if (left_out > 0) throw std::runtime_error(fmt::format("dormouse: on_file: {} folders left out", left_out));
}

// The descriptor last: a start() that fails must not leave one behind that is waited for.
DORMOUSE_INLINE result<void> file_trigger::arm() {
  auto next = watch_->next_look();
  if (!queue_.empty()) next = next ? std::min(*next, give_at_) : give_at_;
  if (watch_->left_out() > 0) next = clock::time_point{};
  if (next) {
    if (auto armed = port_->wake_at(*next); !armed) return armed;
  }
  return watch_->descriptor() < 0 ? result<void>{} : port_->wake_on(watch_->descriptor());
}

DORMOUSE_INLINE void file_trigger::take_seen() {
  for (auto& each : seen_) {
    if (each.kind == sighting_kind::complete) {
      want(std::move(each.path));
    } else if (!options_.deleted) {
      continue;
    } else if (each.kind == sighting_kind::present) {
      known_.insert(std::move(each.path));
    } else {
      want_known(each.path);
    }
  }
  seen_.clear();
}

DORMOUSE_INLINE void file_trigger::want(std::string path) {
  const auto [place, is_new] = wanted_.insert(std::move(path));
  if (!is_new) return;
  try {
    queue_.push_back(&*place);
  } catch (...) {
    wanted_.erase(place);
    throw;
  }
}

// The file, or all below the folder; empty: all.
DORMOUSE_INLINE void file_trigger::want_known(const std::string& path) {
  if (known_.contains(path)) want(path);
  const std::string below = path.empty() ? path : path + '/';
  for (auto each = known_.lower_bound(below); each != known_.end() && each->starts_with(below); ++each) want(*each);
}

DORMOUSE_INLINE void file_trigger::give() {
  constexpr int posts_max = 1'024;  // then the next look has its turn
  const auto now = port_->time().now();
  if (now < give_at_) return;
  for (int posts = 0; posts < posts_max && !queue_.empty(); ++posts) {
    const auto* path = queue_.front();
    if (!give_one(*path)) {
      give_at_ = now + options_.retry_after;
      return;
    }
    queue_.pop_front();
    wanted_.erase(wanted_.find(*path));
  }
}

// False when it has to be offered again.
DORMOUSE_INLINE bool file_trigger::give_one(const std::string& path) {
  std::error_code error;
  const auto type = std::filesystem::symlink_status(root_ / path, error).type();
  const bool is_there = type == std::filesystem::file_type::regular;
  if (type == std::filesystem::file_type::none || (!is_there && !known_.contains(path))) return true;
  const auto posted = post(is_there ? file_changed_type : file_deleted_type, path);
  if (!posted) {
    const errc why = posted.error().code;
    // The others say that there is no function any more, or no runtime.
    return why != errc::throttled && why != errc::limit_exceeded && why != errc::unavailable &&
           why != errc::out_of_memory;
  }
  if (!is_there)
    known_.erase(path);
  else if (options_.deleted)
    known_.insert(path);
  return true;
}

DORMOUSE_INLINE result<void> file_trigger::post(std::string_view type, const std::string& path) {
  event message{.type = std::string(type), .source = "dormouse/on_file", .subject = path};
  message.data = (root_ / path).string();
  return port_->post(std::move(message));
}

[[noreturn]] DORMOUSE_INLINE void refuse_file_option(std::string_view field, std::string_view bounds) {
  throw std::invalid_argument(fmt::format("dormouse: on_file_options::{}: give {}", field, bounds));
}

DORMOUSE_INLINE void check_file_options(const on_file_options& options) {
  using namespace std::chrono_literals;
  constexpr std::size_t suffix_bytes_max = 255;
  constexpr std::size_t folders_max_max = 1'000'000;
  if (options.suffix.size() > suffix_bytes_max || options.suffix.find('/') != std::string::npos) {
    refuse_file_option("suffix", "at most 255 bytes without a slash");
  }
  if (options.settle_for < 1ms || options.settle_for > 1h) refuse_file_option("settle_for", "1 ms .. 1 h");
  if (options.folders_max < 1 || options.folders_max > folders_max_max) {
    refuse_file_option("folders_max", "1 .. 1,000,000");
  }
  if (options.retry_after < 1ms || options.retry_after > 1h) refuse_file_option("retry_after", "1 ms .. 1 h");
  if (options.rescan_every < 10ms || options.rescan_every > 1h) refuse_file_option("rescan_every", "10 ms .. 1 h");
}

}  // namespace detail

DORMOUSE_INLINE std::unique_ptr<trigger> on_file(std::filesystem::path root, on_file_options options) {
  detail::check_file_options(options);
  return std::make_unique<detail::file_trigger>(std::move(root), std::move(options));
}

DORMOUSE_INLINE result<file_event> codec<file_event>::decode(const event& message) {
  const bool is_deleted = message.type == detail::file_deleted_type;
  if ((!is_deleted && message.type != detail::file_changed_type) || message.subject.empty() || message.data.empty()) {
    return detail::not_a("an event of on_file", message.type);
  }
  return file_event{.path = std::string(message.data.text()),
                    .relative = message.subject,
                    .change = is_deleted ? file_change::deleted : file_change::changed};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
