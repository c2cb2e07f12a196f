#pragma once

// A disk under SQLite that fails when it is told to, or loses its power: a VFS around the system's, registered while
// the object lives, one at a time. Files that are mapped (the log's index) are the system's own.

#include <cstdint>
#include <memory>
#include <string>

namespace support {

class faulty_vfs {
 public:
  static constexpr const char* name = "dormouse_faulty";

  enum class fault { write_fails, write_is_short, disk_is_full, sync_fails };

  faulty_vfs();
  faulty_vfs(const faulty_vfs&) = delete;
  faulty_vfs& operator=(const faulty_vfs&) = delete;
  ~faulty_vfs();  // after every file is closed

  // From the `nth` write or sync on (1: the next one), once or until heal(), of files whose name ends so.
  void fail(fault what, unsigned nth, bool lasting = false, std::string file_ends_with = "");
  void heal();
  [[nodiscard]] unsigned fired() const;

  // From now on a file's writes stay in memory until it is synced. At the `nth` write, truncation or sync the power
  // goes: of all that was not synced some writes have reached the disk, in any order, one of them torn at a sector;
  // everything later fails and changes nothing.
  void cut_power_at(unsigned nth, std::uint32_t seed);
  [[nodiscard]] bool was_cut() const;
  [[nodiscard]] unsigned operations() const;  // writes, truncations and syncs so far; with a machine, removals too

  // The same, but the machine says when: for tests of stores that have other files beside SQLite's. Of what was not
  // synced, the disk has so much when the power goes. The machine must outlive the files.
  enum class kept { nothing, everything, some };
  class machine;
  void run_on(machine& where, kept what, std::uint32_t seed);
  // Now, between two operations.
  void cut_power();
  [[nodiscard]] unsigned dropped() const;  // changes that the disk did not keep, or not as a whole

  struct disk;

 private:
  std::unique_ptr<disk> disk_;
};

// Where the program and its disk are. Called with the VFS locked.
class faulty_vfs::machine {
 public:
  enum class fate { done, fails, power_goes };

  machine() = default;
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;
  virtual ~machine() = default;

  // Nothing happens any more: the program is dead, or the power gone.
  [[nodiscard]] virtual bool is_off() const = 0;
  // One more operation: what becomes of it?
  virtual fate next_operation() = 0;
  // The file is about to be removed from its folder, which need not stay so when the power goes.
  virtual void removing(const std::string& file) = 0;
  // The folder of this file is synced.
  virtual void synced_folder_of(const std::string& file) = 0;
};

}  // namespace support
