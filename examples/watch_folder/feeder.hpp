#pragma once

// Where the demo's files come from: those of the repository and generated ones, the same at every run, in random order.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace watch_folder {

struct feeder_options {
  std::filesystem::path repository = ".";
  std::size_t repository_files_max = 1'000;  // in case it is started somewhere else, at home for instance
  std::uint64_t repository_file_bytes_max = 20'000'000;
  std::size_t generated_files = 2'000;
  // Sizes from 1 byte up, each order of magnitude as likely as the next; one file in fifty is from `small` to `large`.
  std::uint64_t small_bytes_max = 256 * 1024;
  std::uint64_t large_bytes_max = 20'000'000;
};

class feeder {
 public:
  // Plans, writes nothing yet. Throws std::filesystem::filesystem_error when the repository cannot be read.
  feeder(std::filesystem::path folder, const feeder_options& options);

  [[nodiscard]] std::size_t planned() const noexcept { return plan_.size(); }
  // Drops files into the folder until `count` of them have been, or a stop is requested. Half of them are written where
  // they belong, the others under a hidden name and then renamed. Throws std::system_error naming the file.
  void drop_until(std::size_t count, const std::stop_token& stop);
  // One more, with this text.
  void drop(const std::filesystem::path& relative, std::string_view text);

  // Files and bytes so far; any thread.
  [[nodiscard]] std::size_t dropped() const noexcept { return dropped_; }
  [[nodiscard]] std::uint64_t dropped_bytes() const noexcept { return dropped_bytes_; }

 private:
  struct planned_file {
    std::filesystem::path relative{};  // below the folder
    std::filesystem::path source{};    // empty: generated
    std::uint64_t bytes = 0;           // of a generated one
    std::uint64_t seed = 0;
    bool is_text = false;
  };
  void plan_repository(const feeder_options& options);
  void plan_generated(const feeder_options& options);
  void drop_next();

  std::filesystem::path folder_;
  std::vector<planned_file> plan_{};
  std::string content_{};
  std::atomic<std::size_t> dropped_{0};
  std::atomic<std::uint64_t> dropped_bytes_{0};
};

}  // namespace watch_folder
