#include "adapters/power_cut_disk.hpp"
#include "support/temporary_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace support {

namespace {

constexpr std::size_t sector = 512;

struct stat status_of(int folder, const char* name) {
  struct stat what {};
  if (::fstatat(folder, name, &what, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0) throw std::runtime_error("no status");
  return what;
}

int failed() {
  errno = EIO;
  return -1;
}

}  // namespace

few_folders_io::few_folders_io(const std::filesystem::path& root) {
  std::error_code none;
  for (const auto& each : std::filesystem::directory_iterator(root / "blobs", none))
    there_.insert(each.path().filename().string());
}

int few_folders_io::open(int folder, const char* name, int flags, mode_t mode) {
  if ((flags & O_DIRECTORY) == 0 || there_.contains(std::string_view(name)))
    return file_io::open(folder, name, flags, mode);
  errno = ENOENT;
  return -1;
}

int few_folders_io::make_folder(int folder, const char* name) {
  there_.insert(name);
  return file_io::make_folder(folder, name);
}

struct power_cut_disk::node {
  struct change {
    std::string name{};
    node_ptr now{};  // null: the name is gone
  };

  // Of a folder.
  bool is_folder = false;
  std::map<std::string, node_ptr> names{};  // on the disk
  std::vector<change> changes{};            // since, in their order
  // Of a file.
  std::string bytes{};                  // on the disk
  std::vector<std::string> appended{};  // since
  bool of_index = false;                // one of SQLite's: its bytes are in it, and the VFS's business
  ino_t number = 0;

  [[nodiscard]] node_ptr now(const std::string& name) const {
    const auto last =
        std::find_if(changes.rbegin(), changes.rend(), [&](const change& each) { return each.name == name; });
    if (last != changes.rend()) return last->now;
    const auto found = names.find(name);
    return found != names.end() ? found->second : nullptr;
  }
  void apply(std::map<std::string, node_ptr>& to, const change& each) const {
    if (each.now == nullptr) {
      to.erase(each.name);
    } else {
      to[each.name] = each.now;
    }
  }
};

power_cut_disk::power_cut_disk(const std::filesystem::path& root, const choice& what)
    : few_folders_io(root), root_(root), former_(root.string() + "-former"), choice_(what), random_(what.seed) {
  auto parent = std::make_shared<node>();
  parent->is_folder = true;
  nodes_[status_of(AT_FDCWD, root.parent_path().c_str()).st_ino] = std::move(parent);
  vfs_.run_on(*this, what.index, what.seed);
}

power_cut_disk::~power_cut_disk() = default;

// ---- calls ----------------------------------------------------------------------------------------------------------

faulty_vfs::machine::fate power_cut_disk::next_operation() {
  if (is_off()) return fate::fails;
  ++calls_;
  cut_ = calls_ == cut_at_;
  dead_ = calls_ == kill_at_;
  if (cut_) return fate::power_goes;
  return dead_ ? fate::fails : fate::done;
}

bool power_cut_disk::ends() {
  const auto what = next_operation();
  if (what == fate::done) return false;
  if (what == fate::power_goes) vfs_.cut_power();
  errno = EIO;
  return true;
}

power_cut_disk::node_ptr& power_cut_disk::of(int descriptor) { return nodes_.at(status_of(descriptor, "").st_ino); }

int power_cut_disk::open(int folder, const char* name, int flags, mode_t mode) {
  if (is_off()) return failed();
  const int file = few_folders_io::open(folder, name, flags, mode);
  if (file < 0 || (flags & O_CREAT) == 0) return file;
  auto made = std::make_shared<node>();
  nodes_[status_of(file, "").st_ino] = made;
  of(folder)->changes.push_back({name, std::move(made)});
  if (!ends()) return file;
  ::close(file);
  return failed();
}

ssize_t power_cut_disk::write(int file, const char* from, std::size_t count) {
  if (is_off()) return failed();
  const auto done = file_io::write(file, from, count);
  if (done > 0) of(file)->appended.emplace_back(from, static_cast<std::size_t>(done));
  return ends() ? failed() : done;
}

int power_cut_disk::sync(int file) {
  if (ends()) return failed();
  node& what = *of(file);
  if (what.is_folder) {
    sync_folder(what);
  } else {
    for (const std::string& each : std::exchange(what.appended, {})) what.bytes += each;
  }
  return 0;  // not the disk's own: nobody cuts its power
}

int power_cut_disk::rename(int folder, const char* from, const char* to) {
  if (is_off()) return failed();
  const int done = file_io::rename(folder, from, to);
  if (done == 0) {
    node& in = *of(folder);
    auto moved = in.now(from);
    in.changes.push_back({to, std::move(moved)});
    in.changes.push_back({from, nullptr});
  }
  return ends() ? failed() : done;
}

int power_cut_disk::remove(int folder, const char* name) {
  if (is_off()) return failed();
  const int done = file_io::remove(folder, name);
  if (done == 0) of(folder)->changes.push_back({name, nullptr});
  return ends() ? failed() : done;
}

int power_cut_disk::make_folder(int folder, const char* name) {
  if (is_off()) return failed();
  const int done = few_folders_io::make_folder(folder, name);
  if (done == 0) {
    auto made = std::make_shared<node>();
    made->is_folder = true;
    nodes_[status_of(folder, name).st_ino] = made;
    // The root is made by its path, all else in a folder that is open.
    const auto parent =
        folder == AT_FDCWD ? status_of(AT_FDCWD, root_.parent_path().c_str()).st_ino : status_of(folder, "").st_ino;
    nodes_.at(parent)->changes.push_back({std::filesystem::path(name).filename().string(), std::move(made)});
  } else if (errno == EEXIST) {
    return done;
  }
  return ends() ? failed() : done;
}

ssize_t power_cut_disk::random(unsigned char* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<unsigned char>(numbers_() % (i == 0 ? 2 : 256));
  return static_cast<ssize_t>(count);
}

// ---- the index's files, which nobody tells about when they are made -------------------------------------------------

power_cut_disk::node_ptr& power_cut_disk::root() { return nodes_.at(status_of(AT_FDCWD, root_.c_str()).st_ino); }

void power_cut_disk::find_files_of_index() {
  node& in = *root();
  for (const auto& each : std::filesystem::directory_iterator(root_)) {
    if (!each.is_regular_file()) continue;
    const std::string name = each.path().filename().string();
    const ino_t number = status_of(AT_FDCWD, each.path().c_str()).st_ino;
    const auto known = in.now(name);
    if (known != nullptr && known->number == number) continue;
    auto found = std::make_shared<node>();
    found->of_index = true;
    found->number = number;
    in.changes.push_back({name, std::move(found)});
  }
}

void power_cut_disk::removing(const std::string& file) {
  find_files_of_index();
  const std::string name = std::filesystem::path(file).filename().string();
  const auto known = root()->now(name);
  if (known == nullptr) return;
  known->of_index = false;
  known->bytes = read_file(file);
  root()->changes.push_back({name, nullptr});
}

void power_cut_disk::synced_folder_of(const std::string&) { sync_folder(*root()); }

void power_cut_disk::sync_folder(node& folder) {
  if (nodes_.contains(status_of(AT_FDCWD, root_.c_str()).st_ino) && root().get() == &folder) find_files_of_index();
  for (const auto& each : std::exchange(folder.changes, {})) folder.apply(folder.names, each);
}

// ---- after the cut --------------------------------------------------------------------------------------------------

power_cut_disk::losses power_cut_disk::settle() {
  if (!cut_) throw std::logic_error("the power is on");
  lost_ = {};
  lost_.index = vfs_.dropped();
  const bool was_there = std::filesystem::exists(root_);
  if (was_there) find_files_of_index();
  const auto left = names_left_in(*nodes_.at(status_of(AT_FDCWD, root_.parent_path().c_str()).st_ino));
  if (was_there) std::filesystem::rename(root_, former_);
  for (const auto& [name, what] : left) make_anew(*what, root_.parent_path() / name);
  std::filesystem::remove_all(former_);
  return lost_;
}

std::map<std::string, power_cut_disk::node_ptr> power_cut_disk::names_left_in(node& folder) {
  auto left = folder.names;
  std::map<std::string, std::size_t> kept_of;  // of each name the first so many changes
  for (const auto& each : folder.changes) ++kept_of[each.name];
  for (auto& [name, count] : kept_of) {
    if (choice_.names == kept::nothing) count = 0;
    if (choice_.names == kept::some) count = random_() % (count + 1);
  }
  for (const auto& each : folder.changes) {
    auto& count = kept_of[each.name];
    if (count == 0) {
      ++lost_.names;
    } else {
      --count;
      folder.apply(left, each);
    }
  }
  return left;
}

void power_cut_disk::leave_bytes_of(node& file) {
  std::size_t at = file.bytes.size();
  for (const std::string& each : std::exchange(file.appended, {})) {
    std::size_t count = choice_.bytes == kept::nothing ? 0 : each.size();
    bool zeros = false;
    if (choice_.bytes == kept::some) {
      const auto drawn = random_() % 4;  // all, a part, none, or only the length
      if (drawn == 1) count = random_() % (each.size() / sector + 1) * sector;
      if (drawn == 2) count = 0;
      zeros = drawn == 3;
    }
    if (count != 0) {
      file.bytes.resize(std::max(file.bytes.size(), at + count));  // what was dropped before this is a hole
      if (!zeros) file.bytes.replace(at, count, each, 0, count);
    }
    if (zeros || count != each.size()) ++lost_.bytes;
    at += each.size();
  }
}

void power_cut_disk::make_anew(node& what, const std::filesystem::path& at) {
  if (what.is_folder) {
    std::filesystem::create_directory(at);
    for (const auto& [name, each] : names_left_in(what)) make_anew(*each, at / name);
  } else if (what.of_index) {
    // The log's index is memory that is shared: SQLite removes it behind the VFS, and nobody misses it.
    if (std::filesystem::exists(former_ / at.filename())) std::filesystem::copy_file(former_ / at.filename(), at);
  } else {
    leave_bytes_of(what);
    write_file(at, what.bytes);
  }
}

}  // namespace support
