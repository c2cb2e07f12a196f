// SPDX-License-Identifier: MIT

#include "blob_files.hpp"

#include <dormouse/detail/service_call.hpp>

#include "engines/failpoint.hpp"

#include <dirent.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <exception>
#include <iterator>
#include <system_error>

namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem {

namespace {

constexpr std::size_t name_digits = 32;
constexpr std::string_view part = ".part";

bool is_digit(char each) noexcept { return (each >= '0' && each <= '9') || (each >= 'a' && each <= 'f'); }

// One of our own names, in the folder where it belongs?
bool is_ours(std::string_view name, std::string_view folder) noexcept {
  if (name.size() < name_digits || !name.starts_with(folder)) return false;
  for (const char each : name.substr(0, name_digits)) {
    if (!is_digit(each)) return false;
  }
  return true;
}

result<std::string> random_name(file_io& io) {
  std::array<unsigned char, name_digits / 2> bytes{};
  const auto got = uninterrupted([&] { return io.random(bytes.data(), bytes.size()); });
  if (got != static_cast<ssize_t>(bytes.size())) return os_failure(errno, "random numbers");
  std::string name;
  for (const unsigned char each : bytes) fmt::format_to(std::back_inserter(name), "{:02x}", each);
  return name;
}

struct close_folder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

errc code_of(int error) noexcept {
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS: return errc::permission_denied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE: return errc::limit_exceeded;
    case ENOENT: return errc::not_found;
    case ENOTDIR:
    case ELOOP: return errc::invalid_argument;
    case ENOMEM: return errc::out_of_memory;
    default: return errc::unavailable;
  }
}

failure_reason reason_of(int error) noexcept {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return failure_reason::store_full;
    case EMFILE:
    case ENFILE: return failure_reason::descriptors;
    case ENOENT:
    case ENOTDIR:
    case ELOOP: return failure_reason::path;
    default: return failure_reason::none;
  }
}

}  // namespace

failure os_failure(int error, std::string_view what) {
  auto made = detail::refuse_service_call(code_of(error), reason_of(error), "{}: {}", what,
                                          std::generic_category().message(error));
  made.native_code = error;
  return made;
}

result<descriptor> open_folder(file_io& io, int folder, const char* name, bool synced) {
  const int made = uninterrupted([&] { return io.make_folder(folder, name); });
  if (made != 0 && errno != EEXIST) return os_failure(errno, "making a folder");
  descriptor opened(uninterrupted([&] { return io.open(folder, name, O_RDONLY | O_DIRECTORY, 0); }));
  if (!opened.is_open()) return os_failure(errno, "opening a folder");
  // One that was there already may have been made by somebody who died before this.
  if (synced && uninterrupted([&] { return io.sync(folder); }) != 0) return os_failure(errno, "syncing a folder");
  return opened;
}

// ---- a file on its way ----------------------------------------------------------------------------------------------

staged_blob::~staged_blob() {
  if (made_ && !kept_) io_.remove(folder_.get(), entry_.c_str());
}

result<void> staged_blob::make() {
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL;
  file_ = descriptor(uninterrupted([&] { return io_.open(folder_.get(), entry_.c_str(), flags, 0600); }));
  if (!file_.is_open()) return os_failure(errno, "making an object's file");
  made_ = true;
  pass(failpoint::file_made);
  return {};
}

result<void> staged_blob::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = uninterrupted([&] { return io_.write(file_.get(), bytes.data(), bytes.size()); });
    if (count < 0) return os_failure(errno, "writing an object's file");
    if (count == 0) return os_failure(EIO, "writing an object's file");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  pass(failpoint::file_written);
  return {};
}

// A sync that failed is not tried again: the system may have dropped what it could not write, and say yes then.
result<void> staged_blob::place() {
  if (synced_ && uninterrupted([&] { return io_.sync(file_.get()); }) != 0) {
    return os_failure(errno, "syncing an object's file");
  }
  pass(failpoint::file_synced);
  if (uninterrupted([&] { return io_.rename(folder_.get(), entry_.c_str(), name_.c_str()); }) != 0) {
    return os_failure(errno, "naming an object's file");
  }
  entry_.resize(name_.size());
  pass(failpoint::file_named);
  if (synced_ && uninterrupted([&] { return io_.sync(folder_.get()); }) != 0) {
    return os_failure(errno, "syncing an object's folder");
  }
  pass(failpoint::folder_synced);
  return {};
}

// ---- all of them ----------------------------------------------------------------------------------------------------

result<descriptor> blob_files::folder_of(std::string_view name, bool make) {
  const std::string entry(name.substr(0, 2));
  if (make) {
    const auto number = std::stoul(entry, nullptr, 16);
    // Held while it is made and synced: who finds it there may rely on that.
    const std::lock_guard lock(mutex_);
    if (!made_[number]) {
      auto opened = open_folder(io_, blobs_.get(), entry.c_str(), synced_);
      if (opened) made_[number] = true;
      return opened;
    }
  }
  descriptor opened(uninterrupted([&] { return io_.open(blobs_.get(), entry.c_str(), O_RDONLY | O_DIRECTORY, 0); }));
  if (!opened.is_open()) return os_failure(errno, "opening an object's folder");
  return opened;
}

result<std::unique_ptr<staged_blob>> blob_files::stage() {
  auto name = random_name(io_);
  if (!name) return std::move(name).error();
  auto folder = folder_of(*name, true);
  if (!folder) {
    auto why = std::move(folder).error();
    // Not a mistake of the caller's: something lies where the store's own folders should be.
    if (why.code == errc::not_found || why.code == errc::invalid_argument) why.code = errc::unavailable;
    return why;
  }
  auto staged = std::make_unique<staged_blob>(io_, synced_, std::move(*folder), std::move(*name));
  if (auto made = staged->make(); !made) return std::move(made).error();
  return staged;
}

result<descriptor> blob_files::open(const std::string& name, std::uint64_t size, bool& missing) {
  missing = false;
  const auto damaged = [&](const char* why) {
    return detail::refuse_service_call(errc::corruption, failure_reason::none, "the object's file {} {}", name, why);
  };
  const auto unopened = [&](int error) {
    missing = error == ENOENT || error == ENOTDIR || error == ELOOP;
    return missing ? damaged("is not there") : os_failure(error, "opening an object's file");
  };
  if (!is_ours(name, {}) || name.size() != name_digits) return damaged("has no such name");
  const std::string entry = name.substr(0, 2);
  const descriptor folder(
      uninterrupted([&] { return io_.open(blobs_.get(), entry.c_str(), O_PATH | O_DIRECTORY, 0); }));
  if (!folder.is_open()) return unopened(errno);
  // O_NONBLOCK: a pipe that lies there would block; it does nothing to a file.
  descriptor file(uninterrupted([&] { return io_.open(folder.get(), name.c_str(), O_RDONLY | O_NONBLOCK, 0); }));
  if (!file.is_open()) return unopened(errno);
  struct stat what {};
  if (io_.status(file.get(), what) != 0) return os_failure(errno, "looking at an object's file");
  if (!S_ISREG(what.st_mode)) return damaged("is no file");
  if (static_cast<std::uint64_t>(what.st_size) != size) return damaged("has another size");
  return file;
}

void blob_files::remove(const std::string& name) noexcept {
  try {
    const auto folder = folder_of(name, false);
    if (folder && name.size() == name_digits && is_ours(name, {})) io_.remove(folder->get(), name.c_str());
  } catch (const std::exception&) {  // no memory: as any other failure
  }
}

result<void> blob_files::sweep(const std::function<result<bool>(const std::string&)>& is_known) {
  std::bitset<folders> found;
  for (std::size_t number = 0; number < folders; ++number) {
    const std::string entry = fmt::format("{:02x}", number);
    descriptor folder(uninterrupted([&] { return io_.open(blobs_.get(), entry.c_str(), O_RDONLY | O_DIRECTORY, 0); }));
    if (!folder.is_open()) continue;  // none yet, or something of others
    found.set(number);
    if (auto swept = sweep_folder(std::move(folder), entry, is_known); !swept) return swept;
  }
  if (found.none()) return {};
  // They may have been made by somebody who died before he had synced that.
  if (synced_ && uninterrupted([&] { return io_.sync(blobs_.get()); }) != 0)
    return os_failure(errno, "syncing a folder");
  const std::lock_guard lock(mutex_);
  made_ |= found;
  return {};
}

result<void> blob_files::sweep_folder(descriptor folder, std::string_view entry,
                                      const std::function<result<bool>(const std::string&)>& is_known) {
  const std::unique_ptr<DIR, close_folder> listed(::fdopendir(folder.get()));
  if (listed == nullptr) return os_failure(errno, "listing an object's folder");
  const int opened = folder.release();
  while (const dirent* const found = ::readdir(listed.get())) {
    const std::string name = found->d_name;
    if (!is_ours(name, entry)) continue;
    const std::string_view rest = std::string_view(name).substr(name_digits);
    if (!rest.empty() && rest != part) continue;
    const auto known = rest.empty() ? is_known(name) : result<bool>(false);
    if (!known) return known.error();
    if (!*known) io_.remove(opened, name.c_str());
  }
  return {};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem
