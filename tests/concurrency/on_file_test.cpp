// SPDX-License-Identifier: MIT
// on_file attached to a real runtime: what reaches the function, and what is left when it is detached.

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/triggers/on_file.hpp>

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;
using support::temporary_folder;
using support::write_file;
namespace fs = std::filesystem;

namespace {

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator{}));
}

// What a function of a real runtime was given.
class journal {
 public:
  void operator()(const file_event& file) {
    const std::lock_guard lock(mutex_);
    ++seen_[file.relative.generic_string()];
    paths_.push_back(file.path);
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return seen_.size();
  }
  std::map<std::string, int> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  std::vector<fs::path> paths() const {
    const std::lock_guard lock(mutex_);
    return paths_;
  }

 private:
  mutable std::mutex mutex_{};
  std::map<std::string, int> seen_{};
  std::vector<fs::path> paths_{};
};

}  // namespace

TEST_CASE("attached, files reach the function, detached, nothing does and nothing is left", "[on_file]") {
  const temporary_folder root;
  journal seen;
  const auto descriptors = open_descriptors();
  {
    dormouse::runtime runtime{{.thread_idle_timeout = 0ns}};
    auto digest = runtime.define("digest", [&](const file_event& file) { seen(file); }, {.idle_timeout = 0ns});
    const auto with_runtime = open_descriptors();
    auto watch = runtime.attach(on_file(root.path(), {.rescan_every = 10ms}), digest);
    REQUIRE(watch);
    write_file(root / "one");
    REQUIRE(eventually(10s, [&] { return seen.size() == 1; }));
    CHECK(seen.paths().front() == root / "one");
    if (DORMOUSE_PLATFORM_LINUX) CHECK(eventually(10s, [&] { return runtime.stats().threads == 1; }));  // one sleeps
    REQUIRE(runtime.detach(*watch));
    write_file(root / "two");
    CHECK(eventually(10s, [&] { return runtime.stats().threads == 0; }));
    CHECK(seen.size() == 1);
    // The runtime keeps what it sleeps on (epoll and its event, or a pipe): two.
    CHECK(open_descriptors() <= with_runtime + 2);
    const auto once = open_descriptors();
    for (int i = 0; i < 20; ++i) {
      auto again = runtime.attach(on_file(root.path()), digest);
      REQUIRE(again);
      REQUIRE(runtime.detach(*again));
      CHECK(!runtime.attach(on_file(root / "missing"), digest));
    }
    CHECK(open_descriptors() == once);
    CHECK(runtime.stats().observer_failures == 0);
  }
  CHECK(open_descriptors() == descriptors);
}

TEST_CASE("a queue of one event loses no file", "[on_file]") {
  const temporary_folder root;
  journal seen;
  std::atomic<bool> is_open{false};
  dormouse::runtime runtime;
  auto digest = runtime.define("digest",
                               [&](const file_event& file) {
                                 REQUIRE(eventually(20s, [&] { return is_open.load(); }));
                                 seen(file);
                               },
                               {.queue_depth_max = 1});
  REQUIRE(runtime.attach(on_file(root.path(), {.retry_after = 1ms, .rescan_every = 10ms}), digest));
  for (int i = 0; i < 50; ++i) write_file(root / std::to_string(i));
  REQUIRE(eventually(20s, [&] { return digest.stats().refusals > 5; }));
  is_open = true;
  CHECK(eventually(20s, [&] { return seen.size() == 50; }));
}

TEST_CASE("no file is missed while folders are made as fast as they are watched", "[on_file]") {
  const temporary_folder root;
  journal seen;
  dormouse::runtime runtime;
  auto digest = runtime.define("digest", [&](const file_event& file) { seen(file); });
  REQUIRE(runtime.attach(on_file(root.path(), {.settle_for = 1ms, .rescan_every = 10ms}), digest));
  for (int i = 0; i < 200; ++i) {
    const auto folder = root / fmt::format("{}/b/c", i);
    fs::create_directories(folder);
    write_file(folder / "file");
    if (i % 2 == 0) fs::rename(root / std::to_string(i), root / fmt::format("{}-renamed", i));
  }
  const auto has_all = [&] {
    const auto given = seen.seen();
    for (int i = 0; i < 200; ++i) {
      if (!given.contains(fmt::format("{}{}/b/c/file", i, i % 2 == 0 ? "-renamed" : ""))) return false;
    }
    return true;
  };
  CHECK(eventually(20s, has_all));
}

TEST_CASE("two thousand files reach the function exactly once each, and then nobody works", "[on_file]") {
  const temporary_folder root;
  journal seen;
  dormouse::runtime runtime{{.thread_idle_timeout = 0ns}};
  auto digest = runtime.define("digest", [&](const file_event& file) { seen(file); },
                               {.idle_timeout = 0ns, .queue_depth_max = 100});
  // Nothing is given for having settled: a machine under load may hold up a writer between opening and closing.
  REQUIRE(runtime.attach(on_file(root.path(), {.settle_for = 1h, .retry_after = 1ms, .rescan_every = 200ms}), digest));
  for (int burst = 0; burst < 2; ++burst) {
    for (int i = 0; i < 1'000; ++i) write_file(root / fmt::format("{}-{}", burst, i));
    const auto wanted = static_cast<std::size_t>(burst + 1) * 1'000;
    REQUIRE(eventually(20s, [&] { return seen.size() == wanted; }));
  }
  CHECK(eventually(20s, [&] { return runtime.stats().queued == 0 && runtime.stats().threads <= 1; }));
  for (const auto& [path, times] : seen.seen()) {
    INFO(path);
    CHECK(times == 1);
  }
}
