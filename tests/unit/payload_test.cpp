// SPDX-License-Identifier: MIT

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/thread_checks.hpp"

#include <dormouse/payload.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using dormouse::payload;

namespace {
std::string bytes_of(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7);
  return bytes;
}
// Inside the object itself?
bool is_inline(const payload& which) {
  const auto* const at = reinterpret_cast<const char*>(&which);
  return which.data() >= at && which.data() < at + sizeof which;
}
}  // namespace

TEST_CASE("bytes survive, NUL and non-UTF-8 included, whatever they came in", "[payload]") {
  const std::size_t size = GENERATE(0U, 1U, 23U, 24U, 25U, 100'000U);
  const std::string bytes = bytes_of(size);
  const payload one(bytes);
  CHECK(one.size() == size);
  CHECK(one.empty() == (size == 0));
  CHECK(one.text() == bytes);
  CHECK(one.bytes().size() == size);
  CHECK(static_cast<const void*>(one.bytes().data()) == one.data());
  CHECK(one == payload(std::string_view{bytes}));
  CHECK(one == payload(std::string(bytes)));
  CHECK(one == payload(std::as_bytes(std::span(bytes))));
}

TEST_CASE("up to 24 bytes lie in the object, more are shared", "[payload]") {
  CHECK(is_inline(payload(bytes_of(24))));
  CHECK_FALSE(is_inline(payload(bytes_of(25))));
  const std::string small = bytes_of(24);
  CHECK(support::allocations_during([&] { const payload held(small); }) == 0);
  const payload in_object(small);
  const payload copy_in_object = in_object;
  CHECK(copy_in_object.data() != in_object.data());
  const payload shared(bytes_of(25));
  const payload copy_shared = shared;
  CHECK(copy_shared.data() == shared.data());
}

TEST_CASE("no byte is copied when a large string is handed over, and none when it is copied on", "[payload]") {
  std::string bytes = bytes_of(1'000'000);
  const char* const where = bytes.data();
  const payload adopted(std::move(bytes));
  CHECK(adopted.data() == where);
  const char* copied_to = nullptr;
  const auto allocated = support::allocations_during([&] {
    const payload copy = adopted;
    copied_to = copy.data();
  });
  CHECK(copied_to == where);
  CHECK(allocated == 0);
}

TEST_CASE("a copy outlives the payload it was made from", "[payload]") {
  const std::size_t size = GENERATE(24U, 25U, 4'096U);
  auto first = std::make_unique<payload>(bytes_of(size));
  const payload copy = *first;
  first.reset();
  CHECK(copy == bytes_of(size));
}

TEST_CASE("moving leaves an empty payload that can be used again", "[payload]") {
  const std::size_t size = GENERATE(24U, 25U);
  payload from(bytes_of(size));
  const payload to = std::move(from);
  CHECK(to == bytes_of(size));
  CHECK(from.empty());  // NOLINT(bugprone-use-after-move): that is what is looked at
  CHECK(from.text().empty());
  from = payload("again");
  CHECK(from == "again");
  CHECK(to == bytes_of(size));
}

TEST_CASE("a payload assigned to itself keeps its bytes", "[payload]") {
  const std::size_t size = GENERATE(0U, 24U, 25U);
  payload held(bytes_of(size));
  payload& same = held;
  held = same;
  CHECK(held == bytes_of(size));
  held = std::move(same);
  CHECK(held == bytes_of(size));
  held.swap(same);
  CHECK(held == bytes_of(size));
}

TEST_CASE("assigning and swapping work across the inline limit", "[payload]") {
  payload small(bytes_of(3));
  payload large(bytes_of(300));
  small.swap(large);
  CHECK(small == bytes_of(300));
  CHECK(large == bytes_of(3));
  small = large;
  CHECK(small == bytes_of(3));
  large = payload(bytes_of(301));
  CHECK(large.size() == 301);
}

TEST_CASE("a payload compares with every kind of text, by all its bytes", "[payload]") {
  const payload text("abc");
  CHECK(text == "abc");
  CHECK(text == std::string("abc"));
  CHECK(text == std::string_view("abc"));
  CHECK("abc" == text);
  CHECK(text != "abd");
  CHECK(text != "ab");
  CHECK(payload(std::string("a\0b", 3)) != payload(std::string("a\0c", 3)));
  CHECK(payload(std::string("a\0b", 3)) != "a");
  CHECK(payload{} == "");
  CHECK(payload(std::string_view{}) == payload{});
  CHECK(payload(std::span<const std::byte>{}) == payload{});
}

TEST_CASE("many threads copy, read and drop one payload, and the last one frees it", "[payload]") {
  auto common = std::make_unique<payload>(bytes_of(100));
  const std::string wanted = bytes_of(100);
  support::thread_checks check;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([own = *common, &wanted, &check] {
        std::vector<payload> copies;
        for (int i = 0; i < 10'000; ++i) {
          copies.push_back(own);
          check(copies.back() == wanted);
          if (copies.size() == 50) copies.clear();
        }
      });
    }
    common.reset();  // while the others are at it
  }
}
