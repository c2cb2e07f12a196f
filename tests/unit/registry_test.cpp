// SPDX-License-Identifier: MIT
// Many functions: found by name, cheap at rest, no dearer to call.

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

#include <dormouse/runtime.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

using namespace dormouse;

namespace {

std::size_t resident_bytes() {
  std::size_t pages = 0;
  std::size_t resident = 0;
  if (std::FILE* const file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%zu %zu", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST_CASE("a million functions at rest cost at most 128 bytes each beyond the name, and no thread", "[registry]") {
  constexpr std::size_t count = 1'000'000;
  const std::size_t threads = support::threads_of_process();
  const std::size_t resident_before = resident_bytes();
  runtime host;
  std::size_t name_bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = fmt::format("tenant-{:06}_function", i);
    name_bytes += name.size();
    host.define(name, [](int n) { return n; });
  }
  const std::size_t resident = resident_bytes() - resident_before - name_bytes;
  WARN(fmt::format("{:.1f} bytes resident a function beyond its name", static_cast<double>(resident) / count));
#if !defined(DORMOUSE_ADDRESS_SANITIZER) && !defined(DORMOUSE_THREAD_SANITIZER)  // which keep books of their own
  CHECK(resident / count <= 128);
#endif
  CHECK(support::threads_of_process() == threads);
  CHECK(host.stats().functions == count);
  for (std::size_t i = 0; i < count; i += 9'973) {
    const auto got = host.invoke(fmt::format("tenant-{:06}_function", i), {.type = "t", .data = "7"});
    REQUIRE(got);
    CHECK(got->text() == "7");
  }
  CHECK_FALSE(host.invoke("tenant-1000000_function", {.type = "t", .data = "7"}));
}

TEST_CASE("names of every length are found among many, and again after undefine", "[registry]") {
  runtime host;
  std::vector<handle<std::size_t()>> all;
  std::vector<std::string> names;
  for (std::size_t size = 1; size <= 64; ++size) names.emplace_back(size, 'n');
  for (std::size_t size = 1; size <= 64; ++size) names.push_back(std::string(64, 'n') + ':' + std::string(size, 'q'));
  for (const auto& name : names) {
    const std::size_t size = name.size();
    all.push_back(host.define(name, [size] { return size; }));
  }
  for (const auto& name : names) CHECK(host.invoke(name, {.type = "t"})->text() == std::to_string(name.size()));
  for (auto& each : all) REQUIRE(host.undefine(each));
  for (const auto& name : names) CHECK_FALSE(host.invoke(name, {.type = "t"}));
  for (const auto& name : names) host.define(name, [] { return std::size_t{7}; });
  for (const auto& name : names) CHECK(host.invoke(name, {.type = "t"})->text() == "7");
  CHECK(host.stats().functions == names.size());
}

TEST_CASE("functions are found while others are being registered", "[registry]") {
  runtime host;
  host.define("first", [] { return 1; });
  std::atomic<bool> done{false};
  std::atomic<int> lost{0};
  std::thread reader([&] {
    while (!done) {
      if (!host.invoke("first", {.type = "t"})) ++lost;
    }
  });
  for (int i = 0; i < 20'000; ++i) host.define(fmt::format("f{}", i), [] { return 2; });
  done = true;
  reader.join();
  CHECK(lost == 0);
  for (int i = 0; i < 20'000; ++i) REQUIRE(host.invoke(fmt::format("f{}", i), {.type = "t"}));
}

TEST_CASE("a function at rest has given back everything but its counters", "[registry][zero]") {
  if (!support::counts_allocations()) DORMOUSE_SKIP("allocations are not counted in sanitizer builds");
  using namespace std::chrono_literals;
  runtime host({.thread_idle_timeout = 0ns});
  auto work =
      host.define("work", [big = std::string(100'000, 'x')](int n) { return big.size() + static_cast<unsigned>(n); },
                  {.idle_timeout = 0ns});
  const auto use = [&] {
    for (int i = 0; i < 100; ++i) {
      REQUIRE(work(i));
      auto later = work.submit(i);
      REQUIRE(later);
      REQUIRE(later->get());
    }
    for (int i = 0; i < 50'000 && (host.stats().threads != 0 || host.stats().instances != 0); ++i)
      std::this_thread::yield();
    REQUIRE(host.stats().threads == 0);
  };
  use();
  const std::size_t rested = support::bytes_allocated();
  use();
  use();
  CHECK(support::bytes_allocated() <= rested + 1'024);  // not growing, and far below one instance
}
