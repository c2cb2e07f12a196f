// SPDX-License-Identifier: MIT
// A call on the caller's own thread from absolute zero: no thread, no instance. With a constructor that does what
// constructors of handlers do: open a database and load 10 MB. Its share is shown apart.

#include <dormouse/runtime.hpp>

#include "cold/workload.hpp"
#include "common/trials.hpp"

#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

struct moments {
  std::int64_t construct_begun = 0;
  std::int64_t construct_ended = 0;
  std::int64_t entered = 0;
};
moments seen;

struct cheap {
  cheap() { seen.construct_begun = seen.construct_ended = bench::now_ns(); }
  std::uint64_t operator()(std::uint64_t argument) {
    seen.entered = bench::now_ns();
    return argument;
  }
};

const std::string& weights() {
  static const std::string path = [] {
    auto name = (std::filesystem::temp_directory_path() / ("dormouse-bench-" + std::to_string(::getpid()))).string();
    std::ofstream(name, std::ios::binary) << std::string(10'000'000, 'w');
    return name;
  }();
  return path;
}

class heavy {
 public:
  heavy() {
    seen.construct_begun = bench::now_ns();
    bench::require(sqlite3_open((weights() + ".db").c_str(), &database_) == SQLITE_OK, "sqlite3_open");
    sqlite3_exec(database_, "create table if not exists runs (id integer primary key)", nullptr, nullptr, nullptr);
    std::ifstream in(weights(), std::ios::binary);
    loaded_.resize(10'000'000);
    in.read(loaded_.data(), static_cast<std::streamsize>(loaded_.size()));
    bench::require(in.good() && loaded_.back() == 'w', "10 MB were not read");
    seen.construct_ended = bench::now_ns();
  }
  heavy(const heavy&) = delete;
  heavy& operator=(const heavy&) = delete;
  ~heavy() { sqlite3_close(database_); }
  std::uint64_t operator()(std::uint64_t argument) {
    seen.entered = bench::now_ns();
    return argument + static_cast<std::uint64_t>(loaded_[argument % 10]);
  }

 private:
  sqlite3* database_ = nullptr;
  std::vector<char> loaded_;
};

std::int64_t own_share(std::int64_t begun) {
  return seen.construct_begun - begun + seen.entered - seen.construct_ended;
}

// From absolute zero each time: instance and timekeeper are gone.
template <class Make>
void invoke_from_zero(std::size_t count, const Make& make) {
  dormouse::runtime host({.thread_idle_timeout = 5ms});
  auto work = host.define("thumbnail", dormouse::per_instance(make), {.idle_timeout = 5ms});
  bench::samples own(count);
  bench::samples constructor(count);
  bench::samples total(count);
  for (std::size_t i = 0; i < count + 1; ++i) {
    const auto since = bench::now_ns();
    bench::require(bench::wait_alone(5'000'000'000) >= 0, "threads stayed");
    while (host.stats().instances != 0 || bench::now_ns() - since < bench::idle_gap_ns) bench::sleep_ns(1'000'000);
    const auto begun = bench::now_ns();
    const bool ran = work(i).has_value();
    const auto returned = bench::now_ns();
    bench::require(ran && seen.construct_begun >= begun, "the call was not cold");
    if (i == 0) continue;
    own.add(own_share(begun));
    constructor.add(seen.construct_ended - seen.construct_begun);
    total.add(returned - begun);
  }
  own.report_as("to handler, without the constructor", "ns");
  constructor.report_as("constructor", "us", 1'000);
  total.report_as("invoke to return", "us", 1'000);
}

// No instance, but the caller and the timekeeper are awake.
void invoke_new_instances(double effort) {
  const std::size_t count = bench::count_of(1'000, effort);
  dormouse::runtime host;
  auto work = host.define("thumbnail", dormouse::per_instance([] { return cheap(); }), {.idle_timeout = 0ns});
  bench::samples own(count);
  for (std::size_t i = 0; i < count + 10; ++i) {
    const auto begun = bench::now_ns();
    const bool ran = work(i).has_value();
    bench::require(ran && seen.construct_begun >= begun, "the call was not cold");
    if (i >= 10) own.add(own_share(begun));
  }
  own.report_as("to handler, without the constructor", "ns");
}

void invoke_heavy(double effort) {
  invoke_from_zero(bench::count_of(10, effort), [] { return heavy(); });
  std::remove(weights().c_str());
  std::remove((weights() + ".db").c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const auto cheap_ones = [](double e) { invoke_from_zero(bench::count_of(20, e), [] { return cheap(); }); };
  return bench::run_trials(argc, argv,
                           {{"cold", "invoke from zero", cheap_ones},
                            {"cold", "invoke from zero, 10 MB and SQLite", &invoke_heavy},
                            {"cold", "invoke, zero instances, awake", &invoke_new_instances}});
}
