// SPDX-License-Identifier: MIT
// Orders in a queue: each is an event, one that fails is tried again, and one that never will be done is a dead letter.

#include <dormouse/adapters/memory_queue.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/triggers/on_message.hpp>

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>

using namespace std::chrono_literals;

int main() {
  dormouse::memory_queue orders({.settings = {.deliveries_max = 3}});  // services first: they outlive the runtime
  std::atomic<int> shipped{0};
  std::atomic<int> refused{0};
  dormouse::runtime runtime;

  auto ship = runtime.define("ship", [&](const dormouse::event& order) -> dormouse::result<void> {
    const std::string deliveries = *find_extension(order, "deliveries");
    fmt::print("{}, delivery {}\n", order.data.text(), deliveries);
    if (order.data.text() == "a unicorn") {  // thrice, then it is a dead letter
      ++refused;
      return dormouse::failure{.code = dormouse::errc::not_found, .detail = "out of unicorns"};
    }
    if (order.data.text() == "two books" && deliveries == "1") {  // the next delivery finds a carrier
      return dormouse::failure{.code = dormouse::errc::unavailable, .detail = "no carrier", .retry_after = 20ms};
    }
    ++shipped;
    return {};
  });
  const auto attached = runtime.attach(dormouse::on_message(orders, {.retry_delay = 10ms, .in_flight_max = 2}), ship);
  if (!attached) {
    fmt::print("{}\n", to_string(attached.error()));
    return 1;
  }
  // Stops the host once the queue has nothing any more but dead letters.
  auto look = runtime.define("look", [&](const dormouse::event&) {
    const auto counts = orders.counts();
    if (counts && counts->visible + counts->waiting + counts->in_flight == 0) runtime.stop();
  });

  for (const char* order : {"a lamp", "two books", "a unicorn", "three chairs"}) {
    if (const auto sent = orders.send({.data = order}); !sent) return 1;
  }
  if (!runtime.attach(dormouse::every(10ms), look)) return 1;

  // This thread sleeps for the library, until a handler, or Ctrl-C, stops it.
  if (!runtime.run({.stop_on = {SIGINT, SIGTERM}})) return 1;
  const auto dead = orders.dead_letters();
  if (!dead || dead->letters.size() != 1) return 1;
  fmt::print("dead: {}, because of {}\n", dead->letters[0].data.text(), dead->letters[0].error);
  return shipped == 3 && refused == 3 ? 0 : 1;
}
