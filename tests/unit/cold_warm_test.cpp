// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <dormouse/bench/cold_warm.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;

namespace {

// Returns how long it really was busy: a machine with other work may make it longer.
std::chrono::nanoseconds busy_for(std::chrono::nanoseconds length) {
  const auto begun = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begun < length) {}
  return std::chrono::steady_clock::now() - begun;
}

#if defined(DORMOUSE_ADDRESS_SANITIZER) || defined(DORMOUSE_THREAD_SANITIZER)
constexpr bool slowed_around_handlers = true;
#else
constexpr bool slowed_around_handlers = false;
#endif

using times = std::vector<std::chrono::nanoseconds>;

struct measured {
  measured() { constructors.push_back(busy_for(5ms)); }
  int operator()(const event& what) const {
    bodies.push_back(busy_for(50us));
    return static_cast<int>(what.data.size());
  }
  char state[100]{};
  // In order: one runs at a time.
  static inline times constructors{};
  static inline times bodies{};
};

std::chrono::nanoseconds median(const times& all, std::size_t from, std::size_t count) {
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(from);
  times some(first, first + static_cast<std::ptrdiff_t>(count));
  std::sort(some.begin(), some.end());
  return some[(count - 1) / 2];
}

bool near(std::chrono::nanoseconds found, std::chrono::nanoseconds wanted, int percent = 5) {
  return found >= wanted - wanted * percent / 100 && found <= wanted + wanted * percent / 100;
}

}  // namespace

// Against what they took by themselves, which on a loaded machine is more.
TEST_CASE("a constructor of 5 ms and a body of 50 us are reported as such", "[bench]") {
  constexpr std::size_t rounds = 20;
  constexpr std::size_t before = 3;  // to settle, of either kind
  measured::constructors.reserve(rounds * 2);
  measured::bodies.reserve(rounds * 4);
  runtime host;
  host.define("thumbnail", per_instance([] { return measured(); }));
  const auto found = bench::cold_warm(host, "thumbnail", {.data = "x"}, {.rounds = rounds});
  REQUIRE(found);
  REQUIRE(measured::constructors.size() == before + rounds + 1);
  REQUIRE(measured::bodies.size() == 2 * (before + rounds));
  CHECK(found->cold.init.min >= 4'900us);
  CHECK(found->cold.run.min >= 49us);
  CHECK(found->warm.run.min >= 49us);
  if (!slowed_around_handlers) {
    CHECK(near(found->cold.init.p50, median(measured::constructors, before, rounds)));
    // A fresh thread finds no code in its caches: where processors are scarce, that is a few microseconds.
    CHECK(near(found->cold.run.p50, median(measured::bodies, before, rounds), 30));
    CHECK(near(found->warm.run.p50, median(measured::bodies, before + rounds + before, rounds)));
  }
  CHECK(found->warm.init.p99 == 0ns);
  CHECK(found->cold.thread_spawn.min > 0ns);
  CHECK(found->warm.thread_spawn.min == 0ns);
  CHECK(found->cold.queued.min >= found->cold.thread_spawn.min);
  CHECK(found->cold.total.min >= found->cold.init.min + found->cold.run.min);
  CHECK(found->cold.init.min <= found->cold.init.p50);
  CHECK(found->cold.init.p50 <= found->cold.init.p99);
  CHECK(found->instance_bytes >= 100);
  CHECK(found->cold.allocations > found->warm.allocations);
}

TEST_CASE("a measurement leaves the runtime as it was", "[bench]") {
  std::atomic<int> alive{0};
  struct counted {
    explicit counted(std::atomic<int>& to) : count(&to) { ++*count; }
    counted(const counted& other) : count(other.count) { ++*count; }
    counted& operator=(const counted&) = delete;
    ~counted() { --*count; }
    int operator()(const event&) const { return 1; }
    std::atomic<int>* count;
  };
  runtime host;
  const auto work = host.define("work", counted(alive));
  REQUIRE(work({}));
  const int before = alive;
  const auto stats = host.stats();
  REQUIRE(bench::cold_warm(host, "work", {}, {.rounds = 5}));
  CHECK(alive == before);
  CHECK(host.stats().instances == stats.instances);
  CHECK(host.stats().threads_started == stats.threads_started);
  CHECK(work.stats().invocations == 1);
  CHECK(work.stats().cold_starts == 1);
}

TEST_CASE("a function without state has cold threads only", "[bench]") {
  runtime host;
  host.define("plain", [](const event&) { return 1; });
  const auto found = bench::cold_warm(host, "plain", {}, {.rounds = 5});
  REQUIRE(found);
  CHECK(found->cold.init.p99 == 0ns);
  CHECK(found->cold.thread_spawn.min > 0ns);
}

TEST_CASE("what cannot be measured is refused", "[bench]") {
  runtime host;
  host.define("fails", [](const event&) -> result<int> { return failure{.code = errc::unavailable}; });
  host.define("move-only", [kept = std::make_unique<int>(1)](const event&) { return *kept; });
  CHECK(bench::cold_warm(host, "none", {}).error().code == errc::not_found);
  CHECK(bench::cold_warm(host, "fails", {}).error().code == errc::function_failed);
  CHECK(bench::cold_warm(host, "fails", {}, {.rounds = 0}).error().code == errc::invalid_argument);
  CHECK(bench::cold_warm(host, "fails", {}, {.rounds = 100'001}).error().code == errc::invalid_argument);
  CHECK(bench::cold_warm(host, "move-only", {}).error().code == errc::unsupported);
}

TEST_CASE("a report is a table, JSON and a picture", "[bench]") {
  bench::cold_warm_report report{.function = "thumbnail", .rounds = 7, .instance_bytes = 48};
  report.cold.init = {.min = 1us, .p50 = 2us, .p99 = 3us};
  report.warm.allocations = 0.5;
  CHECK(report.table().find("init                  1.00        2.00        3.00") != std::string::npos);
  CHECK(report.json().find(R"("cold":{"queued":{"min":0,"p50":0,"p99":0})") != std::string::npos);
  CHECK(report.json().find(R"("init":{"min":1000,"p50":2000,"p99":3000})") != std::string::npos);
  CHECK(report.json().find(R"("allocations":0.5},"instance_bytes":48})") != std::string::npos);
  CHECK(report.svg().find("thumbnail, median of 7 rounds") != std::string::npos);
  CHECK(report.svg().rfind("</svg>\n") == report.svg().size() - 7);
}
