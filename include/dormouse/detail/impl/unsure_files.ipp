// SPDX-License-Identifier: MIT
#pragma once

// The part of directory_watch about files that no event vouches for: when are they complete?

#include <dormouse/detail/platform/directory_watch.hpp>

#include <algorithm>

#if DORMOUSE_PLATFORM_LINUX

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE void directory_watch::doubt(std::string path, time_point now, origin from) {
  const auto [place, is_new] = unsure_.try_emplace(std::move(path));
  if (from == origin::found) place->second.is_found = true;
  if (!is_new) return;
  place->second.look = looks_.end();
  place->second.look = looks_.emplace(now, place->first);
}

DORMOUSE_INLINE void directory_watch::trust(const std::string& path) noexcept {
  const auto known = unsure_.find(path);
  if (known == unsure_.end()) return;
  if (known->second.look != looks_.end()) looks_.erase(known->second.look);
  unsure_.erase(known);
}

DORMOUSE_INLINE void directory_watch::look_at_unsure(time_point now, std::vector<sighting>& seen) {
  constexpr int looks_max = 1'024;
  for (int looks = 0; looks < looks_max && !looks_.empty() && looks_.begin()->first <= now; ++looks) {
    const std::string path = looks_.begin()->second;
    unsure_file& file = unsure_.at(path);
    const auto verdict = look_again(path, file);
    if (verdict == verdict_kind::complete) seen.push_back({path, sighting_kind::complete});
    if (verdict == verdict_kind::wait) {
      auto node = looks_.extract(file.look);
      node.key() = now + file.interval;
      file.look = looks_.insert(std::move(node));
    } else {
      trust(path);
    }
  }
}

DORMOUSE_INLINE directory_watch::verdict_kind directory_watch::look_again(const std::string& path,
                                                                          unsure_file& file) const {
  const auto where = absolute(path);
  struct stat now {};
  if (::lstat(where.c_str(), &now) != 0 || !S_ISREG(now.st_mode)) return verdict_kind::drop;
  const bool is_same = file.is_known && file.size == now.st_size && file.modified.tv_sec == now.st_mtim.tv_sec &&
                       file.modified.tv_nsec == now.st_mtim.tv_nsec;
  if (!is_same) {
    file.is_known = true;
    file.size = now.st_size;
    file.modified = now.st_mtim;
    file.interval = options_.settle_for;
    return verdict_kind::wait;
  }
  switch (is_being_written(where)) {
    case answer::no: return verdict_kind::complete;
    case answer::yes:
      // When it is closed, an event says so; unless it was written without a name (O_TMPFILE) and then linked. For
      // those it is asked again, twice as late each time: a file that is open for a day costs twenty looks.
      file.interval = std::min<time_point::duration>(file.interval * 2, std::chrono::hours{1});
      return verdict_kind::wait;
    case answer::unknown: break;
  }
  return file.is_found || now.st_nlink > 1 ? verdict_kind::complete : verdict_kind::drop;
}

// "Somebody has it open for writing" is all that EAGAIN means here. Not so where leases need the server's consent.
[[nodiscard]] DORMOUSE_INLINE bool has_local_leases(int file) noexcept {
  struct statfs system {};
  if (::fstatfs(file, &system) != 0) return false;
  switch (static_cast<std::uint32_t>(system.f_type)) {
    case 0xEF53U:      // ext2, ext3, ext4
    case 0x58465342U:  // XFS
    case 0x9123683EU:  // btrfs
    case 0xF2F52010U:  // F2FS
    case 0x01021994U:  // tmpfs
    case 0x794C7630U:  // overlayfs
      return true;
    default: return false;
  }
}

// Asks for a read lease and gives it back: the system grants one only while nobody has the file open for writing
// (fcntl(2), "Leases"). Whoever opens it for writing in those microseconds waits for them, or gets EWOULDBLOCK when it
// said O_NONBLOCK; that is why only files at rest are asked about. The lease's signal must not hit the host, whom SIGIO
// kills by default: it goes to this thread alone, which does not take it.
DORMOUSE_INLINE directory_watch::answer directory_watch::is_being_written(const std::filesystem::path& file) noexcept {
  const int opened = ::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
  if (opened < 0) return answer::unknown;
  sigset_t io;
  sigset_t before;
  ::sigemptyset(&io);
  ::sigaddset(&io, SIGIO);
  ::pthread_sigmask(SIG_BLOCK, &io, &before);
  auto said = answer::unknown;
  const f_owner_ex self{F_OWNER_TID, ::gettid()};
  if (::fcntl(opened, F_SETOWN_EX, &self) == 0) {
    if (::fcntl(opened, F_SETLEASE, F_RDLCK) == 0) {
      ::fcntl(opened, F_SETLEASE, F_UNLCK);
      said = answer::no;
    } else if (errno == EAGAIN && has_local_leases(opened)) {
      said = answer::yes;
    }
  }
  ::close(opened);
  if (::sigismember(&before, SIGIO) == 0) {  // never so on the library's own threads
    const timespec at_once{};
    ::sigtimedwait(&io, nullptr, &at_once);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return said;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail

#endif
