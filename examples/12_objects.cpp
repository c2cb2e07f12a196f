// SPDX-License-Identifier: MIT
// A service without any function: a plain main that keeps objects, reads parts of them and lists them as folders.

#include <dormouse/adapters/memory_object_store.hpp>

#include <fmt/format.h>

#include <string>

// It knows no adapter.
dormouse::result<void> use(dormouse::object_store& photos) {
  // Of unknown size: piece by piece. Nobody sees it before finish(), and nothing is left of it without.
  auto writer = photos.create("2026/dormouse.txt", {.content_type = "text/plain", .metadata = {{"author", "ann"}}});
  if (!writer) return writer.error();
  for (const char* piece : {"seven ", "sleepers ", "sleep"}) {
    if (auto written = writer->write(piece); !written) return written;
  }
  const auto stored = writer->finish();
  if (!stored) return stored.error();

  for (const char* key : {"2026/hazel.txt", "2025/oak.txt", "index.txt"}) {
    if (auto put = photos.put(key, key); !put) return put.error();
  }

  const auto middle = photos.get("2026/dormouse.txt", {.range = {.offset = 6, .length = 8}});
  if (!middle) return middle.error();
  fmt::print("{} of {} bytes: {}\n", middle->data.size(), middle->info.size, middle->data.text());

  const auto top = photos.list({.delimiter = "/"});
  if (!top) return top.error();
  for (const auto& folder : top->common_prefixes) fmt::print("{}\n", folder);
  for (const auto& each : top->objects) fmt::print("{} {}\n", each.key, each.size);

  // Only if nobody has changed it since it was stored here.
  if (auto put = photos.put("2026/dormouse.txt", "awake", {.if_match = stored->etag}); !put) return put.error();
  const auto late = photos.put("2026/dormouse.txt", "asleep", {.if_match = stored->etag});
  if (late || late.error().code != dormouse::errc::condition_failed) {
    return dormouse::failure{.code = dormouse::errc::internal, .detail = "a put under a stale condition went through"};
  }
  fmt::print("{}\n", dormouse::to_string(late.error()));
  return {};
}

int main() {
  dormouse::memory_object_store photos;
  const auto used = use(photos);
  if (!used) fmt::print("{}\n", dormouse::to_string(used.error()));
  return used ? 0 : 1;
}
