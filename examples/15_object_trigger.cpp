// SPDX-License-Identifier: MIT
// An object that is put into a store is an event; the function answers with an object of its own, in another folder.

#include <dormouse/adapters/memory_object_store.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/triggers/on_object.hpp>

#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <string>
#include <string_view>

namespace {

// The state of one instance: built on a cold start, used again while there is work.
class thumbnailer {
 public:
  explicit thumbnailer(dormouse::object_store& photos) : photos_(photos) {}

  dormouse::result<void> operator()(const dormouse::object_created& what) {
    const auto full = photos_.get(what.key);
    if (!full && full.error().code == dormouse::errc::not_found) return {};  // erased meanwhile: nothing to do
    if (!full) return full.error();                                          // tried again
    // Every eighth pixel will do. The event may come twice, and the same put again does no harm.
    std::string small;
    const std::string_view pixels = full->data.text();
    for (std::size_t at = 0; at < pixels.size(); at += 8) small += pixels[at];
    const auto key = "thumbnails/" + what.key.substr(std::string_view("in/").size());
    const auto put = photos_.put(key, small, {.content_type = what.content_type, .metadata = {{"of", what.etag}}});
    if (!put) return put.error();
    return {};
  }

 private:
  dormouse::object_store& photos_;
};

}  // namespace

int main() {
  dormouse::memory_object_store photos;  // services first: they outlive the runtime
  std::atomic<int> seen{0};
  dormouse::runtime runtime;

  auto thumbnail =
      runtime.define("thumbnail", dormouse::per_instance([&] { return thumbnailer(photos); }), {.instances_max = 2});
  auto announce = runtime.define("announce", [&](const dormouse::object_created& what) {
    fmt::print("{}: {} bytes\n", what.key, what.size);
    if (++seen == 3) runtime.stop();
  });
  // Each its own folder, so that a thumbnail is no reason for another one.
  for (const auto& attached :
       {runtime.attach(dormouse::on_object_created(photos, {.prefix = "in/", .suffix = ".raw"}), thumbnail),
        runtime.attach(dormouse::on_object_created(photos, {.prefix = "thumbnails/"}), announce)}) {
    if (attached) continue;
    fmt::print("{}\n", to_string(attached.error()));
    return 1;
  }

  for (const char* key : {"in/hazel.raw", "in/oak.raw", "in/notes.txt", "in/ivy.raw"}) {
    if (const auto put = photos.put(key, std::string(4'096, key[3]), {.content_type = "image/x-raw"}); !put) return 1;
  }

  // This thread sleeps for the library, until a handler, or Ctrl-C, stops it.
  if (!runtime.run({.stop_on = {SIGINT, SIGTERM}})) return 1;
  const auto small = photos.get("thumbnails/oak.raw");
  return small && small->data == std::string(512, 'o') && small->info.content_type == "image/x-raw" ? 0 : 1;
}
