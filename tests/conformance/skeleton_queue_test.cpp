// SPDX-License-Identifier: MIT
// The least that an adapter of queues has to do (docs/writing-an-adapter.md): start from a copy of this one. It
// declares nothing beyond the contract, so the suite proves that the rest is refused. It looks at every message each
// time.

#include "support/catch.hpp"

#include <dormouse/services/queue.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/queue_conformance.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace dormouse;

namespace {

failure refusal(errc code, failure_reason why) {
  return {.code = code, .effect = effect_kind::not_applied, .reason = why};
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_one = wrong == std::errc{} && end == text.data() + text.size() && std::to_string(number) == text;
  return is_one ? std::optional(number) : std::nullopt;
}

struct stored_message {
  dead_message letter{};  // all that both kinds have
  clock::time_point sent{};
  clock::time_point hidden_until{};
  std::uint64_t delivery = 0;  // the number of the last one, of all of the queue
  bool in_flight = false;      // if hidden: by a delivery, not by a delay
  calendar_time first_received_at{};

  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = letter.data.size();
    for (const auto& [name, value] : letter.attributes) sum += name.size() + value.size();
    return sum;
  }
};

class skeleton_queue final : public queue, private dormouse::clock::listener {
 public:
  skeleton_queue(const queue_settings& settings, const dormouse::clock& time) : queue(time), settings_(settings) {
    time.subscribe(*this);
  }
  ~skeleton_queue() override { time().unsubscribe(*this); }

  queue_capabilities capabilities() const noexcept override { return {}; }
  durability_level durability() const noexcept override { return durability_level::memory; }
  queue_settings settings() const noexcept override { return settings_; }

 private:
  using by_sequence = std::map<std::uint64_t, stored_message>;  // of dead ones: by their death

  void time_changed() noexcept override {
    const std::lock_guard lock(mutex_);
    arrived_.notify_all();
  }

  result<std::vector<result<sent_message>>> do_send(std::vector<queue_message>&& messages,
                                                    const queue_send_options&) override {
    std::vector<result<sent_message>> answers;
    for (queue_message& each : messages) {
      stored_message made;
      made.letter.data = std::move(each.data);
      made.letter.attributes = std::move(each.attributes);
      const std::lock_guard lock(mutex_);
      answers.push_back(add(std::move(made), each.delay));
    }
    if (std::any_of(answers.begin(), answers.end(), [](const auto& each) { return each.has_value(); })) tell();
    return answers;
  }

  result<std::vector<queue_delivery>> do_receive(const queue_receive_options& options) override {
    auto end = time().now() + options.wait;
    if (options.deadline) end = std::min(end, *options.deadline);
    std::unique_lock lock(mutex_);
    for (;;) {
      bury();
      auto got = take(options);
      if (!got || !got->empty() || time().now() >= end) return got;
      arrived_.wait(lock);  // on the system's clock: wait_until the next one is visible, or `end`
    }
  }

  result<std::vector<result<void>>> do_settle(std::vector<queue_settlement>&& what,
                                              const queue_send_options&) override {
    std::vector<result<void>> answers;
    bool is_given_back = false;
    for (queue_settlement& each : what) {
      const std::lock_guard lock(mutex_);
      answers.push_back(settle_one(each));
      if (answers.back() && each.kind != settlement_kind::ack) is_given_back = true;
    }
    if (is_given_back) tell();
    return answers;
  }

  result<queue_counts> do_counts(const call_options&) override {
    const std::lock_guard lock(mutex_);
    bury();
    queue_counts all{.dead = dead_.size()};
    for (const auto& [sequence, each] : messages_) {
      ++(!is_hidden(each) ? all.visible : each.in_flight ? all.in_flight : all.waiting);
      const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(time().now() - each.sent);
      all.oldest_age = std::max(all.oldest_age, age);
    }
    return all;
  }

  result<dead_letter_page> do_dead_letters(const dead_letter_list_options& options) override {
    const auto after = options.cursor.empty() ? 0 : number_in(options.cursor);
    if (!after) return refusal(errc::invalid_argument, failure_reason::none);
    const std::lock_guard lock(mutex_);
    bury();
    dead_letter_page page;
    for (auto at = dead_.upper_bound(*after); at != dead_.end(); ++at) {
      if (page.letters.size() == options.page_size) {
        page.cursor = std::to_string(std::prev(at)->first);
        break;
      }
      page.letters.push_back(at->second.letter);
    }
    return page;
  }

  result<std::size_t> do_redrive(std::string_view id, std::size_t count, const call_options&) override {
    std::size_t done = 0;
    {
      const std::lock_guard lock(mutex_);
      bury();
      for (auto at = dead_.begin(); at != dead_.end() && done < count;) {
        if (!id.empty() && at->second.letter.id != id) {
          ++at;
          continue;
        }
        stored_message anew;
        anew.letter = {.id = at->second.letter.id, .data = at->second.letter.data};
        anew.letter.attributes = at->second.letter.attributes;
        if (auto room = check_room(anew); !room && done == 0) return std::move(room).error();
        if (!check_room(anew)) break;
        at = dead_.erase(at);
        insert(std::move(anew), {});
        ++done;
      }
    }
    if (done != 0) tell();
    return done;
  }

  result<bool> do_erase_dead_letter(std::string_view id, const call_options&) override {
    const std::lock_guard lock(mutex_);
    return std::erase_if(dead_, [&](const auto& each) { return each.second.letter.id == id; }) != 0;
  }

  result<std::size_t> do_purge(const call_options&) override {
    const std::lock_guard lock(mutex_);
    bury();
    const std::size_t count = messages_.size();
    messages_.clear();
    return count;
  }

  result<void> do_watch(change_watcher& who) override {
    const std::lock_guard lock(watchers_mutex_);
    watchers_.push_back(&who);
    return {};
  }
  void do_unwatch(change_watcher& who) noexcept override {
    const std::lock_guard lock(watchers_mutex_);
    std::erase(watchers_, &who);
  }

  result<std::optional<dormouse::clock::time_point>> do_next_visible(const call_options&) override {
    const std::lock_guard lock(mutex_);
    bury();
    std::optional<dormouse::clock::time_point> next;
    for (const auto& [sequence, each] : messages_) next = std::min(next.value_or(each.hidden_until), each.hidden_until);
    return next;
  }

  // ---- under the lock ----

  [[nodiscard]] bool is_hidden(const stored_message& one) const { return one.hidden_until > time().now(); }
  [[nodiscard]] std::optional<dead_letter_reason> dies_of(const stored_message& one) const {
    if (time().now() - one.sent >= settings_.retention) return dead_letter_reason::age;
    const bool used_up = !is_hidden(one) && one.letter.deliveries >= settings_.deliveries_max;
    return used_up ? std::optional(dead_letter_reason::deliveries) : std::nullopt;
  }
  // Those whose time is over, as long as there is room among the dead.
  void bury() {
    for (auto at = messages_.begin(); at != messages_.end() && dead_.size() < settings_.dead_letters_max;) {
      const auto why = dies_of(at->second);
      at = why ? die(at, *why) : std::next(at);
    }
  }
  by_sequence::iterator die(by_sequence::iterator which, dead_letter_reason why) {
    which->second.letter.reason = why;
    which->second.letter.died_at = time().wall();
    dead_.emplace(++last_death_, std::move(which->second));
    return messages_.erase(which);
  }

  result<void> check_room(const stored_message& one) const {
    std::size_t bytes = one.bytes();
    for (const auto& [sequence, each] : messages_) bytes += each.bytes();
    if (messages_.size() >= settings_.messages_max) return refusal(errc::throttled, failure_reason::queue_depth);
    if (bytes > settings_.bytes_max) return refusal(errc::throttled, failure_reason::queue_bytes);
    return {};
  }
  result<sent_message> add(stored_message&& made, std::chrono::milliseconds delay) {
    bury();
    if (dead_.size() >= settings_.dead_letters_max) {
      return refusal(errc::limit_exceeded, failure_reason::dead_letters);
    }
    if (auto room = check_room(made); !room) return std::move(room).error();
    made.letter.id = std::to_string(last_sequence_ + 1);
    return insert(std::move(made), delay);
  }
  sent_message insert(stored_message&& made, std::chrono::milliseconds delay) {
    made.letter.sequence = ++last_sequence_;
    made.letter.sent_at = time().wall();
    made.sent = time().now();
    made.hidden_until = made.sent + delay;
    const sent_message told{.id = made.letter.id, .sequence = last_sequence_};
    messages_.emplace(last_sequence_, std::move(made));
    return told;
  }

  result<std::vector<queue_delivery>> take(const queue_receive_options& options) {
    std::vector<queue_delivery> got;
    auto in_flight = static_cast<std::size_t>(std::count_if(messages_.begin(), messages_.end(), [&](const auto& each) {
      return each.second.in_flight && is_hidden(each.second);
    }));
    for (auto& [sequence, each] : messages_) {
      if (got.size() == options.count || is_hidden(each) || dies_of(each)) continue;
      if (in_flight >= settings_.in_flight_max) {
        if (got.empty()) return refusal(errc::throttled, failure_reason::in_flight);
        break;
      }
      ++in_flight;
      got.push_back(deliver(each, options.visibility.value_or(settings_.visibility)));
    }
    return got;
  }
  queue_delivery deliver(stored_message& one, std::chrono::milliseconds visibility) {
    if (++one.letter.deliveries == 1) one.first_received_at = time().wall();
    one.delivery = ++last_delivery_;
    one.hidden_until = time().now() + visibility;
    one.in_flight = true;
    return {.id = one.letter.id,
            .sequence = one.letter.sequence,
            .data = one.letter.data,
            .attributes = one.letter.attributes,
            .receipt = mark_ + one.letter.id + "." + std::to_string(one.delivery),
            .deliveries = one.letter.deliveries,
            .sent_at = one.letter.sent_at,
            .first_received_at = one.first_received_at};
  }

  result<void> settle_one(queue_settlement& what) {
    const std::string_view receipt = what.receipt;
    const auto dot = receipt.rfind('.');
    if (!receipt.starts_with(mark_) || dot < mark_.size()) {
      return refusal(errc::invalid_argument, failure_reason::name);
    }
    const auto id = number_in(receipt.substr(mark_.size(), dot - mark_.size()));
    const auto delivery = number_in(receipt.substr(dot + 1));
    if (!id || *id > last_sequence_ || !delivery || *delivery > last_delivery_) {
      return refusal(errc::invalid_argument, failure_reason::name);
    }
    const auto is_it = [&](const auto& each) { return each.second.letter.id == std::to_string(*id); };
    const auto found = std::find_if(messages_.begin(), messages_.end(), is_it);
    const bool is_ack = what.kind == settlement_kind::ack;
    const auto stale = refusal(errc::expired, failure_reason::stale_receipt);
    if (found == messages_.end()) {
      return is_ack && std::none_of(dead_.begin(), dead_.end(), is_it) ? result<void>() : stale;
    }
    if (found->second.delivery != *delivery) return stale;
    if (is_ack) return static_cast<void>(messages_.erase(found)), result<void>();
    if (!found->second.in_flight || !is_hidden(found->second)) return stale;
    return give_back(found, what);
  }
  result<void> give_back(by_sequence::iterator which, queue_settlement& what) {
    stored_message& one = which->second;
    const bool is_rejected = what.kind == settlement_kind::dead_letter;
    const bool ends = what.kind != settlement_kind::extend;
    const bool dies = is_rejected || (ends && one.letter.deliveries >= settings_.deliveries_max);
    if (dies && dead_.size() >= settings_.dead_letters_max) {
      return refusal(errc::limit_exceeded, failure_reason::dead_letters);
    }
    if (!what.error.empty()) one.letter.error = std::move(what.error);
    one.hidden_until = time().now() + what.delay;
    one.in_flight = !ends;
    if (dies) die(which, is_rejected ? dead_letter_reason::rejected : dead_letter_reason::deliveries);
    return {};
  }

  // ---- without it ----

  // Whoever waits looks for himself; those who watch may be told too often, but not of nothing.
  void tell() {
    {
      const std::lock_guard lock(mutex_);
      arrived_.notify_all();
    }
    const std::lock_guard lock(watchers_mutex_);
    for (change_watcher* each : watchers_) each->changed();
  }

  static inline std::atomic<int> made_{0};

  const queue_settings settings_;
  const std::string mark_ = "skeleton" + std::to_string(++made_) + ".";
  std::mutex mutex_{};  // guards the rest, but for the watchers
  std::condition_variable arrived_{};
  by_sequence messages_{};
  by_sequence dead_{};
  std::uint64_t last_sequence_ = 0;
  std::uint64_t last_delivery_ = 0;
  std::uint64_t last_death_ = 0;
  std::mutex watchers_mutex_{};
  std::vector<change_watcher*> watchers_{};
};

}  // namespace

TEST_CASE("the skeleton of a queue conforms, and what it does not declare is refused", "[adapter][queue]") {
  testing::manual_clock time;
  testing::check_queue_conformance(
      {.make = [&](const auto& settings) { return std::make_unique<skeleton_queue>(settings, time); },
       .now = [&] { return time.now(); },
       .advance = [&](auto by) { time.advance(by); },
       .wall = [&] { return time.wall(); }});
}
