#include "summary.hpp"

#include "rows.hpp"

namespace watch_folder {

namespace {

// A file that vanished before it was read is no failure: that it is gone is an event of its own.
dormouse::result<void> unless_gone(const dormouse::failure& why) {
  if (why.cause == dormouse::errc::not_found) return {};
  return why;
}

}  // namespace

dormouse::result<void> summary::operator()(const dormouse::file_event& file) const {
  if (file.change == dormouse::file_change::deleted) {
    const auto erased = rows.erase(row_key(file.relative));
    return erased ? dormouse::result<void>{} : erased.error();
  }
  auto asked_digest = digest.submit(file);
  if (!asked_digest) return asked_digest.error();
  const auto counts = text_statistics(file);
  const auto sha256 = asked_digest->get();
  if (!sha256) return unless_gone(sha256.error());
  if (!counts) return unless_gone(counts.error());
  const auto put = rows.put(row_key(file.relative), make_row(*sha256, *counts));
  return put ? dormouse::result<void>{} : put.error();
}

}  // namespace watch_folder
