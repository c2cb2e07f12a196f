#include "feeder.hpp"

#include "random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace watch_folder {

namespace {

namespace fs = std::filesystem;

struct file_closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using file_pointer = std::unique_ptr<std::FILE, file_closer>;

[[noreturn]] void fail(std::string_view what, const fs::path& file) {
  throw std::system_error(errno, std::generic_category(), fmt::format("cannot {} {}", what, file.string()));
}

// In pieces, so that a watcher that looks too early sees half a file.
void write_file(const fs::path& file, std::string_view bytes) {
  fs::create_directories(file.parent_path());
  file_pointer out(std::fopen(file.c_str(), "wbxe"));
  if (!out) fail("create", file);
  std::setvbuf(out.get(), nullptr, _IONBF, 0);
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, 65'536);
    if (std::fwrite(piece.data(), 1, piece.size(), out.get()) != piece.size()) fail("write", file);
    bytes.remove_prefix(piece.size());
  }
  if (std::fclose(out.release()) != 0) fail("write", file);
}

// Empty when it cannot be read: a file may vanish while somebody works in the repository.
std::optional<std::string> read_file(const fs::path& file, std::uint64_t bytes) {
  const file_pointer in(std::fopen(file.c_str(), "rbe"));
  if (!in) return std::nullopt;
  std::string content(bytes, '\0');
  content.resize(std::fread(content.data(), 1, content.size(), in.get()));
  return content;
}

void generate(std::string& content, std::uint64_t bytes, std::uint64_t seed, bool is_text) {
  content.resize(bytes);
  random_numbers(seed).fill(content);
  if (!is_text) return;
  constexpr std::string_view letters = "eeeeetttaaooiinnsshhrrddlluucmfgypwbvk       \n";
  for (char& each : content) each = letters[static_cast<unsigned char>(each) % letters.size()];
}

// Hidden files are not watched, so a copy of .clang-format is called dot-clang-format.
fs::path unhidden(const fs::path& relative) {
  fs::path shown;
  for (const auto& part : relative) {
    const std::string name = part.string();
    shown /= name.starts_with('.') ? fmt::format("dot-{}", name.substr(1)) : name;
  }
  return shown;
}

}  // namespace

feeder::feeder(fs::path folder, const feeder_options& options) : folder_(std::move(folder)) {
  plan_repository(options);
  plan_generated(options);
  constexpr std::uint64_t seed = 1;
  random_numbers(seed).shuffle(plan_);
}

void feeder::plan_repository(const feeder_options& options) {
  std::uint64_t room = options.repository_bytes_max;
  std::error_code error;  // what cannot be read is left out
  auto each =
      fs::recursive_directory_iterator(options.repository, fs::directory_options::skip_permission_denied, error);
  for (; each != fs::end(each) && plan_.size() < options.repository_files_max; each.increment(error)) {
    const auto name = each->path().filename();
    if (each->symlink_status(error).type() == fs::file_type::directory && (name == "build" || name == ".git")) {
      each.disable_recursion_pending();
    }
    if (each->symlink_status(error).type() != fs::file_type::regular) continue;
    const auto bytes = each->file_size(error);
    if (error || bytes > room) continue;
    auto content = read_file(each->path(), bytes);
    if (!content) continue;
    room -= content->size();
    const auto below = unhidden(each->path().lexically_relative(options.repository));
    plan_.push_back({.relative = "repository" / below, .content = std::move(*content)});
  }
  // The order of a folder is the file system's; ours is always the same.
  std::sort(plan_.begin(), plan_.end(), [](const auto& a, const auto& b) { return a.relative < b.relative; });
}

void feeder::plan_generated(const feeder_options& options) {
  constexpr std::uint64_t seed = 2;
  random_numbers random(seed);
  for (std::size_t i = 0; i < options.generated_files; ++i) {
    const bool is_large = i % 50 == 49;
    auto bytes = is_large ? random.magnitude(options.small_bytes_max, options.large_bytes_max)
                          : random.magnitude(1, options.small_bytes_max);
    if (i == 0) bytes = 1;
    if (i == 49) bytes = options.large_bytes_max;
    const bool is_text = i % 2 == 0;
    auto relative = fmt::format("generated/{:02}/{:04}.{}", i / 100, i, is_text ? "txt" : "bin");
    plan_.push_back({.relative = std::move(relative),
                     .is_generated = true,
                     .is_text = is_text,
                     .bytes = bytes,
                     .seed = random.next()});
  }
}

void feeder::drop(std::size_t count, std::chrono::milliseconds over, const std::stop_token& stop) {
  const auto begin = std::chrono::steady_clock::now();
  const std::size_t wanted = std::min(count, plan_.size() - dropped_);
  for (std::size_t i = 0; i < wanted && !stop.stop_requested(); ++i) {
    std::this_thread::sleep_until(begin + over * i / wanted);
    drop_next();
  }
}

void feeder::drop_next() {
  const planned_file& next = plan_[dropped_];
  if (next.is_generated) generate(generated_, next.bytes, next.seed, next.is_text);
  drop(next.relative, next.is_generated ? generated_ : next.content);
}

void feeder::drop(const fs::path& relative, std::string_view text) {
  const auto file = folder_ / relative;
  if (dropped_ % 2 == 0) {
    write_file(file, text);
  } else {
    const auto hidden = file.parent_path() / fmt::format(".{}.part", file.filename().string());
    write_file(hidden, text);
    fs::rename(hidden, file);
  }
  dropped_bytes_ += text.size();
  ++dropped_;
}

}  // namespace watch_folder
