// SPDX-License-Identifier: MIT
// What is the interface's own: checks before the adapter, containment, what a writer and a reader do after a failure.

#include "support/catch.hpp"

#include <dormouse/services/object_store.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::refused;

namespace {

// What a store does when it is reached: counts, throws or fails as it is told. It cannot put under a condition.
struct behaviour {
  int reached = 0;
  std::function<void()> act{};  // may throw
  std::optional<failure> answer{};
  std::size_t gives = 0;  // bytes a read gives at most
  std::vector<object_info> listed{};
  std::string after{};
  std::size_t count = 0;

  template <class T>
  result<T> arrive(T otherwise) {
    ++reached;
    if (act) act();
    if (answer) return *answer;
    return otherwise;
  }
};

class probe_upload final : public object_upload {
 public:
  explicit probe_upload(behaviour& how) : how_(how) {}
  result<void> write(std::string_view) override {
    auto got = how_.arrive(true);
    return got ? result<void>{} : result<void>(got.error());
  }
  result<object_info> finish() override { return how_.arrive(object_info{}); }

 private:
  behaviour& how_;
};

class probe_download final : public object_download {
 public:
  explicit probe_download(behaviour& how) : how_(how) {}
  [[nodiscard]] const object_info& info() const noexcept override { return info_; }
  result<std::size_t> read(std::span<char> to) override { return how_.arrive(std::min(to.size(), how_.gives)); }

 private:
  behaviour& how_;
  const object_info info_{.key = "k", .size = 10};
};

class probe final : public object_store {
 public:
  probe(const dormouse::clock& time, behaviour& how) : object_store(time), how_(how) {}
  object_store_capabilities capabilities() const noexcept override {
    return {.conditional_put = false, .object_bytes_max = 10};
  }
  durability_level durability() const noexcept override { return durability_level::memory; }

 private:
  result<std::unique_ptr<object_upload>> do_create(std::string_view, const object_put_options&) override {
    return std::unique_ptr<object_upload>(std::make_unique<probe_upload>(how_));
  }
  result<std::unique_ptr<object_download>> do_open(std::string_view, const object_get_options&) override {
    return std::unique_ptr<object_download>(std::make_unique<probe_download>(how_));
  }
  result<object_info> do_head(std::string_view, const call_options&) override { return how_.arrive(object_info{}); }
  result<bool> do_erase(std::string_view, const call_options&) override { return how_.arrive(true); }
  result<object_info> do_copy(std::string_view, std::string_view, const object_put_options&) override {
    return how_.arrive(object_info{});
  }
  result<std::vector<object_info>> do_list(std::string_view, std::string_view after, std::size_t count,
                                           const call_options&) override {
    how_.after = after;
    how_.count = count;
    return how_.arrive(how_.listed);
  }
  behaviour& how_;
};

struct fixture {
  testing::manual_clock time{};
  behaviour how{};
  probe store{time, how};
};

template <class T>
bool failed(const result<T>& got, errc code, effect_kind effect) {
  return !got && got.error().code == code && got.error().effect == effect;
}

}  // namespace

TEST_CASE("what the interface of object stores refuses never reaches the adapter", "[object_store]") {
  fixture at;
  constexpr auto invalid = errc::invalid_argument;
  for (const char* key : {"", "\xff"}) {
    CHECK(failed(at.store.head(key), invalid, effect_kind::not_applied));
    CHECK(failed(at.store.erase(key), invalid, effect_kind::not_applied));
    CHECK(failed(at.store.copy("k", key), invalid, effect_kind::not_applied));
  }
  CHECK(refused(at.store.copy("k", "l", {.if_absent = true}), errc::unsupported));
  CHECK(refused(at.store.put("k", std::string(11, 'x')), errc::too_large, failure_reason::value_bytes));
  CHECK(refused(at.store.list({.page_size = 0}), invalid, failure_reason::page_size));
  CHECK(refused(at.store.changes(0), errc::unsupported));
  CHECK(refused(at.store.last_change(), errc::unsupported));
  CHECK(refused(at.store.position("r"), errc::unsupported));
  CHECK(refused(at.store.remember("r", 1), errc::unsupported));
  CHECK(refused(at.store.remember("r s", 1), invalid, failure_reason::name));
  at.time.advance(1ms);
  CHECK(refused(at.store.head("k", {.deadline = at.time.now()}), errc::deadline_exceeded,
                failure_reason::caller_deadline));
  CHECK(at.how.reached == 0);
}

TEST_CASE("what an adapter of objects throws becomes a failure with its effect", "[object_store]") {
  fixture at;
  for (const auto& [thrown, code] :
       {std::pair<std::function<void()>, errc>{[] { throw std::bad_alloc{}; }, errc::out_of_memory},
        {[] { throw std::runtime_error("broken"); }, errc::internal},
        {[] { throw 7; }, errc::internal}}) {
    at.how.act = thrown;
    CHECK(failed(at.store.head("k"), code, effect_kind::not_applied));
    CHECK(failed(at.store.list(), code, effect_kind::not_applied));
    CHECK(failed(at.store.erase("k"), code, effect_kind::unknown));
    CHECK(failed(at.store.copy("k", "l"), code, effect_kind::unknown));
    auto writer = at.store.create("k").value();
    CHECK(failed(writer.finish(), code, effect_kind::unknown));
    auto other = at.store.create("k").value();
    CHECK(failed(other.write("x"), code, effect_kind::not_applied));  // nothing is to be seen before finish()
    auto reader = at.store.open("k").value();
    std::string to(1, '\0');
    CHECK(failed(reader.read(to), code, effect_kind::not_applied));
  }
}

TEST_CASE("a writer that has failed fails in the same way again, and does not ask the adapter", "[object_store]") {
  fixture at;
  auto writer = at.store.create("k").value();
  REQUIRE(writer.write("0123456789"));
  CHECK(refused(writer.write("x"), errc::too_large, failure_reason::value_bytes));
  const int reached = at.how.reached;
  CHECK(refused(writer.write(""), errc::too_large, failure_reason::value_bytes));
  CHECK(refused(writer.finish(), errc::too_large, failure_reason::value_bytes));
  CHECK(at.how.reached == reached);
  auto moved = at.store.create("k").value();
  const auto target = std::move(moved);
  CHECK(refused(moved.write("x"), errc::expired));  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("an object that ends before its size is corruption, not a short result", "[object_store]") {
  fixture at;
  at.how.gives = 9;
  CHECK(failed(at.store.get("k"), errc::corruption, effect_kind::not_applied));
  at.how.gives = 10;
  CHECK(at.store.get("k").value().data.size() == 10);
}

TEST_CASE("a page of objects asks for one more than it holds, and goes on behind a common prefix", "[object_store]") {
  fixture at;
  at.how.listed = {{.key = "a/1"}, {.key = "a/2"}, {.key = "b"}};
  const auto page = at.store.list({.delimiter = "/", .page_size = 2}).value();
  CHECK((page.common_prefixes == std::vector<std::string>{"a/"}));
  REQUIRE(page.objects.size() == 1);
  CHECK(page.objects[0].key == "b");
  // Three were found, as many as asked for: is there one more?
  CHECK(at.how.count == 1);
  CHECK(at.how.after == "b");
}
