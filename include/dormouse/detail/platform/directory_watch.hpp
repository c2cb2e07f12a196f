// SPDX-License-Identifier: MIT
#pragma once

// Which files below a folder are complete, and which may be gone. Linux: inotify. Portable: the tree is read again and
// again. Reading is cut into pieces: collect() returns soon, and next_look() says when it wants to be called again.
// Threads: one at a time. Errors: bad_alloc may leave it behind what happened; suspect() makes it read all again.

#include <dormouse/detail/config.hpp>
#include <dormouse/result.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#if DORMOUSE_PLATFORM_LINUX
#include <signal.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

struct directory_watch_options {
  std::filesystem::path root{};  // absolute
  bool recursive = true;
  bool existing = false;  // files that open() finds are complete, once they pass as such
  bool deleted = false;   // open() reports files as present
  bool hidden = false;
  std::string suffix{};
  std::size_t folders_max = 100'000;
  std::chrono::milliseconds settle_for{100};
  std::chrono::milliseconds rescan_every{1'000};
};

enum class sighting_kind : std::uint8_t {
  complete = 1,
  present,  // was there when the watch was opened
  gone,     // this file, or anything below this folder, may be gone
};

struct sighting {
  std::string path{};  // below the root; empty: the root
  sighting_kind kind = sighting_kind::complete;
};

// Reads folders entry by entry. Symbolic links and what is neither file nor folder are left out.
// By opendir(3): std::filesystem follows links here, and its iterator ends the process when memory is short.
class folder_reader {
 public:
  enum class kind : std::uint8_t { file = 1, folder, unreadable, other };
  struct entry {
    std::string path{};
    kind what = kind::file;
    int error = 0;
  };

  explicit folder_reader(const std::filesystem::path& root) : root_(root) {}
  void add(std::string folder) { waiting_.push_back(std::move(folder)); }
  void clear() noexcept;
  [[nodiscard]] bool idle() const noexcept { return waiting_.empty() && open_ == nullptr; }
  // False when all is read. An unreadable folder is reported with its error and its own path.
  bool next(entry& out);

 private:
  struct closer {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
  };
  int open_next();
  [[nodiscard]] kind kind_of(const dirent& found) const noexcept;

  const std::filesystem::path& root_;
  std::deque<std::string> waiting_{};
  std::string folder_{};
  std::unique_ptr<DIR, closer> open_{};
};

class directory_watch {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit directory_watch(directory_watch_options options);
  directory_watch(const directory_watch&) = delete;
  directory_watch& operator=(const directory_watch&) = delete;
  ~directory_watch() { close(); }

  // Reads the whole tree. Fails as on_file() says; then nothing is held.
  result<void> open(time_point now, std::vector<sighting>& seen);
  void close() noexcept;
  // Readable when there is something to collect; -1: next_look() says it all.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  // Appends what was seen.
  void collect(time_point now, std::vector<sighting>& seen);
  // When to collect even if the descriptor is silent; a time long past: at once. Empty: never.
  [[nodiscard]] std::optional<time_point> next_look() const;
  // Something was lost: the next collect() begins to read all again, and all that was known may be gone.
  void suspect() noexcept { suspect_ = true; }
  [[nodiscard]] std::size_t left_out() const noexcept { return left_out_; }
  // Folders left out since the last call.
  [[nodiscard]] std::size_t take_left_out() noexcept { return std::exchange(left_out_, 0); }

 private:
  static constexpr int too_many_folders = -1;  // beside the system's errors
  static constexpr int entries_per_look = 4'096;

  [[nodiscard]] std::filesystem::path absolute(const std::string& path) const {
    return path.empty() ? options_.root : options_.root / path;
  }
  [[nodiscard]] bool is_wanted_file(std::string_view path) const;
  [[nodiscard]] bool is_wanted_folder(std::string_view path) const;
  [[nodiscard]] failure why_not(int error, const std::string& path) const;
  void leave_out(int error) noexcept;

  const directory_watch_options options_;
  folder_reader reader_{options_.root};
  int descriptor_ = -1;
  bool suspect_ = false;
  std::size_t left_out_ = 0;
  std::uint64_t generation_ = 1;  // of complete readings

#if DORMOUSE_PLATFORM_LINUX
  struct folder {
    std::string path{};
    std::uint64_t generation = 0;
  };
  enum class origin : std::uint8_t {
    found = 1,  // by reading its folder
    named,      // just now: by open(2), and then it will be closed; or by link(2), and then no more is heard of it
  };
  // A file that nobody vouches for: it is looked at until it rests.
  struct unsure_file {
    std::multimap<time_point, std::string>::iterator look{};
    time_point::duration interval{};
    bool is_found = false;  // see origin
    bool is_known = false;  // size and time are set
    std::int64_t size = 0;
    timespec modified{};
  };
  enum class answer : std::uint8_t { yes = 1, no, unknown };
  enum class verdict_kind : std::uint8_t { complete = 1, wait, drop };

  int enter(const std::string& path);
  void unname(int watch, const std::string& path) noexcept;
  void forget(int watch) noexcept;
  void forget_tree(const std::string& path);
  void lose_root(time_point now, std::vector<sighting>& seen);
  void find_root(time_point now);
  void start_over(time_point now, std::vector<sighting>& seen);
  void drop_unvisited() noexcept;
  void read_events(time_point now, std::vector<sighting>& seen);
  void handle(const inotify_event& happened, time_point now, std::vector<sighting>& seen);
  void handle_folder(std::uint32_t mask, const std::string& path, std::vector<sighting>& seen);
  void handle_file(std::uint32_t mask, std::string path, time_point now, std::vector<sighting>& seen);
  void read_folders(time_point now);
  void doubt(std::string path, time_point now, origin from);
  void trust(const std::string& path) noexcept;
  void look_at_unsure(time_point now, std::vector<sighting>& seen);
  verdict_kind look_again(const std::string& path, unsure_file& file) const;
  [[nodiscard]] static answer is_being_written(const std::filesystem::path& file) noexcept;

  std::unordered_map<int, folder> folders_{};  // by watch
  std::map<std::string, int> watches_{};       // by path
  std::unordered_map<std::string, unsure_file> unsure_{};
  std::multimap<time_point, std::string> looks_{};
  bool is_rereading_ = false;
  bool is_lost_ = false;  // the root
  time_point find_root_at_{};
  time_point read_folders_at_{};
#else
  struct known_file {
    std::uintmax_t size = 0;
    std::filesystem::file_time_type modified{};
    bool given = false;
    std::uint64_t generation = 0;
  };

  void begin_reading();
  int read_entry(const folder_reader::entry& found, std::vector<sighting>& seen);
  void see_file(const std::string& path, std::vector<sighting>& seen);
  void end_reading(time_point now, std::vector<sighting>& seen);

  std::unordered_map<std::string, known_file> files_{};
  std::size_t folders_ = 0;
  std::size_t left_out_now_ = 0;
  std::size_t left_out_before_ = 0;
  bool is_reading_ = false;
  bool is_open_ = false;
  time_point next_reading_{};
#endif
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/directory_scan.ipp>
#include <dormouse/detail/impl/directory_watch.ipp>
#include <dormouse/detail/impl/unsure_files.ipp>
#endif
