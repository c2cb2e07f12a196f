// SPDX-License-Identifier: MIT
// State per instance: made by a cold start, used warm, destroyed when idle.

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>
#include <unordered_map>

using namespace std::chrono_literals;

// What one instance knows. Only one invocation is inside at a time, so it needs no lock.
class translator {
 public:
  translator() : words_{{"mouse", "Maus"}, {"sleep", "Schlaf"}} { fmt::print("  (loading the dictionary)\n"); }
  ~translator() { fmt::print("  (closing the dictionary)\n"); }

  std::string operator()(std::string_view word, dormouse::context& ctx) const {
    const auto found = words_.find(std::string(word));
    return fmt::format("{} [{}]", found == words_.end() ? "?" : found->second, ctx.cold() ? "cold" : "warm");
  }

 private:
  std::unordered_map<std::string, std::string> words_;
};

int main() {
  dormouse::runtime runtime;
  auto translate =
      runtime.define("translate", dormouse::per_instance([] { return translator{}; }), {.idle_timeout = 30ms});

  for (const char* word : {"mouse", "sleep", "tea"}) fmt::print("{}: {}\n", word, translate(word).value());

  // Nobody calls: the instance goes, and with it the last thread.
  const bool at_zero =
      dormouse::testing::eventually(5s, [&] { return runtime.stats().instances == 0 && runtime.stats().threads == 0; });
  fmt::print("instances {}, threads {}\n", runtime.stats().instances, runtime.stats().threads);

  fmt::print("mouse: {}\n", translate("mouse").value());
  return at_zero && translate.stats().cold_starts == 2 ? 0 : 1;
}
