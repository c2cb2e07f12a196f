// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/platform/directory_watch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE void folder_reader::clear() noexcept {
  waiting_.clear();
  open_.reset();
}

// 0, or what prevented it.
DORMOUSE_INLINE int folder_reader::open_next() {
  folder_ = std::move(waiting_.front());
  waiting_.pop_front();
  const auto where = folder_.empty() ? root_ : root_ / folder_;
  const int opened = ::open(where.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | (folder_.empty() ? 0 : O_NOFOLLOW));
  if (opened < 0) return errno;
  open_.reset(::fdopendir(opened));
  if (open_ != nullptr) return 0;
  const int error = errno;
  ::close(opened);
  return error;
}

DORMOUSE_INLINE folder_reader::kind folder_reader::kind_of(const dirent& found) const noexcept {
  if (found.d_type == DT_REG) return kind::file;
  if (found.d_type == DT_DIR) return kind::folder;
  if (found.d_type != DT_UNKNOWN) return kind::other;
  struct stat asked {};  // some file systems do not say
  if (::fstatat(::dirfd(open_.get()), found.d_name, &asked, AT_SYMLINK_NOFOLLOW) != 0) return kind::other;
  return S_ISREG(asked.st_mode) ? kind::file : S_ISDIR(asked.st_mode) ? kind::folder : kind::other;
}

DORMOUSE_INLINE bool folder_reader::next(entry& out) {
  for (;;) {
    int error = 0;
    if (open_ == nullptr) {
      if (waiting_.empty()) return false;
      error = open_next();
    }
    const dirent* found = nullptr;
    if (error == 0) {
      errno = 0;
      found = ::readdir(open_.get());
      error = found == nullptr ? errno : 0;
    }
    if (found == nullptr) open_.reset();
    if (error != 0) {
      out = {folder_, kind::unreadable, error};
      return true;
    }
    if (found == nullptr) continue;
    const std::string_view name = found->d_name;
    const kind what = kind_of(*found);
    if (what == kind::other || name == "." || name == "..") continue;
    out.path.assign(folder_).append(folder_.empty() ? "" : "/").append(name);
    out.what = what;
    out.error = 0;
    return true;
  }
}

DORMOUSE_INLINE directory_watch::directory_watch(directory_watch_options options) : options_(std::move(options)) {}

[[nodiscard]] DORMOUSE_INLINE std::string_view last_name(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

DORMOUSE_INLINE bool directory_watch::is_wanted_file(std::string_view path) const {
  const auto name = last_name(path);
  return name.ends_with(options_.suffix) && (options_.hidden || !name.starts_with('.'));
}

DORMOUSE_INLINE bool directory_watch::is_wanted_folder(std::string_view path) const {
  return options_.recursive && (options_.hidden || !last_name(path).starts_with('.'));
}

DORMOUSE_INLINE failure directory_watch::why_not(int error, const std::string& path) const {
  const auto because = [&](errc code, failure_reason reason, std::string_view text) {
    return failure{.code = code,
                   .effect = effect_kind::not_applied,
                   .reason = reason,
                   .detail = fmt::format("on_file: {}: {}", absolute(path).string(), text),
                   .native_code = std::max(error, 0)};
  };
  const auto said = [&] { return std::generic_category().message(error); };
  switch (error) {
    case too_many_folders:
      return because(errc::limit_exceeded, failure_reason::descriptors,
                     fmt::format("more than {} folders (on_file_options::folders_max)", options_.folders_max));
    case ENOSPC:
      return because(errc::limit_exceeded, failure_reason::descriptors,
                     "the system watches no more folders (sysctl fs.inotify.max_user_watches)");
    case EMFILE:
    case ENFILE:
      return because(errc::limit_exceeded, failure_reason::descriptors,
                     said() + " (or sysctl fs.inotify.max_user_instances)");
    case ENOENT: return because(errc::not_found, failure_reason::path, said());
    case EACCES:
    case EPERM: return because(errc::permission_denied, failure_reason::path, said());
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG: return because(errc::invalid_argument, failure_reason::path, said());
    case ENOMEM: return because(errc::out_of_memory, failure_reason::none, said());
    default: return because(errc::unavailable, failure_reason::path, said());
  }
}

// What vanished between two looks, or has become something else, is not left out: it is not there.
DORMOUSE_INLINE void directory_watch::leave_out(int error) noexcept {
  if (error != ENOENT && error != ENOTDIR && error != ELOOP) ++left_out_;
}

#if DORMOUSE_PLATFORM_LINUX

DORMOUSE_INLINE result<void> directory_watch::open(time_point now, std::vector<sighting>& seen) {
  descriptor_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor_ < 0) return why_not(errno, {});
  const auto fail = [&](int error, const std::string& path) {
    auto why = why_not(error, path);
    close();
    return why;
  };
  if (const int error = enter({}); error != 0) return fail(error, {});
  // To read the folder is one right, and all that inotify asks for; to look at what is in it is another.
  if (::faccessat(AT_FDCWD, options_.root.c_str(), X_OK, AT_EACCESS) != 0) return fail(errno, {});
  folder_reader::entry found;
  while (reader_.next(found)) {
    if (found.what == folder_reader::kind::file && is_wanted_file(found.path)) {
      if (options_.existing)
        doubt(std::move(found.path), now, origin::found);
      else if (options_.deleted)
        seen.push_back({std::move(found.path), sighting_kind::present});
      continue;
    }
    int error = found.error;
    if (found.what == folder_reader::kind::folder && is_wanted_folder(found.path)) error = enter(found.path);
    const bool is_limit = error == too_many_folders || error == ENOSPC || error == EMFILE || error == ENFILE;
    if (error != 0 && (is_limit || found.path.empty())) return fail(error, found.path);
    if (error != 0) leave_out(error);
  }
  return {};
}

DORMOUSE_INLINE void directory_watch::close() noexcept {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  folders_.clear();
  watches_.clear();
  unsure_.clear();
  looks_.clear();
  reader_.clear();
}

DORMOUSE_INLINE void directory_watch::collect(time_point now, std::vector<sighting>& seen) {
  if (std::exchange(suspect_, false)) start_over(now, seen);
  read_events(now, seen);
  if (is_lost_ && find_root_at_ <= now) find_root(now);
  if (read_folders_at_ <= now) read_folders(now);
  look_at_unsure(now, seen);
}

DORMOUSE_INLINE std::optional<directory_watch::time_point> directory_watch::next_look() const {
  std::optional<time_point> next;
  const auto at = [&](time_point when) { next = next ? std::min(*next, when) : when; };
  if (suspect_) at({});
  if (is_lost_) at(find_root_at_);
  if (!reader_.idle()) at(read_folders_at_);
  if (!looks_.empty()) at(looks_.begin()->first);
  return next;
}

// Watches a folder and has it read: in this order, so that nothing falls between. 0, or what prevented it.
DORMOUSE_INLINE int directory_watch::enter(const std::string& path) {
  const auto known = watches_.find(path);
  if (known == watches_.end() && folders_.size() >= options_.folders_max) return too_many_folders;
  constexpr std::uint32_t wanted = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;
  const std::uint32_t mask = wanted | (path.empty() ? IN_DELETE_SELF | IN_MOVE_SELF : IN_DONT_FOLLOW);
  const int watch = ::inotify_add_watch(descriptor_, absolute(path).c_str(), mask);
  if (watch < 0) return errno;
  const auto [place, is_new] = folders_.try_emplace(watch, folder{path, 0});
  folder& at = place->second;
  // Watched under this name since it was read, or will be: nothing was missed, and its event only comes late.
  if (!is_new && at.path == path && at.generation == generation_) return 0;
  reader_.add(path);
  // The system watches folders, not names. One that is known by another name was renamed, and the event is on its way.
  if (!is_new && at.path != path) unname(watch, at.path);
  // And the name may have stood for another folder until now.
  if (known != watches_.end() && known->second != watch) forget(known->second);
  watches_[path] = watch;
  at.path = path;
  at.generation = generation_;
  return 0;
}

DORMOUSE_INLINE void directory_watch::unname(int watch, const std::string& path) noexcept {
  const auto known = watches_.find(path);
  if (known != watches_.end() && known->second == watch) watches_.erase(known);
}

DORMOUSE_INLINE void directory_watch::forget(int watch) noexcept {
  const auto known = folders_.find(watch);
  if (known == folders_.end()) return;
  unname(watch, known->second.path);
  folders_.erase(known);
  ::inotify_rm_watch(descriptor_, watch);  // fails when the folder is gone: then the system has done so
}

// What the folders below still have to say has no meaning any more: where the tree turns up again, it is entered and
// read anew.
DORMOUSE_INLINE void directory_watch::forget_tree(const std::string& path) {
  if (const auto top = watches_.find(path); top != watches_.end()) forget(top->second);
  const std::string below = path + '/';
  for (auto next = watches_.lower_bound(below); next != watches_.end() && next->first.starts_with(below);) {
    const auto each = next++;
    forget(each->second);
  }
}

DORMOUSE_INLINE void directory_watch::lose_root(time_point now, std::vector<sighting>& seen) {
  seen.push_back({{}, sighting_kind::gone});
  for (const auto& [watch, at] : folders_) ::inotify_rm_watch(descriptor_, watch);
  folders_.clear();
  watches_.clear();
  unsure_.clear();
  looks_.clear();
  reader_.clear();
  is_rereading_ = false;
  is_lost_ = true;
  find_root_at_ = now;
}

DORMOUSE_INLINE void directory_watch::find_root(time_point now) {
  is_lost_ = enter({}) != 0;
  find_root_at_ = now + std::chrono::seconds{1};
}

// Reads all again, and then drops the watches of folders that were not met: the news of their end was lost.
DORMOUSE_INLINE void directory_watch::start_over(time_point now, std::vector<sighting>& seen) {
  suspect_ = true;  // until this is done
  seen.push_back({{}, sighting_kind::gone});
  ++generation_;
  reader_.clear();
  unsure_.clear();  // they will be found
  looks_.clear();
  is_rereading_ = true;
  if (!is_lost_ && enter({}) != 0) lose_root(now, seen);
  suspect_ = false;
}

DORMOUSE_INLINE void directory_watch::drop_unvisited() noexcept {
  is_rereading_ = false;
  for (auto next = folders_.begin(); next != folders_.end();) {
    const auto each = next++;
    if (each->second.generation != generation_) forget(each->first);
  }
}

DORMOUSE_INLINE void directory_watch::read_events(time_point now, std::vector<sighting>& seen) {
  alignas(inotify_event) std::array<char, 32'768> buffer;
  constexpr int reads_max = 32;  // then the descriptor stays readable, and the rest comes with the next look
  for (int reads = 0; reads < reads_max; ++reads) {
    const auto bytes = ::read(descriptor_, buffer.data(), buffer.size());
    if (bytes <= 0) return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(bytes);) {
      const auto* happened = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += sizeof(inotify_event) + happened->len;
      handle(*happened, now, seen);
    }
  }
}

DORMOUSE_INLINE void directory_watch::handle(const inotify_event& happened, time_point now,
                                             std::vector<sighting>& seen) {
  if ((happened.mask & IN_Q_OVERFLOW) != 0) return start_over(now, seen);
  const auto known = folders_.find(happened.wd);
  if (known == folders_.end()) return;  // of a watch that was dropped
  const std::string parent = known->second.path;
  if ((happened.mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
    if (parent.empty()) return lose_root(now, seen);
    // Removed, or unmounted: then another folder may show under its name.
    forget(happened.wd);
    if (const int error = enter(parent); error != 0) leave_out(error);
    return;
  }
  if (happened.len == 0) return;
  std::string path = parent.empty() ? happened.name : parent + '/' + happened.name;
  if ((happened.mask & IN_ISDIR) != 0) return handle_folder(happened.mask, path, seen);
  handle_file(happened.mask, std::move(path), now, seen);
}

DORMOUSE_INLINE void directory_watch::handle_folder(std::uint32_t mask, const std::string& path,
                                                    std::vector<sighting>& seen) {
  if (!is_wanted_folder(path)) return;
  if ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0) {
    forget_tree(path);
    seen.push_back({path, sighting_kind::gone});
  } else if (const int error = enter(path); error != 0) {
    leave_out(error);
  }
}

DORMOUSE_INLINE void directory_watch::handle_file(std::uint32_t mask, std::string path, time_point now,
                                                  std::vector<sighting>& seen) {
  if (!is_wanted_file(path)) return;
  if ((mask & IN_CREATE) != 0) return doubt(std::move(path), now, origin::named);
  trust(path);
  const bool is_gone = (mask & (IN_DELETE | IN_MOVED_FROM)) != 0;
  seen.push_back({std::move(path), is_gone ? sighting_kind::gone : sighting_kind::complete});
}

DORMOUSE_INLINE void directory_watch::read_folders(time_point now) {
  folder_reader::entry found;
  for (int entries = 0; entries < entries_per_look; ++entries) {
    if (!reader_.next(found)) {
      if (is_rereading_) drop_unvisited();
      return;
    }
    if (found.what == folder_reader::kind::file) {
      if (is_wanted_file(found.path)) doubt(std::move(found.path), now, origin::found);
    } else if (found.what == folder_reader::kind::folder) {
      if (!is_wanted_folder(found.path)) continue;
      if (const int error = enter(found.path); error != 0) leave_out(error);
    } else if (found.error == EMFILE || found.error == ENFILE || found.error == ENOMEM) {
      reader_.add(std::move(found.path));  // that passes
      read_folders_at_ = now + std::chrono::seconds{1};
      return;
    } else {
      leave_out(found.error);
    }
  }
}

#endif

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
