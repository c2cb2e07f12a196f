// SPDX-License-Identifier: MIT
// The library: functions at rest, functions that were used once, and warm instances.

#include <dormouse/detail/registry.hpp>
#include <dormouse/runtime.hpp>

#include "idle/workload.hpp"

#include <chrono>
#include <memory_resource>

namespace {

using namespace std::chrono_literals;

// Memory and time by the public interface. A look-up by name is part of every call by name: it is timed at the
// registry itself.
void functions(double effort) {
  const auto names = bench::idle_names();
  {
    dormouse::runtime host;
    bench::time_registration(names, [&](const std::string& name) { host.define(name, [](std::uint64_t) {}); });
  }
  const dormouse::clock time;
  dormouse::detail::registry all(time, *std::pmr::new_delete_resource());
  static constexpr dormouse::detail::handler_ops ops{.drop_prototype = [](void*) {}};
  for (const auto& name : names) all.add(name, ops, nullptr, {});
  bench::time_all_finds(names, effort, [&](const std::string& name) { return all.find(name) != nullptr; });
}

// All were called once, and are idle again.
void after_use(double) {
  const auto names = bench::idle_names();
  const auto resident = bench::resident_bytes();
  dormouse::runtime host({.instances_max = 2'000'000, .thread_idle_timeout = 1ms});
  std::size_t letters = 0;
  for (const auto& name : names) {
    const auto work = host.define(name, [calls = 0](std::uint64_t) mutable { ++calls; }, {.idle_timeout = 1ms});
    bench::require(work(1).has_value(), "a call failed");
    letters += name.size();
  }
  const auto limit = bench::now_ns() + 20'000'000'000;
  while (host.stats().instances != 0 && bench::now_ns() < limit) bench::sleep_ns(10'000'000);
  bench::require(host.stats().instances == 0, "instances stayed");
  bench::require(bench::wait_alone(5'000'000'000) >= 0, "threads stayed");
  bench::report("memory beyond the name, after use", "bytes",
                static_cast<double>(bench::resident_bytes() - resident - letters) / static_cast<double>(names.size()));
}

// 1,000 functions with a warm instance each, for 5 s.
void warm_instances(double effort) {
  dormouse::runtime host({.thread_idle_timeout = 1ms});
  const auto resident = bench::resident_bytes();
  for (std::size_t i = 0; i < 1'000; ++i) {
    const auto work = host.define("warm-" + std::to_string(i), [calls = 0](std::uint64_t) mutable { ++calls; });
    bench::require(work(1).has_value(), "a call failed");
  }
  bench::report("memory of a warm instance", "bytes", static_cast<double>(bench::resident_bytes() - resident) / 1'000);
  bench::sleep_ns(300'000'000);
  const auto before = bench::wakeups_of_others();
  const auto seconds = 5 * effort;
  bench::sleep_ns(static_cast<std::int64_t>(seconds * 1e9));
  bench::require(host.stats().instances == 1'000, "instances went");
  bench::report("wakeups", "per second", static_cast<double>(bench::wakeups_of_others() - before) / seconds);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_trials(argc, argv,
                           {{"idle", "1,000,000 functions", &functions, 2},
                            {"idle", "1,000,000 functions, after use", &after_use, 1},
                            {"idle", "1,000 warm instances", &warm_instances, 1}});
}
