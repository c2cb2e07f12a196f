// SPDX-License-Identifier: MIT
// A plugin: its handler, the handler's state and the code that destroys both are here. The library's own code is the
// host's: this module links nothing, and finds it in the program that loads it.

#include <dormouse/runtime.hpp>

#include <memory>
#include <optional>
#include <string>

namespace {

struct state {
  std::shared_ptr<std::string> text = std::make_shared<std::string>("a text of the plugin's, long enough for the heap");
  std::size_t operator()(const std::string& more) {
    text->append(more.substr(0, 1));
    return text->size();
  }
};

std::optional<dormouse::handle<std::size_t(const std::string&)>> worker;

}  // namespace

extern "C" void plugin_start(dormouse::runtime& host) {
  worker = host.define("plugin", dormouse::per_instance([] { return state{}; }), {.instances_max = 4});
}

// With an item whose code is here.
extern "C" bool plugin_post(int n) {
  return worker->post(std::string(static_cast<std::size_t>(n % 50), 'p')).has_value();
}

extern "C" std::size_t plugin_stop(dormouse::runtime& host) {
  const auto left = host.undefine(*worker, std::chrono::seconds{10});
  worker.reset();
  return left.value();
}
