// SPDX-License-Identifier: MIT
#pragma once

// A queue under test, and ways to look at it. Include Catch2 (either major version) before this header.

#include <dormouse/clock.hpp>
#include <dormouse/services/queue.hpp>
#include <dormouse/services/service_transaction.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifndef REQUIRE
#error "dormouse: include Catch2 before <dormouse/testing/services/queue_harness.hpp>"
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

struct queue_harness {
  // Fresh and empty at every call, with these settings.
  std::function<std::unique_ptr<queue>(const queue_settings&)> make{};
  std::function<clock::time_point()> now{};                  // by the queue's clock
  std::function<void(std::chrono::milliseconds)> advance{};  // moves that clock, its calendar included
  std::function<calendar_time()> wall{};                     // by the same
  // For adapters that keep their messages: closes the queue that make() gave, and opens it again.
  std::function<std::unique_ptr<queue>(std::unique_ptr<queue>, const queue_settings&)> reopen{};
};

namespace queue_conformance {

using std::chrono::milliseconds;
using std::chrono::seconds;
using texts = std::vector<std::string>;

// Refused as a wrong argument, whatever the reason?
template <class T>
bool is_invalid(const result<T>& got) {
  return !got && got.error().code == errc::invalid_argument && got.error().effect == effect_kind::not_applied;
}
template <class T>
bool is_stale(const result<T>& got) {
  return refused(got, errc::expired, failure_reason::stale_receipt);
}
template <class T>
bool is_no_receipt(const result<T>& got) {
  return refused(got, errc::invalid_argument, failure_reason::name);
}

inline std::unique_ptr<queue> open(const queue_harness& harness, const queue_settings& settings = {}) {
  auto made = harness.make(settings);
  REQUIRE(made != nullptr);
  REQUIRE(made->settings() == settings);
  return made;
}

inline queue_message message(std::string text, std::string group = {}) {
  return {.data = payload(std::move(text)), .group = std::move(group)};
}
inline sent_message sent(queue& work, queue_message what) { return work.send(std::move(what)).value(); }
inline sent_message sent(queue& work, std::string text, std::string group = {}) {
  return sent(work, message(std::move(text), std::move(group)));
}
inline void send_all(queue& work, const texts& all, const std::string& group = {}) {
  for (const std::string& each : all) sent(work, each, group);
}

// The one that is next, or a failed test when there is none.
inline queue_delivery received(queue& work, const queue_receive_options& options = {}) {
  auto got = work.receive(options).value();
  REQUIRE(got.size() == 1);
  return std::move(got.front());
}
// All that are visible: they are in flight from now on.
inline std::vector<queue_delivery> taken(queue& work) { return work.receive({.count = queue::batch_max}).value(); }
inline texts data_of(const auto& messages) {
  texts all;
  for (const auto& each : messages) all.emplace_back(each.data.text());
  return all;
}
inline texts taken_data(queue& work) { return data_of(taken(work)); }
inline bool gives_nothing(queue& work) { return taken(work).empty(); }
inline void take_and_ack(queue& work, std::string_view text) {
  const auto got = received(work);
  REQUIRE(got.data == text);
  REQUIRE(work.ack(got.receipt));
}
// Received and rejected: a dead letter.
inline std::string killed(queue& work, std::string text, std::string_view error = "hopeless") {
  const auto id = sent(work, std::move(text)).id;
  for (const auto& each : taken(work)) {
    if (each.id == id) REQUIRE(work.reject(each.receipt, error));
    if (each.id != id) REQUIRE(work.nack(each.receipt));
  }
  return id;
}

inline bool counts_are(queue& work, std::size_t visible, std::size_t waiting, std::size_t in_flight,
                       std::size_t dead = 0) {
  const auto got = work.counts().value();
  return got.visible == visible && got.waiting == waiting && got.in_flight == in_flight && got.dead == dead;
}

inline std::vector<dead_message> letters_of(queue& work, std::size_t page_size = 100,
                                            const std::function<void()>& between = {}) {
  std::vector<dead_message> all;
  dead_letter_list_options options{.page_size = page_size};
  for (int pages = 0;; ++pages) {
    REQUIRE(pages < 10'000);
    auto page = work.dead_letters(options).value();
    REQUIRE(page.letters.size() <= page_size);
    std::move(page.letters.begin(), page.letters.end(), std::back_inserter(all));
    if (page.cursor.empty()) return all;
    if (between) between();
    options.cursor = std::move(page.cursor);
  }
}

inline bool is_printable(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char each) { return each > ' ' && each <= '~'; });
}
// What a queue keeps of the calendar is exact to the millisecond.
inline auto to_milliseconds(calendar_time when) { return std::chrono::floor<milliseconds>(when); }

// Whose engine no queue has.
class foreign_transaction final : public service_transaction {
 public:
  result<void> commit() override { return {}; }
  void roll_back() noexcept override {}
  [[nodiscard]] const void* engine() const noexcept override { return this; }
};

}  // namespace queue_conformance

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
