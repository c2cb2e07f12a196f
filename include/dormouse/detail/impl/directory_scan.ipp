// SPDX-License-Identifier: MIT
#pragma once

// directory_watch without the system's help: the tree is read again and again. A file is complete when two readings
// found the same size and time, and no reading has reported that yet.

#include <dormouse/detail/platform/directory_watch.hpp>

#if !DORMOUSE_PLATFORM_LINUX

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE result<void> directory_watch::open(time_point now, std::vector<sighting>& seen) {
  std::error_code error;
  const auto type = std::filesystem::status(options_.root, error).type();
  if (type == std::filesystem::file_type::not_found) return why_not(ENOENT, {});
  if (error) return why_not(error.value(), {});
  if (type != std::filesystem::file_type::directory) return why_not(ENOTDIR, {});
  begin_reading();
  folder_reader::entry found;
  while (reader_.next(found)) {
    const int why = read_entry(found, seen);
    if (why != 0 && (why == too_many_folders || why == EMFILE || why == ENFILE || found.path.empty())) {
      auto refused = why_not(why, found.path);
      close();
      return refused;
    }
  }
  end_reading(now, seen);
  is_open_ = true;
  return {};
}

DORMOUSE_INLINE void directory_watch::close() noexcept {
  files_.clear();
  reader_.clear();
}

DORMOUSE_INLINE void directory_watch::collect(time_point now, std::vector<sighting>& seen) {
  if (suspect_) {
    seen.push_back({{}, sighting_kind::gone});
    for (auto& [path, file] : files_) file.given = false;
    reader_.clear();
    is_reading_ = false;
    next_reading_ = now;
    suspect_ = false;
  }
  if (!is_reading_ && next_reading_ > now) return;
  if (!is_reading_) begin_reading();
  folder_reader::entry found;
  for (int entries = 0; entries < entries_per_look; ++entries) {
    if (!reader_.next(found)) return end_reading(now, seen);
    read_entry(found, seen);
  }
}

DORMOUSE_INLINE std::optional<directory_watch::time_point> directory_watch::next_look() const {
  return suspect_ || is_reading_ ? time_point{} : next_reading_;
}

DORMOUSE_INLINE void directory_watch::begin_reading() {
  ++generation_;
  folders_ = 1;
  left_out_now_ = 0;
  reader_.add({});
  is_reading_ = true;
}

// 0, or why a folder is left out.
DORMOUSE_INLINE int directory_watch::read_entry(const folder_reader::entry& found, std::vector<sighting>& seen) {
  if (found.what == folder_reader::kind::file) {
    if (is_wanted_file(found.path)) see_file(found.path, seen);
    return 0;
  }
  int error = found.error;
  if (found.what == folder_reader::kind::folder) {
    if (!is_wanted_folder(found.path)) return 0;
    if (folders_ < options_.folders_max) {
      ++folders_;
      reader_.add(found.path);
    } else {
      error = too_many_folders;
    }
  }
  // What vanished between two looks is not left out: it is not there.
  if (error != 0 && error != ENOENT && error != ENOTDIR) ++left_out_now_;
  return error;
}

DORMOUSE_INLINE void directory_watch::see_file(const std::string& path, std::vector<sighting>& seen) {
  std::error_code vanished;
  const auto where = absolute(path);
  const auto size = std::filesystem::file_size(where, vanished);
  if (vanished) return;
  const auto modified = std::filesystem::last_write_time(where, vanished);
  if (vanished) return;
  const auto [place, is_new] = files_.try_emplace(path);
  known_file& file = place->second;
  const bool is_same = !is_new && file.size == size && file.modified == modified;
  file.size = size;
  file.modified = modified;
  file.generation = generation_;
  if (!is_open_) {
    if (!options_.existing && options_.deleted) seen.push_back({path, sighting_kind::present});
    file.given = !options_.existing;
  } else if (!is_same) {
    file.given = false;
  } else if (!file.given) {
    seen.push_back({path, sighting_kind::complete});
    file.given = true;
  }
}

DORMOUSE_INLINE void directory_watch::end_reading(time_point now, std::vector<sighting>& seen) {
  for (auto next = files_.begin(); next != files_.end();) {
    const auto each = next++;
    if (each->second.generation == generation_) continue;
    seen.push_back({each->first, sighting_kind::gone});
    files_.erase(each);
  }
  // The same folders are left out by each reading; that is news once.
  if (left_out_now_ > left_out_before_) left_out_ += left_out_now_ - left_out_before_;
  left_out_before_ = left_out_now_;
  is_reading_ = false;
  next_reading_ = now + options_.rescan_every;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail

#endif
