#pragma once

// Where the demo's files come from: those of the repository and generated ones, the same at every run, in random order.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace watch_folder {

struct feeder_options {
  std::filesystem::path repository = ".";
  // In case it is started somewhere else, at home for instance. Files that do not fit are left out.
  std::size_t repository_files_max = 1'000;
  std::uint64_t repository_bytes_max = 50'000'000;
  std::size_t generated_files = 2'000;
  // Sizes from 1 byte up, each order of magnitude as likely as the next; one file in fifty is from `small` to `large`.
  std::uint64_t small_bytes_max = 256 * 1024;
  std::uint64_t large_bytes_max = 20'000'000;
};

class feeder {
 public:
  // Reads the repository's files, writes nothing yet.
  feeder(std::filesystem::path folder, const feeder_options& options);

  [[nodiscard]] std::size_t planned() const noexcept { return plan_.size(); }
  // Drops the next `count` files into the folder, evenly over that time, or until a stop is requested. Half of them are
  // written where they belong, the others under a hidden name and then renamed. Throws std::system_error naming the
  // file.
  void drop(std::size_t count, std::chrono::milliseconds over, const std::stop_token& stop);
  // One more, with this text.
  void drop(const std::filesystem::path& relative, std::string_view text);

  // Files and bytes so far; any thread.
  [[nodiscard]] std::size_t dropped() const noexcept { return dropped_; }
  [[nodiscard]] std::uint64_t dropped_bytes() const noexcept { return dropped_bytes_; }

 private:
  struct planned_file {
    std::filesystem::path relative{};  // below the folder
    std::string content{};             // of the repository's; generated content is made when its turn comes
    bool is_generated = false;
    bool is_text = false;
    std::uint64_t bytes = 0;
    std::uint64_t seed = 0;
  };
  void plan_repository(const feeder_options& options);
  void plan_generated(const feeder_options& options);
  void drop_next();

  std::filesystem::path folder_;
  std::vector<planned_file> plan_{};
  std::string generated_{};
  std::atomic<std::size_t> dropped_{0};
  std::atomic<std::uint64_t> dropped_bytes_{0};
};

}  // namespace watch_folder
