// SPDX-License-Identifier: MIT
#pragma once

// Inline in either flavour: a measurement is in few programs, and in none of their libraries.

#include <dormouse/bench/cold_warm.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

using rounds_list = std::vector<cold_warm_rounds::round>;

inline bench::distribution distribution_of(const rounds_list& all,
                                           std::chrono::nanoseconds cold_warm_rounds::round::*part) {
  std::vector<std::chrono::nanoseconds> values;
  values.reserve(all.size());
  for (const auto& each : all) values.push_back(each.*part);
  std::sort(values.begin(), values.end());
  const std::size_t last = values.size() - 1;
  return {.min = values.front(), .p50 = values[last / 2], .p99 = values[last * 99 / 100]};
}

inline bench::phases phases_of(const rounds_list& all, double allocations) {
  using round = cold_warm_rounds::round;
  return {.queued = distribution_of(all, &round::queued),
          .thread_spawn = distribution_of(all, &round::thread_spawn),
          .init = distribution_of(all, &round::init),
          .run = distribution_of(all, &round::run),
          .total = distribution_of(all, &round::total),
          .allocations = allocations};
}

// Waits for what happens just after a reply: the report, and in a cold runtime the end of everything.
template <class Condition>
bool wait_for_rest(Condition condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::microseconds{50});
  }
  return true;
}

inline failure unsettled_measurement() {
  return {.code = errc::internal,
          .effect = effect_kind::unknown,
          .detail = "a round did not come to rest, or was warm where it had to be cold"};
}

struct round_kind {
  bool from_zero = false;  // every round begins without threads and instances
  bool makes_instance = false;
};

// One submitted invocation, and then the wait for what it leaves behind. Kept in `to` unless that is null.
inline result<void> one_round(runtime& own, cold_warm_rounds& rounds, std::string_view name, const event& sample,
                              const round_kind& kind, rounds_list* to) {
  auto later = own.submit(name, sample);
  if (!later) return std::move(later).error();
  if (auto reply = later->get(); !reply) return std::move(reply).error();
  const bool rested = wait_for_rest([&] {
    if (!rounds.has_ended()) return false;
    if (!kind.from_zero) return true;
    const auto now = own.stats();
    return now.instances == 0 && now.threads == 0;
  });
  if (!rested) return unsettled_measurement();
  if (to == nullptr) {
    rounds.forget();
    return {};
  }
  if (!rounds.keep(kind.makes_instance, *to)) return unsettled_measurement();
  return {};
}

inline result<bench::phases> measure_rounds(const function_record& of, std::string_view name, const event& sample,
                                            std::size_t count, bool cold) {
  handler_ops ops = *of.ops;
  ops.drop_prototype = [](void*) {};
  function_options options = of.settings->options;
  options.keep = {};
  options.instances_reserved = 0;
  options.instances_provisioned = 0;
  options.idle_timeout = cold ? std::chrono::nanoseconds{0} : std::chrono::hours{1};
  cold_warm_rounds rounds;
  rounds_list kept;
  kept.reserve(count);
  runtime own(rounds.options(cold));
  function_probe::define(own, name, ops, of.prototype, options);
  const round_kind kind{.from_zero = cold, .makes_instance = cold && ops.state == handler_state::per_instance};
  for (int i = 0; i < 3; ++i) {  // settles; warms the warm one
    if (auto done = one_round(own, rounds, name, sample, kind, nullptr); !done) return std::move(done).error();
  }
  const std::uint64_t before = rounds.memory.calls();
  for (std::size_t i = 0; i < count; ++i) {
    if (auto done = one_round(own, rounds, name, sample, kind, &kept); !done) return std::move(done).error();
  }
  const auto allocated = static_cast<double>(rounds.memory.calls() - before) / static_cast<double>(count);
  own.close(std::chrono::seconds{30});
  return phases_of(kept, allocated);
}

// What the three forms of a report have in common.
struct report_part {
  const char* name;
  bench::distribution bench::phases::*of;
};
inline constexpr std::array<report_part, 5> report_parts{{{"queued", &bench::phases::queued},
                                                          {"thread_spawn", &bench::phases::thread_spawn},
                                                          {"init", &bench::phases::init},
                                                          {"run", &bench::phases::run},
                                                          {"total", &bench::phases::total}}};

inline double micros(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1'000; }

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail

namespace dormouse::inline DORMOUSE_FLAVOUR::bench {

inline result<cold_warm_report> cold_warm(runtime& host, std::string_view function, const event& sample,
                                          const cold_warm_options& options) {
  if (options.rounds < 1 || options.rounds > 100'000) {
    return failure{.code = errc::invalid_argument, .detail = "rounds must be 1 .. 100,000"};
  }
  const detail::function_record* const record = detail::function_probe::find(host, function);
  if (record == nullptr) {
    return failure{.code = errc::not_found, .reason = failure_reason::undefined, .detail = std::string(function)};
  }
  if (record->ops->state == detail::handler_state::single) {
    return failure{.code = errc::unsupported, .detail = "a move-only handler is its own only instance: never cold"};
  }
  auto cold = detail::measure_rounds(*record, function, sample, options.rounds, true);
  if (!cold) return std::move(cold).error();
  auto warm = detail::measure_rounds(*record, function, sample, options.rounds, false);
  if (!warm) return std::move(warm).error();
  return cold_warm_report{.function = std::string(function),
                          .rounds = options.rounds,
                          .cold = *cold,
                          .warm = *warm,
                          .instance_bytes = record->ops->object_bytes};
}

inline std::string cold_warm_report::table() const {
  std::string text = fmt::format("{}: {} rounds of each, microseconds\n{:<14}{:>36}{:>36}\n{:<14}", function, rounds,
                                 "", "cold", "warm", "");
  for (int i = 0; i < 2; ++i) text += fmt::format("{:>12}{:>12}{:>12}", "min", "p50", "p99");
  text += '\n';
  for (const auto& part : detail::report_parts) {
    text += fmt::format("{:<14}", part.name);
    for (const phases* kind : {&cold, &warm}) {
      const distribution& of = kind->*part.of;
      text += fmt::format("{:>12.2f}{:>12.2f}{:>12.2f}", detail::micros(of.min), detail::micros(of.p50),
                          detail::micros(of.p99));
    }
    text += '\n';
  }
  text += fmt::format("{:<14}{:>36.2f}{:>36.2f}\n", "allocations", cold.allocations, warm.allocations);
  return text + fmt::format("{:<14}{:>30} bytes\n", "instance", instance_bytes);
}

inline std::string cold_warm_report::json() const {
  const auto of_kind = [](const phases& kind) {
    std::string text = "{";
    for (const auto& part : detail::report_parts) {
      const distribution& of = kind.*part.of;
      text += fmt::format(R"("{}":{{"min":{},"p50":{},"p99":{}}},)", part.name, of.min.count(), of.p50.count(),
                          of.p99.count());
    }
    return text + fmt::format(R"("allocations":{}}})", kind.allocations);
  };
  // A function's name has no character that JSON would have to escape.
  return fmt::format(R"({{"function":"{}","rounds":{},"unit":"ns","cold":{},"warm":{},"instance_bytes":{}}})", function,
                     rounds, of_kind(cold), of_kind(warm), instance_bytes);
}

// Two bars of stacked medians, on one scale.
inline std::string cold_warm_report::svg() const {
  constexpr std::array<const char*, 3> colours{"#8aa9c9", "#c2571a", "#6a9a5b"};
  constexpr std::array<const char*, 3> names{"queued", "init", "run"};
  const double longest = std::max({detail::micros(cold.queued.p50 + cold.init.p50 + cold.run.p50),
                                   detail::micros(warm.queued.p50 + warm.init.p50 + warm.run.p50), 0.001});
  std::string bars;
  int y = 36;
  for (const auto& [label, kind] : {std::pair{"cold", &cold}, std::pair{"warm", &warm}}) {
    bars += fmt::format("<text x=\"8\" y=\"{}\">{}</text>", y + 15, label);
    double x = 60;
    const std::array<std::chrono::nanoseconds, 3> parts{kind->queued.p50, kind->init.p50, kind->run.p50};
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const double width = detail::micros(parts[i]) / longest * 480;
      bars += fmt::format("<rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"20\" fill=\"{}\"/>", x, y, width,
                          colours[i]);
      x += width;
    }
    bars +=
        fmt::format("<text x=\"{:.1f}\" y=\"{}\">{:.1f} us</text>\n", x + 6, y + 15, detail::micros(kind->total.p50));
    y += 30;
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    bars += fmt::format(
        "<rect x=\"{0}\" y=\"{1}\" width=\"12\" height=\"12\" fill=\"{2}\"/><text x=\"{3}\" y=\"{4}\">{5}</text>",
        60 + 90 * i, y + 6, colours[i], 78 + 90 * i, y + 17, names[i]);
  }
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"640\" height=\"130\" font-family=\"sans-serif\" "
      "font-size=\"13\">\n<rect width=\"640\" height=\"130\" fill=\"white\"/><text x=\"8\" y=\"20\">{}, median of {} "
      "rounds</text>\n{}\n</svg>\n",
      function, rounds, bars);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::bench
