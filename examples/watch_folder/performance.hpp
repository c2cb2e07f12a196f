#pragma once

// What happens, one thing after the other: zero, a burst, zero, a burst, zero, the closing table, and one more file.
// Each claim is checked on the way.

#include "feeder.hpp"
#include "host.hpp"
#include "live_view.hpp"
#include "meter.hpp"
#include "svg_chart.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace watch_folder {

inline constexpr int bursts = 2;

struct performance_options {
  // How long a burst takes, if the machine is fast enough.
  std::chrono::milliseconds burst{2'000};
  // How long to stay at zero before and after each burst.
  std::chrono::milliseconds rest{1'000};
  std::filesystem::path chart{};
  bool keeps_chart = true;
};

class performance {
 public:
  performance(host& app, feeder& food, performance_options options);
  // Blocks until it is over or a stop is requested. Throws nothing: what goes wrong is in broken().
  void play(const std::stop_token& stop) noexcept;
  // What did not hold; empty when all is well.
  [[nodiscard]] const std::vector<std::string>& broken() const noexcept { return broken_; }

 private:
  void play_all();
  void burst(int number);
  void sleep_to_zero();
  void print_closing();
  void print_zero();
  void drop_one_more();

  // Looks every 10 ms; throws when `what` has not come true in time, or a stop was requested.
  void wait_until(const std::string& what, std::chrono::seconds limit, const std::function<bool()>& is_true);
  [[nodiscard]] bool is_zero() const;

  host& app_;
  feeder& food_;
  const performance_options options_;
  std::stop_token stop_{};
  std::vector<std::string> broken_{};
  std::vector<mark> marks_{};
  live_view view_{"zero"};
  meter meter_;
};

}  // namespace watch_folder
