#pragma once

// A disk under the file system store that loses its power: under the files of objects and, by a VFS, under the index.
// What the store does happens at once in the real folder, as it does in the memory of a system; which of it has been
// brought to the disk is remembered: of a file the bytes that were there when it was synced, of a folder the names. At
// the cut the folder is made anew, as a disk may have left it that promises no more than POSIX: each name and each
// write on its own, names without their bytes, bytes torn or zeros, both names of a rename or none.
// Threads: one.

#include "support/faulty_vfs.hpp"

#include "adapters/filesystem/file_io.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

namespace support {

// A store that is opened looks for 256 folders. Those that are not there are known without asking the system, which is
// most of the time that a short life takes.
class few_folders_io : public dormouse::filesystem::file_io {
 public:
  explicit few_folders_io(const std::filesystem::path& root);
  int open(int folder, const char* name, int flags, mode_t mode) override;
  int make_folder(int folder, const char* name) override;

 private:
  std::set<std::string, std::less<>> there_{"..", "blobs"};
};

class power_cut_disk final : public few_folders_io, public faulty_vfs::machine {
 public:
  using kept = faulty_vfs::kept;

  // What a cut leaves of that which was not synced: of the index, of bytes in files, and of names in folders.
  struct choice {
    kept index = kept::nothing;
    kept bytes = kept::nothing;
    kept names = kept::nothing;
    std::uint32_t seed = 0;
  };
  // What was not kept, or not as a whole.
  struct losses {
    unsigned index = 0;
    unsigned bytes = 0;
    unsigned names = 0;
  };

  // `root` is the store's, and is not there yet; its folder is.
  power_cut_disk(const std::filesystem::path& root, const choice& what);
  ~power_cut_disk() override;

  // Calls that change or sync something are counted from 1, SQLite's among them. One that syncs has not synced when it
  // is the last one. Dead: as after kill -9, until restart(), and what was not synced is still in the system's memory.
  void cut_at(unsigned nth) { cut_at_ = nth; }
  void kill_at(unsigned nth) { kill_at_ = nth; }
  void restart() { dead_ = false; }
  [[nodiscard]] bool is_dead() const { return dead_; }
  [[nodiscard]] bool is_cut() const { return cut_; }
  [[nodiscard]] unsigned calls() const { return calls_; }
  // After a cut, with the store closed: what is below the root is now what the disk has.
  losses settle();

  int open(int folder, const char* name, int flags, mode_t mode) override;
  ssize_t write(int file, const char* from, std::size_t count) override;
  int sync(int file) override;
  int rename(int folder, const char* from, const char* to) override;
  int remove(int folder, const char* name) override;
  int make_folder(int folder, const char* name) override;
  // Names of two folders only, the same in each run.
  ssize_t random(unsigned char* to, std::size_t count) override;

 private:
  struct node;  // a file or a folder
  using node_ptr = std::shared_ptr<node>;

  [[nodiscard]] bool is_off() const override { return dead_ || cut_; }
  fate next_operation() override;
  void removing(const std::string& file) override;
  void synced_folder_of(const std::string& file) override;

  bool ends();  // with this call
  node_ptr& of(int descriptor);
  node_ptr& root();
  void find_files_of_index();
  void sync_folder(node& folder);
  std::map<std::string, node_ptr> names_left_in(node& folder);
  void leave_bytes_of(node& file);
  void make_anew(node& what, const std::filesystem::path& at);

  const std::filesystem::path root_;
  const std::filesystem::path former_;  // where the root goes while it is made anew
  const choice choice_;
  faulty_vfs vfs_{};
  std::map<ino_t, node_ptr> nodes_{};  // by what is there now
  unsigned calls_ = 0;
  unsigned cut_at_ = 0;
  unsigned kill_at_ = 0;
  bool dead_ = false;
  bool cut_ = false;
  losses lost_{};
  std::mt19937 random_;     // of the choice
  std::mt19937 numbers_{};  // of names
};

}  // namespace support
