// SPDX-License-Identifier: MIT
#pragma once

// Who is told that there are messages: watchers, and receivers that wait. Part of queue_conformance.hpp.
// Assertions are for the test's own thread.

#include <dormouse/services/change_watcher.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/services/queue_harness.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance {

class counting_watcher final : public change_watcher {
 public:
  std::atomic<int> told{0};
  void changed() noexcept override { ++told; }
};

inline void check_watchers(const queue_harness& harness) {
  const auto work = open(harness);
  counting_watcher watcher;
  REQUIRE(work->watch(watcher));
  auto is_told = [&, before = 0]() mutable { return std::exchange(before, watcher.told.load()) < watcher.told; };
  SECTION("who watches is told when a call has made a message visible, or has it become so by the clock") {
    const auto id = sent(*work, "m").id;
    CHECK(is_told());
    REQUIRE(work->nack(received(*work).receipt));
    CHECK(is_told());
    REQUIRE(work->extend(received(*work).receipt, seconds(0)));
    CHECK(is_told());
    REQUIRE(work->reject(received(*work).receipt, ""));
    is_told();
    REQUIRE(work->redrive(id).value());
    CHECK(is_told());
    REQUIRE(work->nack(received(*work).receipt, seconds(10)));
    CHECK(is_told());
    REQUIRE(work->send({.data = "later", .delay = seconds(5)}));
    CHECK(is_told());
    REQUIRE(work->send_batch({message("1"), message("2")}));
    CHECK(is_told());
  }
  if (work->capabilities().groups) {
    SECTION("or when the one that others of its group waited for is gone") {
      send_all(*work, {"1", "2", "3"}, "g");
      is_told();
      REQUIRE(work->ack(received(*work).receipt));
      CHECK(is_told());
      REQUIRE(work->reject(received(*work).receipt, ""));
      CHECK(is_told());
    }
  }
  SECTION("nobody is told of what was refused, or of a receive") {
    CHECK(!work->send({.data = "m", .delay = milliseconds(-1)}));
    CHECK(!work->ack("garbage"));
    CHECK(gives_nothing(*work));
    CHECK(!is_told());
    sent(*work, "m");
    is_told();
    const auto got = received(*work);
    REQUIRE(work->ack(got.receipt));
    CHECK(!is_told());
  }
  SECTION("each of several is told, until he watches no more") {
    counting_watcher other;
    REQUIRE(work->watch(other));
    sent(*work, "m");
    CHECK((watcher.told == 1 && other.told == 1));
    work->unwatch(other);
    sent(*work, "m");
    CHECK((watcher.told == 2 && other.told == 1));
  }
  work->unwatch(watcher);
  const int told = watcher.told;
  sent(*work, "unheard");
  CHECK(watcher.told == told);
  work->unwatch(watcher);  // once more is no harm
}

// A thread that waits in receive().
class waiting_receiver {
 public:
  waiting_receiver(const queue_harness& harness, queue& work, queue_receive_options options)
      : harness_(harness), work_(work), thread_([this, options] {
          begun_ = true;
          got_ = work_.receive(options);
          ended_ = true;
        }) {}
  waiting_receiver(const waiting_receiver&) = delete;
  waiting_receiver& operator=(const waiting_receiver&) = delete;
  // Whatever has failed: the end of the longest wait, or something to receive.
  ~waiting_receiver() {
    while (!ended_) {
      harness_.advance(seconds(1));
      static_cast<void>(work_.send(message("go home")));
      std::this_thread::yield();
    }
    thread_.join();
  }

  // Not to be seen from outside is that it waits: it has had time to.
  void let_wait() const {
    REQUIRE(eventually(seconds(10), [&] { return begun_.load(); }));
    for (int i = 0; i < 100; ++i) {
      REQUIRE(work_.counts());
      std::this_thread::yield();
    }
  }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] bool ends() const {
    return eventually(seconds(10), [&] { return ended_.load(); });
  }
  [[nodiscard]] const result<std::vector<queue_delivery>>& got() const { return got_; }

 private:
  const queue_harness& harness_;
  queue& work_;
  std::atomic<bool> begun_{false};
  std::atomic<bool> ended_{false};
  result<std::vector<queue_delivery>> got_{};
  std::thread thread_;
};

// Does `cause`, done once somebody waits, give him `text`?
inline void check_wakes(const queue_harness& harness, queue& work, std::string_view text,
                        const std::function<void()>& cause) {
  const waiting_receiver receiver(harness, work, {.count = 10, .wait = seconds(20)});
  receiver.let_wait();
  CHECK(!receiver.ended());
  cause();
  REQUIRE(receiver.ends());
  const auto got = receiver.got().value();
  REQUIRE(got.size() == 1);
  CHECK(got[0].data == text);
  REQUIRE(work.ack(got[0].receipt));
}

inline void check_waking(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("a call that makes a message visible wakes who waits") {
    for (int i = 0; i < 10; ++i) {
      check_wakes(harness, *work, "sent", [&] { sent(*work, "sent"); });
    }
    sent(*work, "m");
    const auto given_back = received(*work);
    check_wakes(harness, *work, "m", [&] { REQUIRE(work->nack(given_back.receipt)); });
    sent(*work, "m");
    const auto shortened = received(*work);
    check_wakes(harness, *work, "m", [&] { REQUIRE(work->extend(shortened.receipt, seconds(0))); });
    killed(*work, "dead");
    check_wakes(harness, *work, "dead", [&] { REQUIRE(work->redrive(1).value() == 1); });
    if (!work->capabilities().groups) return;
    send_all(*work, {"1", "2"}, "g");
    const auto head = received(*work);
    check_wakes(harness, *work, "2", [&] { REQUIRE(work->ack(head.receipt)); });
  }
  SECTION("so does the clock: the end of a delay, and of a visibility") {
    check_wakes(harness, *work, "m", [&] {
      sent(*work, {.data = "m", .delay = seconds(5)});
      harness.advance(seconds(5));
    });
    sent(*work, {.data = "m", .delay = seconds(5)});
    check_wakes(harness, *work, "m", [&] { harness.advance(seconds(5)); });
    sent(*work, "m");
    received(*work, {.visibility = seconds(5)});
    check_wakes(harness, *work, "m", [&] { harness.advance(seconds(5)); });
  }
}

inline void check_waits(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("who waits in vain gets nothing, when the time is over and not before") {
    const waiting_receiver receiver(harness, *work, {.wait = seconds(20)});
    receiver.let_wait();
    harness.advance(seconds(20) - milliseconds(1));
    receiver.let_wait();
    CHECK(!receiver.ended());
    harness.advance(milliseconds(1));
    REQUIRE(receiver.ends());
    CHECK(receiver.got().value().empty());
  }
  SECTION("or at the deadline, if that is earlier") {
    const waiting_receiver receiver(harness, *work, {.wait = seconds(20), .deadline = harness.now() + seconds(3)});
    receiver.let_wait();
    harness.advance(seconds(3));
    REQUIRE(receiver.ends());
    CHECK(receiver.got().value().empty());
  }
  SECTION("nobody waits for more than the first") {
    sent(*work, "m");
    CHECK(work->receive({.count = 10, .wait = seconds(20)}).value().size() == 1);
  }
  SECTION("of two who wait, one gets the message, and the other the next one") {
    const waiting_receiver one(harness, *work, {.wait = seconds(20)});
    const waiting_receiver other(harness, *work, {.wait = seconds(20)});
    one.let_wait();
    other.let_wait();
    sent(*work, "1");
    REQUIRE(eventually(seconds(10), [&] { return one.ended() || other.ended(); }));
    sent(*work, "2");
    REQUIRE((one.ends() && other.ends()));
    CHECK((one.got().value().size() == 1 && other.got().value().size() == 1));
    CHECK(one.got().value()[0].id != other.got().value()[0].id);
  }
}

inline void check_waiting(const queue_harness& harness) {
  check_watchers(harness);
  check_waking(harness);
  check_waits(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance
