// SPDX-License-Identifier: MIT

// Opening: the root, then the index, which decides who owns both, then what an earlier owner has left behind.

#include <dormouse/adapters/filesystem_object_store.hpp>
#include <dormouse/detail/service_call.hpp>

#include "filesystem_store.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <cerrno>
#include <stdexcept>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace filesystem {

namespace {

void check(const filesystem_object_store_options& options) {
  const auto refuse = [](const char* option, auto value, const char* bounds) {
    throw std::invalid_argument(
        fmt::format("dormouse: filesystem_object_store_options::{} is {}; give {}", option, value, bounds));
  };
  if (options.root.empty()) refuse("root", "empty", "the path of a folder");
  if (options.bytes_max < 1 || options.bytes_max > std::uint64_t{1} << 60U) {
    refuse("bytes_max", options.bytes_max, "1 .. 1 EiB");
  }
  if (options.changes_max < 1 || options.changes_max > 100'000'000) {
    refuse("changes_max", options.changes_max, "1 .. 100000000");
  }
  if (options.durability == durability_level::memory) refuse("durability", "memory", "process or power");
}

// A root that was there already may have been made by somebody who died before this. Or by the host, in a folder that
// this process may not read: then it is the host's to sync.
result<void> sync_parent(int root, bool made, file_io& io) {
  const descriptor parent(uninterrupted([&] { return io.open(root, "..", O_RDONLY | O_DIRECTORY, 0); }));
  if (!parent.is_open()) {
    if (!made && errno == EACCES) return {};
    return os_failure(errno, "opening the root's folder");
  }
  if (uninterrupted([&] { return io.sync(parent.get()); }) != 0) return os_failure(errno, "syncing the root's folder");
  return {};
}

result<descriptor> open_root(const filesystem_object_store_options& options, file_io& io) {
  const char* const path = options.root.c_str();
  const int made = uninterrupted([&] { return io.make_folder(AT_FDCWD, path); });
  if (made != 0 && errno != EEXIST) return os_failure(errno, "making the root");
  // The one path that is walked, links and all: it is the host's. O_NOFOLLOW is file_io's, so not by it.
  descriptor root(uninterrupted([&] { return ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!root.is_open()) return os_failure(errno, "opening the root");
  if (::faccessat(root.get(), ".", R_OK | W_OK | X_OK, AT_EACCESS) != 0) return os_failure(errno, "using the root");
  if (options.durability == durability_level::power) {
    if (auto synced = sync_parent(root.get(), made == 0, io); !synced) return std::move(synced).error();
  }
  return root;
}

// The engine opens the index by its path and follows no link at the end of it; this says so before, in our words.
result<void> check_index(const descriptor& root) {
  for (const char* name : {"index.db", "index.db-lock", "index.db-wal", "index.db-shm", "index.db-journal"}) {
    struct stat what {};
    if (::fstatat(root.get(), name, &what, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      return os_failure(errno, "looking at the index");
    }
    if (!S_ISREG(what.st_mode)) return os_failure(ELOOP, fmt::format("{} in the root is no file", name));
  }
  return {};
}

result<std::unique_ptr<object_index>> open_index(const filesystem_object_store_options& options, const clock& time,
                                                 const std::string& vfs) {
  const sqlite_file_options file{.path = options.root / "index.db", .durability = options.durability, .time = &time};
  auto how = object_index::options(file);
  how.vfs = vfs;
  auto engine = sqlite::open_engine(how);
  if (!engine) return std::move(engine).error();
  std::uint32_t epoch = 0;
  if (uninterrupted([&] { return ::getrandom(&epoch, sizeof epoch, 0); }) != sizeof epoch) {
    return os_failure(errno, "random numbers");
  }
  const index_bounds bounds{.bytes_max = options.bytes_max, .changes_max = options.changes_max};
  return std::make_unique<object_index>(std::move(*engine), bounds, epoch);
}

}  // namespace

result<std::unique_ptr<object_store>> open_filesystem_object_store(const filesystem_object_store_options& options,
                                                                   file_io& io, const std::string& vfs) {
  check(options);
  const clock& time = options.time != nullptr ? *options.time : detail::system_clock_of_services();
  const bool synced = options.durability == durability_level::power;
  return detail::contained([&](effect_kind&) -> result<std::unique_ptr<object_store>> {
    auto root = open_root(options, io);
    if (!root) return std::move(root).error();
    if (auto fit = check_index(*root); !fit) return std::move(fit).error();
    auto index = open_index(options, time, vfs);
    if (!index) return std::move(index).error();
    auto blobs = open_folder(io, root->get(), "blobs", synced);
    if (!blobs) return std::move(blobs).error();
    auto files = std::make_unique<blob_files>(io, std::move(*blobs), synced);
    auto store =
        std::make_unique<filesystem_store>(options, time, std::move(*root), std::move(*index), std::move(files));
    if (auto swept = store->sweep(); !swept) return std::move(swept).error();
    return std::unique_ptr<object_store>(std::move(store));
  });
}

}  // namespace filesystem

result<std::unique_ptr<object_store>> open_filesystem_object_store(const filesystem_object_store_options& options) {
  static filesystem::file_io system_calls;
  return filesystem::open_filesystem_object_store(options, system_calls);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
