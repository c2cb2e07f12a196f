// SPDX-License-Identifier: MIT
// A host whose runtime is a static object that ends after main, with everything still in flight. It ends, quietly.

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <atomic>
#include <chrono>
#include <thread>

using namespace std::chrono_literals;

namespace {

// What handlers refer to is never destroyed: one of them does not return.
std::atomic<bool>& flag() {
  static auto* const made = new std::atomic<bool>{false};
  return *made;
}

dormouse::runtime& host() {
  static dormouse::runtime made;
  return made;
}

}  // namespace

int main() {
  auto stuck = host().define("stuck", [](int) {
    flag() = true;
    for (;;) std::this_thread::yield();
  });
  auto slow =
      host().define("slow", [](int) { std::this_thread::yield(); }, {.kind = dormouse::function_kind::blocking});
  auto fails = host().define("fails", [](int) { throw 1; });
  auto tick = host().define("tick", [state = 0]() mutable { ++state; });
  if (!stuck.post(1)) return 1;
  if (!host().attach(dormouse::every(1ms), tick)) return 2;
  for (int i = 0; i < 5'000; ++i) {
    if (!slow.post(i) || !fails.post(i)) return 3;
  }
  return dormouse::testing::eventually(10s, [] { return flag().load(); }) ? 0 : 4;
}
