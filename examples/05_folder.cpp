// SPDX-License-Identifier: MIT
// A file that is dropped into a folder is an event. Run it with a folder, or without: then it makes one and feeds it.

#include <dormouse/runtime.hpp>
#include <dormouse/triggers/on_file.hpp>

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

namespace fs = std::filesystem;

int main(int argc, char** argv) {
  const bool own = argc < 2;
  const fs::path folder =
      own ? fs::temp_directory_path() / fmt::format("dormouse-{}", std::random_device{}()) : argv[1];
  if (own) fs::create_directory(folder);

  std::atomic<int> seen{0};
  dormouse::runtime runtime;
  auto measure = runtime.define("measure", [&](const dormouse::file_event& file) {
    fmt::print("{}: {} bytes\n", file.relative.string(), fs::file_size(file.path));
    ++seen;
    if (own) runtime.stop();
  });

  const auto watching = runtime.attach(dormouse::on_file(folder, {.existing = true}), measure);
  if (!watching) {
    fmt::print(stderr, "{}\n", to_string(watching.error()));
    return 1;
  }
  if (own) std::ofstream(folder / "hello.txt") << "hello";

  // This thread sleeps for the library, until a handler, or Ctrl-C, stops it.
  const auto left = runtime.run({.stop_on = {SIGINT, SIGTERM}});
  if (own) fs::remove_all(folder);
  return left && (!own || seen > 0) ? 0 : 1;
}
