// SPDX-License-Identifier: MIT
#pragma once

// Eight threads at one queue, and a ledger of what becomes of each message. Part of queue_conformance.hpp.
// Assertions are for the test's own thread.

#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/services/queue_harness.hpp>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance {

inline constexpr int threads_count = 8;
inline constexpr int messages_each = 60;
inline constexpr int messages_all = threads_count * messages_each;

template <class F>
void on_threads(F&& work) {
  std::vector<std::thread> all;
  for (int who = 0; who < threads_count; ++who) all.emplace_back([&work, who] { work(who); });
  for (auto& each : all) each.join();
}

// Who holds which message, and which are done. Messages are known by the number that is their data.
class message_ledger {
 public:
  static constexpr auto size = static_cast<std::size_t>(messages_all);
  [[nodiscard]] static std::size_t number_of(const queue_delivery& got) {
    return static_cast<std::size_t>(std::stoul(std::string(got.data.text())));
  }
  void took(std::size_t number) {
    if (holders_[number]++ != 0) ++wrong_;  // two have it
    if (done_[number]) ++wrong_;            // it came back
  }
  // Before it is settled: another thread may have it as soon as it is.
  void lets_go(std::size_t number) { --holders_[number]; }
  void acknowledged(std::size_t number) {
    if (done_[number].exchange(true)) ++wrong_;
    ++done_count_;
  }
  void is_wrong() { ++wrong_; }
  [[nodiscard]] bool goes_on() const { return done_count_ < messages_all && wrong_ == 0; }
  [[nodiscard]] int wrong() const { return wrong_; }
  [[nodiscard]] int done() const { return done_count_; }

 private:
  std::array<std::atomic<int>, size> holders_{};
  std::array<std::atomic<bool>, size> done_{};
  std::atomic<int> done_count_{0};
  std::atomic<int> wrong_{0};
};

// Receives up to three and acknowledges them, or gives some back.
inline void work_off(queue& work, message_ledger& ledger, int round) {
  const auto got = work.receive({.count = 3});
  if (!got) return ledger.is_wrong();
  for (const auto& each : *got) {
    const auto number = message_ledger::number_of(each);
    ledger.took(number);
    const bool gives_back = (round + static_cast<int>(number)) % 5 == 0 && each.deliveries < 3;
    if (round % 3 == 0 && !work.extend(each.receipt, seconds(60))) ledger.is_wrong();
    ledger.lets_go(number);
    const auto settled = gives_back ? work.nack(each.receipt) : work.ack(each.receipt);
    if (!settled) ledger.is_wrong();
    if (!gives_back) ledger.acknowledged(number);
    if (!gives_back && round % 7 == 0 && !work.ack(each.receipt)) ledger.is_wrong();
  }
}

inline void check_ledger(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("nothing is lost, nothing acknowledged comes back, and no two have one message at a time") {
    const auto ledger = std::make_unique<message_ledger>();
    on_threads([&](int who) {
      int to_send = messages_each;
      for (int round = 0; ledger->goes_on(); ++round) {
        if (to_send > 0 && !work->send(message(std::to_string(who * messages_each + --to_send)))) ledger->is_wrong();
        work_off(*work, *ledger, round);
      }
    });
    CHECK(ledger->wrong() == 0);
    CHECK(ledger->done() == messages_all);
    CHECK(counts_are(*work, 0, 0, 0));
    harness.advance(std::chrono::hours(1));
    CHECK(gives_nothing(*work));
  }
}

inline void check_groups_of_threads(const queue_harness& harness) {
  const auto work = open(harness);
  if (!work->capabilities().groups) return;
  SECTION("each thread's group is worked off in its order by all of them") {
    const auto ledger = std::make_unique<message_ledger>();
    std::array<std::atomic<int>, threads_count> next{};
    on_threads([&](int who) {
      for (int i = 0; ledger->goes_on(); ++i) {
        const auto number = std::to_string(who * messages_each + i);
        if (i < messages_each && !work->send(message(number, std::to_string(who)))) ledger->is_wrong();
        const auto got = work->receive({.count = 2});
        if (!got) return ledger->is_wrong();
        for (const auto& each : *got) {
          const auto at = message_ledger::number_of(each);
          ledger->took(at);
          auto& expected = next[at / messages_each];
          if (static_cast<int>(at % messages_each) != expected++) ledger->is_wrong();
          ledger->lets_go(at);
          if (!work->ack(each.receipt)) ledger->is_wrong();
          ledger->acknowledged(at);
        }
      }
    });
    CHECK(ledger->wrong() == 0);
    CHECK(ledger->done() == messages_all);
  }
}

inline void check_atomic_batches(const queue_harness& harness) {
  const auto work = open(harness);
  if (!work->capabilities().atomic_batches) return;
  SECTION("a batch is there as a whole, or not at all") {
    constexpr std::size_t rounds = 10;
    constexpr std::size_t size = 200;
    std::atomic<int> wrong{0};
    std::atomic<int> senders{threads_count / 2};
    on_threads([&](int who) {
      if (who % 2 == 0) {
        for (std::size_t i = 0; i < rounds; ++i) {
          if (!work->send_batch(std::vector<queue_message>(size, message("m")))) ++wrong;
        }
        --senders;
        return;
      }
      while (senders > 0) {
        const auto got = work->counts();
        if (!got || got->visible % size != 0) ++wrong;
      }
    });
    CHECK(wrong == 0);
    CHECK(counts_are(*work, threads_count / 2 * rounds * size, 0, 0));
  }
}

inline void check_waiting_threads(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("receivers that wait miss nothing that four others send") {
    std::atomic<int> got_count{0};
    std::atomic<int> wrong{0};
    std::atomic<int> senders{threads_count / 2};
    std::atomic<int> ended{0};
    const auto send_or_receive = [&](int who) {
      if (who % 2 == 0) {
        for (int i = 0; i < messages_each; ++i) {
          if (!work->send(message("m"))) ++wrong;
          if (i % 4 == 0) std::this_thread::yield();
        }
        // The last one sends each receiver home.
        if (--senders > 0) return;
        for (int i = 0; i < threads_count / 2; ++i) {
          if (!work->send(message("end"))) ++wrong;
        }
        return;
      }
      for (bool goes_on = true; goes_on && wrong == 0;) {
        const auto got = work->receive({.wait = seconds(20)});
        if (!got || got->size() != 1 || !work->ack(got->front().receipt)) {
          ++wrong;
          continue;
        }
        goes_on = got->front().data != "end";
        if (goes_on) ++got_count;
      }
    };
    std::thread all([&] {
      on_threads([&](int who) {
        send_or_receive(who);
        ++ended;
      });
    });
    const auto have_ended = [&] { return ended == threads_count; };
    const bool is_in_time = eventually(seconds(60), have_ended);
    while (!have_ended()) harness.advance(seconds(1));  // who was not woken waits no longer
    all.join();
    CHECK(is_in_time);
    CHECK(wrong == 0);
    CHECK(got_count == threads_count / 2 * messages_each);
    CHECK(counts_are(*work, 0, 0, 0));
  }
}

inline void check_threads(const queue_harness& harness) {
  check_ledger(harness);
  check_groups_of_threads(harness);
  check_atomic_batches(harness);
  check_waiting_threads(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance
