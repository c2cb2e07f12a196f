// SPDX-License-Identifier: MIT
// Thousands of seeds of a small world in which everything goes wrong: after each, every accepted event has come to
// exactly one end, no instance was entered twice, no bound was exceeded, and nothing is left.
//
// DORMOUSE_SIMULATION_SEEDS (environment): how many seeds; DORMOUSE_SIMULATION_FIRST: the first one.

#include "support/catch.hpp"
#include "support/counting_memory.hpp"

#include <dormouse/testing/simulation.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::for_each_seed;
using dormouse::testing::seed_range;
using dormouse::testing::simulation;

namespace {

#if defined(DORMOUSE_ADDRESS_SANITIZER) || defined(DORMOUSE_THREAD_SANITIZER)
constexpr std::uint64_t seeds_usual = 500;
#else
constexpr std::uint64_t seeds_usual = 10'000;
#endif

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const given = std::getenv(name);
  return given != nullptr ? std::stoull(given) : otherwise;
}

// What went wrong in any seed, and how often what was injected has happened in all of them: a run that injects nothing
// shows nothing.
struct tally {
  std::map<std::string, std::uint64_t> counts{};
  std::uint64_t& operator[](const char* what) { return counts[what]; }
};

class world {
 public:
  static constexpr std::size_t functions = 4;
  static constexpr std::size_t instances_max = 2;
  static constexpr std::size_t queue_depth_max = 24;

  world(std::uint64_t seed, tally& seen)
      : seen_(seen),
        sim_(seed, {.status_count_max = 1'000'000, .instances_max = 5, .dead_letters_max = 1'000, .memory = &memory_}) {
    for (std::size_t i = 0; i < functions; ++i) define(i);
  }

  bool run() {
    for (int i = 0; i < 60; ++i) act();
    for (std::size_t i = 0; i < functions; ++i) static_cast<void>(host().resume(all_[i]));
    if (!sim_.drain_until_idle(48h)) wrong("not idle");
    held_.clear();
    account();
    sim_.advance(2min);
    if (host().stats().instances != 0) wrong("instances left");
    if (host().next_deadline()) wrong("something is armed");
    host().discard_dead_letters();
    if (host().poll() != 0) wrong("work left");
    return !wrong_;
  }

 private:
  // The state of an instance. It knows whether somebody is inside, and how many there are.
  struct instance {
    instance(world& in, std::size_t which, int* counted) : home(&in), function(which), existing(counted) {
      if (in.sim_.chance(10)) {
        ++in.seen_["init throws"];
        throw std::runtime_error("init");
      }
      if (++*existing > static_cast<int>(instances_max)) in.wrong("more instances than instances_max");
    }
    instance(const instance&) = delete;
    instance& operator=(const instance&) = delete;
    ~instance() { --*existing; }
    result<int> operator()(int value, context& ctx) {
      if (inside) home->wrong("an instance was entered twice");
      inside = true;
      struct leaves {
        bool& flag;
        ~leaves() { flag = false; }
      } const on_return{inside};
      return home->serve(function, value, ctx);
    }
    world* home;
    std::size_t function;
    int* existing;
    bool inside = false;
  };

  runtime& host() { return sim_.host(); }
  void wrong(const char* what) {
    wrong_ = true;
    UNSCOPED_INFO(what);
    std::fprintf(stderr, "seed %llu: %s\n", static_cast<unsigned long long>(sim_.seed()), what);
  }
  auto maker(std::size_t which) {
    versions_.push_back(std::make_unique<int>(0));
    return per_instance([this, which, counted = versions_.back().get()] { return instance(*this, which, counted); });
  }
  void define(std::size_t which) {
    function_options options{.timeout = 2s,
                             .instances_max = instances_max,
                             .idle_timeout = std::chrono::seconds(sim_.random_below(60)),
                             .queue_depth_max = queue_depth_max,
                             .retry = {.attempts_max = 1 + static_cast<unsigned>(sim_.random_below(4))}};
    if (which == 1) options.kind = function_kind::blocking;
    if (which == 2) options.on_failure = destination::sink([this](const outcome& what) { return take(what); });
    if (which == 3) options.on_success = destination::function("f0");
    all_.push_back(host().define(std::string{'f', static_cast<char>('0' + which)}, maker(which), options));
  }

  // ---- what handlers do ---------------------------------------------------------------------------------------------

  result<int> serve(std::size_t which, int value, context& ctx) {
    const std::uint64_t kind = sim_.random_below(12);
    if (kind == 0) {
      ++seen_["failed"];
      return failure{.code = errc::unavailable, .effect = effect_kind::not_applied};
    }
    if (kind == 1) {
      ++seen_["threw"];
      throw value;
    }
    if (kind == 2) {
      ++seen_["overran"];
      sim_.time().advance(3s);
    }
    if (kind == 3) post_some(which, value);
    if (kind == 4) call_another(value, ctx);
    if (kind == 5) wait_for_another(value);
    if (kind == 6) {
      ++seen_["asked for later"];
      return failure{.code = errc::throttled, .effect = effect_kind::not_applied, .retry_after = 30s};
    }
    return value;
  }
  void call_another(int value, context& /*ctx*/) {
    ++seen_["called"];
    static_cast<void>(all_[sim_.random_below(functions)](value));
  }
  void wait_for_another(int value) {
    auto later = all_[sim_.random_below(functions)].submit(value);
    if (!later) return;
    ++seen_["waited"];
    static_cast<void>(later->wait_until(sim_.time().now() + 500ms));
    if (later->ready()) static_cast<void>(later->get());
  }
  result<void> take(const outcome& what) {
    if (sim_.chance(30)) {
      ++seen_["sink refused"];
      return failure{.code = errc::unavailable, .effect = effect_kind::not_applied};
    }
    if (!taken_.insert(what.id.number).second) wrong("an outcome was delivered twice");
    return {};
  }

  // ---- what happens to the world ------------------------------------------------------------------------------------

  void post_some(std::size_t which, int value) {
    auto accepted = all_[which].post(value);
    if (accepted) {
      accepted_.push_back(accepted->id);
    } else if (accepted.error().code == errc::throttled || accepted.error().code == errc::recursion_limit) {
      ++seen_["post refused"];
    } else {
      wrong("a post failed otherwise");
    }
  }
  void act() {
    const std::size_t which = sim_.random_below(functions);
    auto& function = all_[which];
    switch (sim_.random_below(10)) {
      case 0:
      case 1:
      case 2: {
        for (std::size_t i = sim_.random_below(30); i > 0; --i) post_some(which, static_cast<int>(i));
        break;
      }
      case 3: static_cast<void>(function(1)); break;
      case 4: cancel_one(); break;
      case 5: static_cast<void>(sim_.chance(30) ? host().pause(function) : host().resume(function)); break;
      case 6:
        ++seen_["replaced"];
        static_cast<void>(host().replace(function, maker(which)));
        break;
      case 7: hold_one(which); break;
      case 8: host().redrive({.count_max = 2}); break;
      default: sim_.advance(std::chrono::milliseconds(sim_.random_below(20'000)));
    }
    if (sim_.chance(50)) sim_.run_ready();
    for (auto& each : all_) {
      if (each.stats().queued_now > queue_depth_max) wrong("more events than queue_depth_max");
    }
    if (host().stats().instances > 5) wrong("more instances than the runtime's instances_max");
  }
  void cancel_one() {
    if (accepted_.empty()) return;
    if (host().cancel(accepted_[sim_.random_below(accepted_.size())])) ++seen_["cancelled"];
  }
  void hold_one(std::size_t which) {
    if (auto later = all_[which].submit(7)) held_.push_back(std::move(*later));
    if (held_.size() > 4) held_.erase(held_.begin());
  }

  // ---- the ledger ---------------------------------------------------------------------------------------------------

  void account() {
    std::size_t dead = 0;
    std::size_t failed = 0;
    for (const invocation_id& id : accepted_) {
      const auto status = host().status(id);
      if (!status) {
        wrong("an accepted event is not known");
        continue;
      }
      switch (status->state) {
        case invocation_state::succeeded: ++seen_["succeeded"]; break;
        case invocation_state::cancelled: ++seen_["ended as cancelled"]; break;
        case invocation_state::dead: ++dead; break;
        case invocation_state::failed: ++failed; break;
        default: wrong("an accepted event has not ended");
      }
    }
    seen_["dead"] += dead;
    seen_["delivered failures"] += failed;
    std::set<std::uint64_t> letters;
    for (const auto& each : host().dead_letters()) {
      const bool ours = std::find(accepted_.begin(), accepted_.end(), each.id) != accepted_.end();
      if (ours && !letters.insert(each.id.number).second) wrong("two dead letters of one event");
    }
    if (letters.size() != dead) wrong("dead letters and dead events differ");
    if (failed > taken_.size()) wrong("a failure was not delivered");
    seen_["accepted"] += accepted_.size();
  }

  tally& seen_;
  support::counting_memory memory_{};
  std::vector<std::unique_ptr<int>> versions_{};  // of each handler there has been: its instances
  std::vector<handle<int(int)>> all_{};
  std::vector<invocation_id> accepted_{};
  std::set<std::uint64_t> taken_{};
  bool wrong_ = false;
  simulation sim_;
  std::vector<pending<int>> held_{};
};

}  // namespace

TEST_CASE("in every seed of a world where all goes wrong, each accepted event comes to one end, and zero is reached",
          "[simulation]") {
  const std::uint64_t seeds = from_environment("DORMOUSE_SIMULATION_SEEDS", seeds_usual);
  tally seen;
  for_each_seed({.first = from_environment("DORMOUSE_SIMULATION_FIRST", 1), .count = seeds},
                [&seen](std::uint64_t seed) { return world(seed, seen).run(); });
  std::string summary;
  for (const auto& [what, count] : seen.counts) summary += fmt::format("\n  {}: {}", what, count);
  WARN(seeds << " seeds" << summary);
  CHECK(seen["accepted"] == seen["succeeded"] + seen["dead"] + seen["delivered failures"] + seen["ended as cancelled"]);
  for (const char* const injected :
       {"failed", "threw", "overran", "init throws", "called", "waited", "asked for later", "sink refused", "replaced",
        "cancelled", "post refused", "succeeded", "dead", "delivered failures", "ended as cancelled"}) {
    INFO(injected);
    CHECK((seeds < 100 || seen[injected] > 0));
  }
}

TEST_CASE("one seed is one history", "[simulation]") {
  const auto history = [](std::uint64_t seed) {
    tally seen;
    CHECK(world(seed, seen).run());
    return seen.counts;
  };
  for (std::uint64_t seed = 1; seed <= 10; ++seed) CHECK(history(seed) == history(seed));
}
