// SPDX-License-Identifier: MIT
#include "driver/goals.hpp"

namespace bench {

namespace {

using maybe = std::optional<double>;

maybe ratio(maybe ours, maybe theirs) { return ours && theirs && *theirs > 0 ? maybe(*ours / *theirs) : std::nullopt; }
maybe difference(maybe ours, maybe theirs) { return ours && theirs ? maybe(*ours - *theirs) : std::nullopt; }

// Ours by the peer's, the same variant and metric.
auto against(const std::string& peer, const std::string& variant, const std::string& metric) {
  return [=](const round_view& round) {
    return ratio(round.value("us", variant, metric), round.value(peer, variant, metric));
  };
}
auto tails_against(const std::string& peer, const std::string& variant, const std::string& metric) {
  return [=](const round_view& round) {
    return ratio(round.p99("us", variant, metric), round.p99(peer, variant, metric));
  };
}
auto own(const std::string& variant, const std::string& metric) {
  return [=](const round_view& round) { return round.value("us", variant, metric); };
}
// Ours in one variant by ours in another.
auto grown(const std::string& large, const std::string& small, const std::string& metric) {
  return [=](const round_view& round) {
    return ratio(round.value("us", large, metric), round.value("us", small, metric));
  };
}

class goal_list {
 public:
  template <class Figure>
  void at_most(std::string question, std::string what, double limit, std::string unit, Figure figure_of) {
    all.push_back({std::move(question), std::move(what), std::move(unit), limit, false, std::move(figure_of)});
  }
  template <class Figure>
  void at_least(std::string question, std::string what, double limit, std::string unit, Figure figure_of) {
    all.push_back({std::move(question), std::move(what), std::move(unit), limit, true, std::move(figure_of)});
  }
  template <class Figure>
  void report(std::string question, std::string what, std::string unit, Figure figure_of) {
    all.push_back({std::move(question), std::move(what), std::move(unit), std::nullopt, false, std::move(figure_of)});
  }
  std::vector<goal> all;
};

void add_warm(goal_list& to) {
  const std::string question = "warm-invoke";
  const std::string one = "typed, 1 thread";
  to.at_most(question, "typed call beyond a direct call and two stamps", 10, "ns", [=](const round_view& round) {
    return difference(round.value("us", one, "call"), round.value("direct", "with two stamps, 1 thread", "call"));
  });
  to.at_most(question, "typed call to TBB's task_group, run and wait", 0.5, "x",
             against("tbb-task-group", one, "call"));
  to.at_most(question, "call by name with an event to diy's", 2, "x", against("diy", "by name, 1 thread", "call"));
  to.at_least(question, "throughput of two threads on one function to one thread's", 1.9, "x",
              [=](const round_view& round) {
                const auto each = round.value("us", "typed, 2 threads, 1 function", "call");
                return ratio(round.value("us", one, "call"), each ? maybe(*each / 2) : std::nullopt);
              });
}

void add_posts(goal_list& to) {
  const std::string question = "post-throughput";
  const std::string metric = "time per event";
  for (const std::string producers : {"1 producer", "2 producers"}) {
    to.at_most(question, "typed post to diy's, " + producers, 0.35, "x", against("diy", producers, metric));
    to.at_most(question, "typed post to TBB's enqueue, " + producers, 0.1, "x",
               against("tbb-enqueue", producers, metric));
    to.at_most(question, "event by name to diy's, " + producers, 1, "x",
               against("diy", "event by name, " + producers, metric));
    to.report(question, "functions, bounds, fairness, deadline and report beyond bare workers, " + producers, "ns",
              [=](const round_view& round) {
                return difference(round.value("us", producers, metric),
                                  round.value("dormouse-bare-lane", producers, metric));
              });
    to.at_most(question, "allocations per typed event, " + producers, 0, "", own(producers, "allocations"));
  }
}

void add_handoff(goal_list& to) {
  const std::string question = "handoff";
  const std::string one = "one at a time";
  to.at_most(question, "p50 to TBB's enqueue", 0.5, "x", against("tbb-enqueue", one, "round trip"));
  to.at_most(question, "p99 to TBB's enqueue", 1, "x", tails_against("tbb-enqueue", one, "round trip"));
  to.at_most(question, "CPU per request to TBB's enqueue", 0.5, "x", against("tbb-enqueue", one, "CPU per request"));
  to.at_most(question, "p99 to asio's", 0.05, "x", tails_against("asio", one, "round trip"));
}

void add_latencies(goal_list& to) {
  const std::string start = "post to start";
  to.at_most("sparse", "post while a worker spins (gap 15 us)", 30, "ns", own("gap 15 us", "post"));
  for (const std::string gap : {"gap 15 us", "gap 50 us", "gap 500 us"}) {
    to.at_most("sparse", "p99 of post to start to asio's, " + gap, 1, "x", tails_against("asio", gap, start));
  }
  to.at_most("sparse", "CPU after the last event (a spin budget is 20 us)", 25, "us",
             own("gap 50 us", "CPU after the last event"));
  const std::vector<std::string> peers{"asio", "diy", "glib", "libuv", "moodycamel", "tbb-enqueue"};
  to.at_most("parked", "caller blocks, to the best peer", 1, "x", [=](const round_view& round) {
    return ratio(round.value("us", "caller blocks", start), round.best_of(peers, "caller blocks", start));
  });
  for (const std::string caller : {"caller blocks", "caller busy"}) {
    to.at_most("parked", caller + ", to a bare futex wake", 1.2, "x", against("futex", caller, start));
  }
}

void add_cold(goal_list& to) {
  const std::string question = "cold";
  const std::string share = "to handler, without the constructor";
  to.at_most(question, "post to std::thread, create to run", 1.2, "x", against("std::thread", "post", "post to start"));
  to.at_most(question, "invoke to handler, without the constructor, awake", 1'000, "ns",
             own("invoke, zero instances, awake", share));
  to.at_most(question, "invoke to handler, without the constructor (SQLite, 10 MB), from zero", 1'000, "ns",
             own("invoke from zero, 10 MB and SQLite", share));
  to.at_most(question, "invoke to return from zero to std::thread's construction", 1.2, "x",
             [](const round_view& round) {
               return ratio(round.value("us", "invoke from zero", "invoke to return"),
                            round.value("std::thread", "construction", "construction"));
             });
  to.at_most("zero", "last thread gone, keep-alive 20 ms", 21, "ms", own("20 ms asked", "threads gone after"));
  to.at_most("zero", "wakeups afterwards", 0, "per second", own("20 ms asked", "wakeups"));
}

void add_idle(goal_list& to) {
  const std::string question = "idle";
  const std::string million = "1,000,000 functions";
  to.at_most(question, "memory of a function beyond its name", 128, "bytes", own(million, "memory beyond the name"));
  to.at_most(question, "register", 300, "ns", own(million, "register"));
  to.at_most(question, "memory of a function after use", 192, "bytes",
             own(million + ", after use", "memory beyond the name, after use"));
  for (const std::string find : {"find, 100 hot", "find, random"}) {
    to.at_most(question, find + ", to absl::flat_hash_map", 1, "x", against("absl::flat_hash_map", million, find));
  }
  to.at_most(question, "wakeups with 1,000 warm instances", 0, "per second", own("1,000 warm instances", "wakeups"));
}

void add_fairness(goal_list& to) {
  const std::string wait = "wait of a quiet event";
  to.at_most("fairness", "p99 beside 1,000,000 queued, less one quantum and twice its p99 alone", 0, "us",
             [=](const round_view& round) {
               constexpr double quantum = 100;
               const auto alone = round.p99("us", "alone", wait);
               return difference(round.p99("us", "beside 1,000,000 queued", wait),
                                 alone ? maybe(quantum + 2 * *alone) : std::nullopt);
             });
  to.at_most("fairness", "p99 of a quick event beside a 10 ms handler", 5'000, "us", [](const round_view& round) {
    return round.p99("us", "beside a 10 ms handler", "wait of a quick event");
  });
}

void add_growth(goal_list& to) {
  for (const std::string metric : {"invoke by handle", "post until run"}) {
    to.at_most("growth", metric + ", 1,000,000 functions to 10", 1.1, "x",
               grown("1,000,000 functions", "10 functions", metric));
    to.at_most("growth", metric + ", 10,000 instances to 1", 1.1, "x", grown("10,000 instances", "1 instance", metric));
  }
  to.at_least("trace", "invocations", 1e6, "per second", own("100 functions, 8 hours", "invocations"));
}

void add_services(goal_list& to) {
  const std::string by_hand = "sqlite-by-hand";
  for (const std::string what : {"get", "put"}) {
    to.at_most("table", what + " to the same statements by hand", 1.15, "x", against(by_hand, "file, " + what, what));
  }
  to.report("table", "put without sync to the same statements by hand", "x",
            against(by_hand, "file, put without sync", "put"));
  to.at_least("table", "puts of 8 threads to one commit each, their rate", 5, "x", [=](const round_view& round) {
    return ratio(round.value(by_hand, "file, put, 8 threads", "put"), round.value("us", "file, put, 8 threads", "put"));
  });
  to.report("table", "time per put of 8 threads to one thread's by hand, 8 in a commit", "x",
            [=](const round_view& round) {
              return ratio(round.value("us", "file, put, 8 threads", "put"),
                           round.value(by_hand, "file, put, 8 in a commit", "put"));
            });
  to.report("table", "puts of one thread by hand, 8 in a commit, to one commit each, their rate", "x",
            [=](const round_view& round) {
              return ratio(round.value(by_hand, "file, put, 8 threads", "put"),
                           round.value(by_hand, "file, put, 8 in a commit", "put"));
            });
  for (const std::string items : {"1,000 items", "100,000 items"}) {
    for (const std::string what : {"get", "put, item is there"}) {
      to.at_most("memory-table", what + " to a locked map's, " + items, 2, "x", against("locked-map", items, what));
    }
  }
  for (const std::string size : {"1 KiB", "64 MiB"}) {
    for (const std::string what : {"put", "get"}) {
      to.at_most("objects", what + " of " + size + " to plain files by hand", 1.15, "x",
                 against("files-by-hand", size, what));
    }
  }
}

void add_build(goal_list& to) {
  const auto beyond_fmt = [](const std::string& metric) {
    return [=](const round_view& round) {
      return difference(round.value("us", "hello, -O2", metric), round.value("fmt alone", "hello, -O2", metric));
    };
  };
  to.at_most("build", "hello with runtime.hpp", 2, "s", own("hello, -O2", "compile"));
  to.at_most("build", "hello with runtime.hpp, beyond fmt alone", 1, "s", beyond_fmt("compile"));
  to.at_most("build", "stripped binary beyond fmt alone", 200, "KiB", beyond_fmt("stripped binary"));
  for (const std::string flavour : {"umbrella", "header_only"}) {
    to.at_most("build", "hello with " + flavour, 4, "s", own("hello, -O2, " + flavour, "compile"));
  }
}

}  // namespace

const std::vector<goal>& goals() {
  static const std::vector<goal> all = [] {
    goal_list made;
    for (const auto add : {&add_warm, &add_posts, &add_handoff, &add_latencies, &add_cold, &add_idle, &add_fairness,
                           &add_growth, &add_services, &add_build}) {
      add(made);
    }
    return made.all;
  }();
  return all;
}

}  // namespace bench
