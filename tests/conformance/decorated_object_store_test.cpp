// SPDX-License-Identifier: MIT
// A decorated store is a store: each decorator, and all of them around each other, pass the suite.

#include "support/catch.hpp"

#include <dormouse/adapters/memory_object_store.hpp>
#include <dormouse/adapters/metered_object_store.hpp>
#include <dormouse/adapters/prefixed_object_store.hpp>
#include <dormouse/adapters/retrying_object_store.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/faulty_object_store.hpp>
#include <dormouse/testing/services/object_store_conformance.hpp>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

using namespace dormouse;

namespace {

using wrapper = std::function<std::unique_ptr<object_store>(object_store&)>;

// Decorators around a store, the last one outermost, that belong together; calls go to the last one.
class decorated final : public detail::forwarding_object_store<detail::plain_forwarding> {
 public:
  using owned = std::vector<std::unique_ptr<object_store>>;
  explicit decorated(owned all) : forwarding_object_store(*all.back()), all_(std::move(all)) {}
  ~decorated() override {
    while (!all_.empty()) all_.pop_back();
  }

 private:
  owned all_;
};

void conforms(const std::vector<wrapper>& wrappers, testing::manual_clock& time) {
  testing::check_object_store_conformance(
      {.make_empty =
           [&] {
             decorated::owned all;
             all.push_back(std::make_unique<memory_object_store>(memory_object_store_options{.time = &time}));
             for (const auto& each : wrappers) all.push_back(each(*all.back()));
             return std::make_unique<decorated>(std::move(all));
           },
       .now = [&] { return time.now(); },
       .advance = [&](auto by) { time.advance(by); }});
}

const wrapper retried = [](object_store& inner) { return std::make_unique<retrying_object_store>(inner); };
const wrapper metered = [](object_store& inner) { return std::make_unique<metered_object_store>(inner); };
const wrapper prefixed = [](object_store& inner) { return std::make_unique<prefixed_object_store>(inner, "tenant1/"); };

wrapper faulty(testing::service_fault_plan& plan) {
  return [&plan](object_store& inner) { return std::make_unique<testing::faulty_object_store>(inner, plan); };
}

}  // namespace

TEST_CASE("a retrying object store conforms", "[adapter][object_store][retrying]") {
  testing::manual_clock time;
  conforms({retried}, time);
}

TEST_CASE("a metered object store conforms", "[adapter][object_store][metered]") {
  testing::manual_clock time;
  conforms({metered}, time);
}

TEST_CASE("a faulty object store whose plan is empty conforms", "[adapter][object_store][faulty]") {
  testing::manual_clock time;
  testing::service_fault_plan plan(time);
  conforms({faulty(plan)}, time);
}

TEST_CASE("a prefixed object store conforms", "[adapter][object_store][prefixed]") {
  testing::manual_clock time;
  conforms({prefixed}, time);
}

TEST_CASE("all decorators around an object store conform", "[adapter][object_store][decorators]") {
  testing::manual_clock time;
  testing::service_fault_plan plan(time);
  conforms({faulty(plan), prefixed, retried, metered, prefixed}, time);
}

TEST_CASE("a retrying object store over one that fails now and then, with nothing changed, conforms",
          "[adapter][object_store][retrying]") {
  testing::manual_clock time;
  testing::service_fault_plan plan(time);
  // A download that fails while its object is replaced is not made again, so no read does.
  plan.at_random(7, {.throttle = 200, .fail = 200}, {service_operation::object_read});
  const wrapper patient = [](object_store& inner) {
    return std::make_unique<retrying_object_store>(
        inner, retrying_options{.attempts_max = 100, .delay_first = {}, .delay_max = {}});
  };
  conforms({faulty(plan), patient}, time);
  // Catch2 runs the whole of this for each section, and a short one may have met no fault.
  memory_object_store inner(memory_object_store_options{.time = &time});
  const auto failing = faulty(plan)(inner);
  const auto above = patient(*failing);
  for (int i = 0; i < 50; ++i) REQUIRE(above->put("key", "bytes"));
  CHECK(plan.fired(testing::fault::fail) > 0);
}
