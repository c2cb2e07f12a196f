// SPDX-License-Identifier: MIT
// A service behind an interface: the handler sees a table, main decides which one.

#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/runtime.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

// Counts how often each word was posted. It knows no adapter, and needs no lock: the table adds.
class counter {
 public:
  explicit counter(dormouse::table& words) : words_(words) {}

  dormouse::result<std::int64_t> operator()(const std::string& word) {
    auto counted = words_.update({word, ""}, dormouse::table_update().increment(dormouse::field("count"), 1));
    if (!counted) return counted.error();
    return std::get<std::int64_t>(counted->item.at("count"));
  }

 private:
  dormouse::table& words_;
};

int main() {
  dormouse::memory_table words;  // services first: they outlive the runtime
  dormouse::runtime runtime;

  auto count = runtime.define("count", dormouse::per_instance([&] { return counter(words); }));

  for (const char* word : {"to", "sleep", "to", "dream"}) {
    if (!count.post(word)) return 1;
  }
  runtime.close(std::chrono::seconds(5));  // what was accepted has run

  const auto page = words.scan().value();
  for (const auto& entry : page.entries) {
    fmt::print("{} {}\n", entry.key.partition, std::get<std::int64_t>(entry.item.at("count")));
  }
  return page.entries.size() == 3 ? 0 : 1;
}
