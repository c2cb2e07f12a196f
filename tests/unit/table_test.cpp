// SPDX-License-Identifier: MIT
// What is the interface's own (checks before the adapter, containment), and what is memory_table's (bounds).

#include "support/catch.hpp"

#include <dormouse/adapters/memory_table.hpp>

#include <new>
#include <stdexcept>

using namespace dormouse;

namespace {
// Counts what reaches it, and throws when told.
class probe final : public table {
 public:
  probe() : table(own_time_) {}
  table_capabilities capabilities() const noexcept override { return {}; }
  durability_level durability() const noexcept override { return durability_level::memory; }
  int reached = 0;
  int thrown = 0;

 private:
  void arrive() {
    ++reached;
    if (thrown == 1) throw std::bad_alloc{};
    if (thrown == 2) throw std::runtime_error("engine");
    if (thrown == 3) throw 3;
  }
  result<std::optional<table_item>> do_get(const table_key&) override { return arrive(), std::optional<table_item>{}; }
  result<void> do_put(const table_key&, table_item&&) override { return arrive(), result<void>{}; }
  result<bool> do_erase(const table_key&) override { return arrive(), false; }
  result<std::vector<table_entry>> do_list(std::string_view, const table_key*, std::size_t) override {
    return arrive(), std::vector<table_entry>{};
  }
  const dormouse::clock own_time_{};
};
}  // namespace

TEST_CASE("what the interface refuses never reaches the adapter", "[table]") {
  probe store;
  CHECK(!store.get({"", ""}));
  CHECK(!store.put({"", ""}, {}));
  CHECK(!store.put({"k", ""}, {{"", true}}));
  CHECK(!store.erase({"", ""}));
  CHECK(!store.list({.page_size = 0}));
  CHECK(!store.list({.cursor = "x"}));
  CHECK(!store.get({"k", ""}, {.deadline = dormouse::clock::time_point{}}));
  CHECK(store.reached == 0);
  CHECK(store.get({"k", ""}));
  CHECK(store.reached == 1);
}

TEST_CASE("what an adapter throws becomes a failure with its effect", "[table]") {
  probe store;
  store.thrown = GENERATE(1, 2, 3);
  const auto got = store.get({"k", ""});
  const auto put = store.put({"k", ""}, {});
  REQUIRE(!got);
  REQUIRE(!put);
  CHECK(got.error().code == (store.thrown == 1 ? errc::out_of_memory : errc::internal));
  CHECK(got.error().effect == effect_kind::not_applied);
  CHECK(put.error().effect == effect_kind::unknown);
  if (store.thrown == 2) CHECK(put.error().detail == "engine");
}

TEST_CASE("a full memory_table refuses, naming its limit, and changes nothing", "[table][memory]") {
  SECTION("by items") {
    memory_table store({.items_max = 2});
    REQUIRE(store.put({"a", ""}, {}));
    REQUIRE(store.put({"b", ""}, {}));
    const auto full = store.put({"c", ""}, {});
    REQUIRE(!full);
    CHECK(full.error().code == errc::limit_exceeded);
    CHECK(full.error().reason == failure_reason::store_full);
    CHECK(full.error().effect == effect_kind::not_applied);
    CHECK(store.put({"b", ""}, {{"x", true}}));  // no new room needed
    CHECK(store.size() == 2);
    CHECK(store.erase({"a", ""}));
    CHECK(store.put({"c", ""}, {}));
  }
  SECTION("by bytes, exactly") {
    memory_table store({.bytes_max = 20});
    REQUIRE(store.put({"key", ""}, {{"n", std::string(16, 'x')}}));  // 3 + 1 + 16
    CHECK(!store.put({"key", ""}, {{"n", std::string(17, 'x')}}));
    CHECK(!store.put({"k", ""}, {}));
    REQUIRE(store.put({"key", ""}, {{"n", std::string(15, 'x')}}));
    CHECK(store.put({"k", ""}, {}));
  }
}

TEST_CASE("memory_table's options are checked", "[table][memory]") {
  CHECK_THROWS_AS(memory_table({.items_max = 0}), std::invalid_argument);
  CHECK_THROWS_AS(memory_table({.items_max = 2'000'000'000}), std::invalid_argument);
  CHECK_THROWS_AS(memory_table({.bytes_max = 0}), std::invalid_argument);
}
