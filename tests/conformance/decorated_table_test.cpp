// SPDX-License-Identifier: MIT
// A decorated table is a table: each decorator, and all of them around each other, pass the suite.

#include "support/catch.hpp"

#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/adapters/metered_table.hpp>
#include <dormouse/adapters/prefixed_table.hpp>
#include <dormouse/adapters/retrying_table.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/faulty_table.hpp>
#include <dormouse/testing/services/table_conformance.hpp>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

using namespace dormouse;

namespace {

using wrapper = std::function<std::unique_ptr<table>(table&)>;

// Decorators around a table, the last one outermost, that belong together; calls go to the last one.
class decorated final : public detail::forwarding_table<detail::plain_forwarding> {
 public:
  using owned = std::vector<std::unique_ptr<table>>;
  explicit decorated(owned all) : forwarding_table(*all.back()), all_(std::move(all)) {}
  ~decorated() override {
    while (!all_.empty()) all_.pop_back();
  }

 private:
  owned all_;
};

void conforms(const std::vector<wrapper>& wrappers, testing::manual_clock& time) {
  const auto make = [&](const table_schema& schema) {
    decorated::owned all;
    all.push_back(std::make_unique<memory_table>(memory_table_options{.schema = schema, .time = &time}));
    for (const auto& each : wrappers) all.push_back(each(*all.back()));
    return std::make_unique<decorated>(std::move(all));
  };
  testing::check_table_conformance({.make = make,
                                    .now = [&] { return time.now(); },
                                    .advance = [&](auto by) { time.advance(by); },
                                    .wall = [&] { return time.wall(); }});
}

const wrapper retried = [](table& inner) { return std::make_unique<retrying_table>(inner); };
const wrapper metered = [](table& inner) { return std::make_unique<metered_table>(inner); };
const wrapper prefixed = [](table& inner) { return std::make_unique<prefixed_table>(inner, "tenant1/"); };

wrapper faulty(testing::service_fault_plan& plan) {
  return [&plan](table& inner) { return std::make_unique<testing::faulty_table>(inner, plan); };
}

}  // namespace

TEST_CASE("a retrying table conforms", "[adapter][table][retrying]") {
  testing::manual_clock time;
  conforms({retried}, time);
}

TEST_CASE("a metered table conforms", "[adapter][table][metered]") {
  testing::manual_clock time;
  conforms({metered}, time);
}

TEST_CASE("a faulty table whose plan is empty conforms", "[adapter][table][faulty]") {
  testing::manual_clock time;
  testing::service_fault_plan plan(time);
  conforms({faulty(plan)}, time);
}

TEST_CASE("a prefixed table conforms", "[adapter][table][prefixed]") {
  testing::manual_clock time;
  conforms({prefixed}, time);
}

TEST_CASE("all decorators around a table conform", "[adapter][table][decorators]") {
  testing::manual_clock time;
  testing::service_fault_plan plan(time);
  conforms({faulty(plan), prefixed, retried, metered, prefixed}, time);
}

TEST_CASE("a retrying table over one that fails now and then, with nothing changed, conforms",
          "[adapter][table][retrying]") {
  testing::manual_clock time;
  testing::service_fault_plan plan(time);
  plan.at_random(7, {.throttle = 200, .fail = 200});
  const wrapper patient = [](table& inner) {
    return std::make_unique<retrying_table>(inner,
                                            retrying_options{.attempts_max = 100, .delay_first = {}, .delay_max = {}});
  };
  conforms({faulty(plan), patient}, time);
  // Catch2 runs the whole of this for each section, and a short one may have met no fault.
  memory_table inner(memory_table_options{.time = &time});
  const auto failing = faulty(plan)(inner);
  const auto above = patient(*failing);
  for (int i = 0; i < 50; ++i) REQUIRE(above->put({"key", ""}, {}));
  CHECK(plan.fired(testing::fault::fail) > 0);
}
