// SPDX-License-Identifier: MIT
// A service behind an interface: the handler sees a table, main decides which one.

#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/runtime.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

// Counts how often each word was posted. It knows no adapter.
class counter {
 public:
  explicit counter(dormouse::table& words) : words_(words) {}

  dormouse::result<void> operator()(const std::string& word) {
    auto known = words_.get({word, ""});
    if (!known) return known.error();
    std::int64_t count = 0;
    if (known->has_value()) count = std::get<std::int64_t>((*known)->at("count"));
    return words_.put({word, ""}, {{"count", count + 1}});
  }

 private:
  dormouse::table& words_;
};

int main() {
  dormouse::memory_table words;  // services first: they outlive the runtime
  dormouse::runtime runtime;

  // One instance at a time, so that read and write belong together.
  auto count = runtime.define("count", dormouse::per_instance([&] { return counter(words); }), {.instances_max = 1});

  for (const char* word : {"to", "sleep", "to", "dream"}) {
    if (!count.post(word)) return 1;
  }
  runtime.close(std::chrono::seconds(5));  // what was accepted has run

  const auto page = words.list().value();
  for (const auto& entry : page.entries) {
    fmt::print("{} {}\n", entry.key.partition, std::get<std::int64_t>(entry.item.at("count")));
  }
  return page.entries.size() == 3 ? 0 : 1;
}
