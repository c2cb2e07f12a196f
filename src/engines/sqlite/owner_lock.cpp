// SPDX-License-Identifier: MIT

#include "owner_lock.hpp"

#include "connection.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {
namespace {

// Locks of either kind belong to the open file, not to the process: a second open in the same process is refused too,
// and closing some other descriptor of the file does not drop them.
int lock(int descriptor) {
#if defined(F_OFD_SETLK)
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return fcntl(descriptor, F_OFD_SETLK, &whole);
#else
  return flock(descriptor, LOCK_EX | LOCK_NB);
#endif
}

}  // namespace

owner_lock::~owner_lock() {
  if (descriptor_ >= 0) close(descriptor_);
}

result<owner_lock> owner_lock::take(const std::filesystem::path& file) {
  owner_lock taken(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (taken.descriptor_ < 0) return to_failure_of_system(errno, "the lock file");
  if (lock(taken.descriptor_) == 0) return taken;
  const int error = errno;
  if (error != EAGAIN && error != EACCES) return to_failure_of_system(error, "the lock file");
  auto why = detail::make_failure(errc::unavailable, effect_kind::not_applied, failure_reason::owned_elsewhere,
                                  "another process, or another part of this one, has it open");
  why.native_code = error;
  return why;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
