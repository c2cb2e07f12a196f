#include "support/faulty_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {
namespace {

constexpr std::size_t sector = 512;

// A write or a truncation that has not been synced.
struct change {
  bool truncates = false;
  std::int64_t at = 0;
  std::string bytes{};
};

// A file as the program sees it, shared by all who have it open.
struct image {
  std::string contents{};
  std::vector<change> unsynced{};
  sqlite3_file* real = nullptr;  // of the one who opened it last, and has it open
};

}  // namespace

struct faulty_vfs::disk {
  sqlite3_vfs shim{};
  sqlite3_vfs* real = nullptr;
  mutable std::mutex mutex{};
  std::map<std::string, std::shared_ptr<image>> images{};

  bool armed = false;
  bool lasting = false;
  fault what{};
  unsigned left = 0;
  std::string ends_with{};
  unsigned fired = 0;

  bool buffering = false;
  bool cut = false;
  unsigned cut_at = 0;
  unsigned operations = 0;
  std::mt19937 random{};
  kept keeps = kept::some;
  unsigned dropped = 0;
  machine* where = nullptr;

  bool is_off() const { return cut || (where != nullptr && where->is_off()); }

  // Does this operation of this file fail?
  bool hits(const std::string& file, bool is_sync) {
    if (!armed || (what == fault::sync_fails) != is_sync || !std::string_view(file).ends_with(ends_with)) return false;
    if (left > 1) return --left, false;
    armed = lasting;
    ++fired;
    return true;
  }
  // True: the power is gone now.
  bool count_operation() {
    if (cut) return true;
    ++operations;
    if (where != nullptr) {
      const auto fate = where->next_operation();
      if (fate == machine::fate::power_goes) lose_power();
      return fate != machine::fate::done;
    }
    if (!buffering || operations < cut_at) return false;
    lose_power();
    return true;
  }
  static void apply(sqlite3_file* to, const change& each) {
    if (each.truncates) {
      to->pMethods->xTruncate(to, each.at);
    } else {
      to->pMethods->xWrite(to, each.bytes.data(), static_cast<int>(each.bytes.size()), each.at);
    }
  }
  void lose_power() {
    cut = true;
    for (auto& [file, seen] : images) {
      auto& written = seen->unsynced;
      const auto count = written.size();
      const bool whole = keep_some_of(written);
      for (const change& each : written)
        if (seen->real != nullptr && (each.truncates || !each.bytes.empty())) apply(seen->real, each);
      const auto applied = seen->real != nullptr ? written.size() : 0;
      dropped += static_cast<unsigned>(count - applied) + (whole ? 0U : 1U);
      written.clear();
    }
  }
  // False: one of them is torn.
  bool keep_some_of(std::vector<change>& written) {
    if (keeps == kept::nothing) written.clear();
    if (keeps != kept::some || written.empty()) return true;
    std::shuffle(written.begin(), written.end(), random);
    written.resize(random() % (written.size() + 1));
    if (written.empty() || written.back().truncates) return true;
    auto& torn = written.back().bytes;
    const auto size = torn.size();
    torn.resize(random() % (size / sector + 1) * sector);
    return torn.size() == size;
  }
};

namespace {

struct shim_file {
  sqlite3_file base;
  faulty_vfs::disk* disk;
  std::string* name;
  std::shared_ptr<image>* seen;  // null: not buffered
  sqlite3_file* real;
  bool names_its_folder;  // the next sync brings the folder to the disk, too, as the system's VFS does it
};

shim_file& of(sqlite3_file* file) { return *reinterpret_cast<shim_file*>(file); }

int close_file(sqlite3_file* file) {
  shim_file& self = of(file);
  const int code = self.real->pMethods->xClose(self.real);
  const std::lock_guard lock(self.disk->mutex);
  if (self.seen != nullptr && (*self.seen)->real == self.real) (*self.seen)->real = nullptr;
  delete self.seen;
  delete self.name;
  return code;
}

int read_file(sqlite3_file* file, void* into, int bytes, sqlite3_int64 at) {
  shim_file& self = of(file);
  if (self.seen == nullptr) return self.real->pMethods->xRead(self.real, into, bytes, at);
  const std::lock_guard lock(self.disk->mutex);
  const std::string& contents = (*self.seen)->contents;
  const auto start = std::min(static_cast<std::size_t>(at), contents.size());
  const auto count = std::min(static_cast<std::size_t>(bytes), contents.size() - start);
  std::memcpy(into, contents.data() + start, count);
  if (count == static_cast<std::size_t>(bytes)) return SQLITE_OK;
  std::memset(static_cast<char*>(into) + count, 0, static_cast<std::size_t>(bytes) - count);
  return SQLITE_IOERR_SHORT_READ;
}

int failing_write(shim_file& self, const void* from, int bytes, sqlite3_int64 at) {
  switch (self.disk->what) {
    case faulty_vfs::fault::disk_is_full: return SQLITE_FULL;
    case faulty_vfs::fault::write_is_short: self.real->pMethods->xWrite(self.real, from, bytes / 2, at); break;
    default: break;
  }
  return SQLITE_IOERR_WRITE;
}

int write_file(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 at) {
  shim_file& self = of(file);
  const std::lock_guard lock(self.disk->mutex);
  if (self.disk->hits(*self.name, false)) return failing_write(self, from, bytes, at);
  if (self.seen == nullptr) return self.real->pMethods->xWrite(self.real, from, bytes, at);
  if (self.disk->is_off()) return SQLITE_IOERR_WRITE;
  image& seen = **self.seen;
  const auto start = static_cast<std::size_t>(at);
  const auto count = static_cast<std::size_t>(bytes);
  if (seen.contents.size() < start + count) seen.contents.resize(start + count);
  std::memcpy(seen.contents.data() + start, from, count);
  seen.unsynced.push_back({.at = at, .bytes = std::string(static_cast<const char*>(from), count)});
  return self.disk->count_operation() ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  shim_file& self = of(file);
  if (self.seen == nullptr) return self.real->pMethods->xTruncate(self.real, size);
  const std::lock_guard lock(self.disk->mutex);
  if (self.disk->is_off()) return SQLITE_IOERR_TRUNCATE;
  image& seen = **self.seen;
  seen.contents.resize(static_cast<std::size_t>(size));
  seen.unsynced.push_back({.truncates = true, .at = size});
  return self.disk->count_operation() ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

int sync_file(sqlite3_file* file, int flags) {
  shim_file& self = of(file);
  const std::lock_guard lock(self.disk->mutex);
  if (self.disk->hits(*self.name, true)) return SQLITE_IOERR_FSYNC;
  if (self.seen == nullptr) return self.real->pMethods->xSync(self.real, flags);
  if (self.disk->count_operation()) return SQLITE_IOERR_FSYNC;
  for (const change& each : (*self.seen)->unsynced) faulty_vfs::disk::apply(self.real, each);
  (*self.seen)->unsynced.clear();
  if (self.names_its_folder && self.disk->where != nullptr) {
    if (self.disk->count_operation()) return SQLITE_IOERR_DIR_FSYNC;
    self.disk->where->synced_folder_of(*self.name);
  }
  self.names_its_folder = false;
  return SQLITE_OK;  // not the disk's own: what is in the file now is what the next opening will find
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  shim_file& self = of(file);
  if (self.seen == nullptr) return self.real->pMethods->xFileSize(self.real, size);
  const std::lock_guard lock(self.disk->mutex);
  *size = static_cast<sqlite3_int64>((*self.seen)->contents.size());
  return SQLITE_OK;
}

int control(sqlite3_file* file, int operation, void* argument) {
  // It would grow the file behind our back.
  if (of(file).seen != nullptr && operation == SQLITE_FCNTL_SIZE_HINT) return SQLITE_OK;
  return of(file).real->pMethods->xFileControl(of(file).real, operation, argument);
}

int lock_file(sqlite3_file* file, int level) { return of(file).real->pMethods->xLock(of(file).real, level); }
int unlock_file(sqlite3_file* file, int level) { return of(file).real->pMethods->xUnlock(of(file).real, level); }
int check_lock(sqlite3_file* file, int* held) {
  return of(file).real->pMethods->xCheckReservedLock(of(file).real, held);
}
int sector_size(sqlite3_file* file) { return of(file).real->pMethods->xSectorSize(of(file).real); }
int characteristics(sqlite3_file* file) { return of(file).real->pMethods->xDeviceCharacteristics(of(file).real); }
int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** at) {
  return of(file).real->pMethods->xShmMap(of(file).real, page, size, extend, at);
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return of(file).real->pMethods->xShmLock(of(file).real, offset, count, flags);
}
void shm_barrier(sqlite3_file* file) { of(file).real->pMethods->xShmBarrier(of(file).real); }
int shm_unmap(sqlite3_file* file, int removes) { return of(file).real->pMethods->xShmUnmap(of(file).real, removes); }

const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

faulty_vfs::disk& of(sqlite3_vfs* vfs) { return *static_cast<faulty_vfs::disk*>(vfs->pAppData); }

std::string contents_of(sqlite3_file* real) {
  sqlite3_int64 size = 0;
  real->pMethods->xFileSize(real, &size);
  std::string contents(static_cast<std::size_t>(size), '\0');
  if (size != 0) real->pMethods->xRead(real, contents.data(), static_cast<int>(size), 0);
  return contents;
}

int open_file(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* got_flags) {
  faulty_vfs::disk& disk = of(vfs);
  shim_file& self = of(file);
  self = {};
  self.disk = &disk;
  self.real = reinterpret_cast<sqlite3_file*>(reinterpret_cast<std::byte*>(file) + sizeof(shim_file));
  const std::lock_guard lock(disk.mutex);
  if (disk.is_off()) return SQLITE_CANTOPEN;
  const int code = disk.real->xOpen(disk.real, name, self.real, flags, got_flags);
  if (code != SQLITE_OK) return code;
  self.base.pMethods = &methods;
  self.name = new std::string(name != nullptr ? name : "");
  self.names_its_folder =
      (flags & SQLITE_OPEN_CREATE) != 0 && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
  if (!disk.buffering || name == nullptr) return SQLITE_OK;
  auto& seen = disk.images[*self.name];
  if (seen == nullptr) {
    seen = std::make_shared<image>();
    seen->contents = contents_of(self.real);
  }
  // A reader's descriptor could not be written to.
  if (seen->real == nullptr && (flags & SQLITE_OPEN_READWRITE) != 0) seen->real = self.real;
  self.seen = new std::shared_ptr<image>(seen);
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync) {
  faulty_vfs::disk& disk = of(vfs);
  const std::lock_guard lock(disk.mutex);
  if (disk.is_off()) return SQLITE_IOERR_DELETE;
  if (disk.where != nullptr) disk.where->removing(name);
  disk.images.erase(name);
  const int code = disk.real->xDelete(disk.real, name, sync);
  if (disk.where == nullptr || code != SQLITE_OK) return code;
  if (disk.count_operation()) return SQLITE_IOERR_DELETE;
  if (sync != 0) disk.where->synced_folder_of(name);
  return SQLITE_OK;
}

}  // namespace

faulty_vfs::faulty_vfs() : disk_(std::make_unique<disk>()) {
  disk_->real = sqlite3_vfs_find(nullptr);
  disk_->shim = *disk_->real;
  disk_->shim.pNext = nullptr;
  disk_->shim.zName = name;
  disk_->shim.pAppData = disk_.get();
  disk_->shim.szOsFile = static_cast<int>(sizeof(shim_file)) + disk_->real->szOsFile;
  disk_->shim.xOpen = open_file;
  disk_->shim.xDelete = delete_file;
  sqlite3_vfs_register(&disk_->shim, 0);
}

faulty_vfs::~faulty_vfs() { sqlite3_vfs_unregister(&disk_->shim); }

void faulty_vfs::fail(fault what, unsigned nth, bool lasting, std::string file_ends_with) {
  const std::lock_guard lock(disk_->mutex);
  disk_->armed = true;
  disk_->what = what;
  disk_->left = nth;
  disk_->lasting = lasting;
  disk_->ends_with = std::move(file_ends_with);
}

void faulty_vfs::heal() {
  const std::lock_guard lock(disk_->mutex);
  disk_->armed = false;
}

unsigned faulty_vfs::fired() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->fired;
}

void faulty_vfs::cut_power_at(unsigned nth, std::uint32_t seed) {
  const std::lock_guard lock(disk_->mutex);
  disk_->buffering = true;
  disk_->cut_at = nth;
  disk_->random.seed(seed);
}

void faulty_vfs::run_on(machine& where, kept what, std::uint32_t seed) {
  const std::lock_guard lock(disk_->mutex);
  disk_->buffering = true;
  disk_->where = &where;
  disk_->keeps = what;
  disk_->random.seed(seed);
}

void faulty_vfs::cut_power() {
  const std::lock_guard lock(disk_->mutex);
  if (!disk_->cut) disk_->lose_power();
}

unsigned faulty_vfs::dropped() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->dropped;
}

bool faulty_vfs::was_cut() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->cut;
}

unsigned faulty_vfs::operations() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->operations;
}

}  // namespace support
