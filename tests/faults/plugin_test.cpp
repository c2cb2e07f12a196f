// SPDX-License-Identifier: MIT
// A plugin that goes while its function is under load.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <dlfcn.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {

bool is_mapped(std::string_view part) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(part) != std::string::npos) return true;
  }
  return false;
}

template <class F>
F* find(void* module, const char* name) {
  return reinterpret_cast<F*>(::dlsym(module, name));
}

}  // namespace

TEST_CASE("a plugin is unloaded under load: its events end, and nothing of it is touched afterwards",
          "[faults][plugin]") {
  runtime host({.compute_workers_max = 3});
  int unloaded = 0;
  for (int round = 0; round < 20; ++round) {
    void* const module = ::dlopen(DORMOUSE_PLUGIN, RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) FAIL(::dlerror());
    auto* const start = find<void(runtime&)>(module, "plugin_start");
    auto* const post = find<bool(int)>(module, "plugin_post");
    auto* const stop = find<std::size_t(runtime&)>(module, "plugin_stop");
    REQUIRE((start != nullptr && post != nullptr && stop != nullptr));
    start(host);
    std::atomic<bool> done{false};
    std::thread others([&] {  // by name, from the host's code
      while (!done) [[maybe_unused]] const auto posted = host.post("plugin", {.type = "t", .data = "host"});
    });
    int posted = 0;
    for (int i = 0; i < 2'000; ++i) posted += post(i) ? 1 : 0;
    CHECK(posted > 0);
    CHECK(stop(host) == 0);
    REQUIRE(::dlclose(module) == 0);
    if (!is_mapped("libdormouse_plugin.so")) ++unloaded;
    done = true;
    others.join();
    CHECK(host.post("plugin", {.type = "t"}).error().code == errc::not_found);
    for (const auto& letter : host.dead_letters()) {
      if (letter.why.reason != failure_reason::undefined) FAIL("a dead letter for another reason");
    }
    host.discard_dead_letters();
    REQUIRE(eventually(5s, [&] { return host.stats().queued == 0 && host.stats().instances == 0; }));
  }
  CHECK(unloaded == 20);
}
