// SPDX-License-Identifier: MIT
// What SQLite's result codes and the system's error numbers mean in the library's own words.

#include "connection.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {
namespace {

struct meaning {
  errc code;
  failure_reason reason = failure_reason::none;
};

meaning of_system(int error) {
  switch (error) {
    case ENOENT: return {errc::not_found, failure_reason::path};
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
    case EISDIR: return {errc::permission_denied, failure_reason::path};
    case ENOTDIR:
    case EINVAL:
    case ENAMETOOLONG: return {errc::invalid_argument, failure_reason::path};
    case EMFILE:
    case ENFILE: return {errc::limit_exceeded, failure_reason::descriptors};
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return {errc::limit_exceeded, failure_reason::store_full};
    case ENOMEM: return {errc::out_of_memory};
    default: return {errc::unavailable};
  }
}

meaning of_constraint(int code) {
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return {errc::already_exists};
    default: return {errc::invalid_argument};
  }
}

meaning of_opening(sqlite3* handle) {
  const int error = handle != nullptr ? sqlite3_system_errno(handle) : 0;
  return error != 0 ? of_system(error) : meaning{errc::permission_denied, failure_reason::path};
}

meaning of_io(int code) {
  if (code == SQLITE_IOERR_NOMEM) return {errc::out_of_memory};
  if (code == SQLITE_IOERR_CORRUPTFS || code == SQLITE_IOERR_DATA) return {errc::corruption};
  return {errc::unavailable};
}

meaning of(sqlite3* handle, int code) {
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT: return of_constraint(code);
    case SQLITE_BUSY: return {code == SQLITE_BUSY_SNAPSHOT ? errc::conflict : errc::throttled};
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return {errc::throttled};
    case SQLITE_SCHEMA:
    case SQLITE_ABORT: return {errc::conflict};
    case SQLITE_FULL: return {errc::limit_exceeded, failure_reason::store_full};
    case SQLITE_IOERR: return of_io(code);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT: return {errc::corruption};
    case SQLITE_CANTOPEN: return of_opening(handle);
    case SQLITE_READONLY: return {errc::permission_denied, failure_reason::path};
    case SQLITE_PERM:
    case SQLITE_AUTH: return {errc::permission_denied};
    case SQLITE_TOOBIG: return {errc::too_large, failure_reason::value_bytes};
    case SQLITE_NOMEM: return {errc::out_of_memory};
    case SQLITE_INTERRUPT: return {errc::deadline_exceeded, failure_reason::caller_deadline};
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE: return {errc::invalid_argument};
    default: return {errc::internal};
  }
}

}  // namespace

failure to_failure(sqlite3* handle, int code, effect_kind effect) noexcept {
  // The handle's text is of its last call that failed, which need not be this one.
  const bool of_this_call = handle != nullptr && sqlite3_extended_errcode(handle) == code;
  const char* text = of_this_call ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  const auto [meant, reason] = of(handle, code);
  auto why = detail::make_failure(meant, effect, reason, text != nullptr ? text : "");
  why.native_code = code;
  if (meant == errc::throttled) why.retry_after = std::chrono::milliseconds(10);
  return why;
}

failure to_failure_of_system(int error, std::string_view what) noexcept {
  char shown[256];
  const auto written = fmt::format_to_n(shown, sizeof shown, "{}: {}", what, std::strerror(error));
  const auto [meant, reason] = of_system(error);
  auto why = detail::make_failure(meant, effect_kind::not_applied, reason,
                                  {shown, static_cast<std::size_t>(written.out - shown)});
  why.native_code = error;
  return why;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
