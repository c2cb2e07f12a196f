// SPDX-License-Identifier: MIT
#pragma once

// A queue that asks another one, with a behaviour around each call: see forwarding_call.hpp. One message, or one
// settlement, is a call by itself, so that a behaviour sees how it ended; of a batch it sees that it was answered.

#include <dormouse/detail/forwarding_call.hpp>
#include <dormouse/services/queue.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// What goes into a queue and comes out of it: data, and names and values of attributes.
struct counted_messages {
  template <class Message>
  std::uint64_t operator()(const std::vector<Message>& messages) const noexcept {
    std::uint64_t sum = 0;
    for (const Message& each : messages) {
      sum += each.data.size();
      for (const auto& [name, value] : each.attributes) sum += name.size() + value.size();
    }
    return sum;
  }
  std::uint64_t operator()(const dead_letter_page& page) const noexcept { return (*this)(page.letters); }
};

template <class Behaviour>
class forwarding_queue : public queue {
 public:
  [[nodiscard]] queue_capabilities capabilities() const noexcept override { return inner_.capabilities(); }
  [[nodiscard]] durability_level durability() const noexcept override { return inner_.durability(); }
  [[nodiscard]] queue_settings settings() const noexcept override { return inner_.settings(); }

 protected:
  template <class... Given>
  explicit forwarding_queue(queue& inner, Given&&... given)
      : queue(inner.time()), inner_(inner), how_(inner.time(), std::forward<Given>(given)...) {}
  [[nodiscard]] Behaviour& how() noexcept { return how_; }
  [[nodiscard]] const Behaviour& how() const noexcept { return how_; }

  using operation = service_operation;

  result<std::vector<result<sent_message>>> do_send(std::vector<queue_message>&& messages,
                                                    const queue_send_options& options) override {
    const auto what = send_call(messages, options);
    return forward_batch<sent_message>(what, messages,
                                       [&] { return inner_.do_send(handed_on<Behaviour>(messages), options); });
  }
  // What was received and not heard of is hidden: it comes again, and another one would be a delivery more.
  result<std::vector<queue_delivery>> do_receive(const queue_receive_options& options) override {
    const auto what = write_call(operation::queue_receive, repetition::if_not_applied, options.deadline);
    return forward_call(
        how_, what, [&] { return inner_.do_receive(options); }, counted_messages{});
  }
  result<std::vector<result<void>>> do_settle(std::vector<queue_settlement>&& what,
                                              const queue_send_options& options) override {
    const auto call = settle_call(what, options);
    return forward_batch<void>(call, what, [&] { return inner_.do_settle(handed_on<Behaviour>(what), options); });
  }
  result<queue_counts> do_counts(const call_options& options) override {
    const auto what = read_call(operation::queue_counts, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_counts(options); });
  }
  result<dead_letter_page> do_dead_letters(const dead_letter_list_options& options) override {
    const auto what = read_call(operation::queue_dead_letters, options.deadline);
    return forward_call(
        how_, what, [&] { return inner_.do_dead_letters(options); }, counted_messages{});
  }
  result<std::size_t> do_redrive(std::string_view id, std::size_t count, const call_options& options) override {
    const auto what = write_call(operation::queue_redrive, repetition::if_not_applied, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_redrive(id, count, options); });
  }
  result<bool> do_erase_dead_letter(std::string_view id, const call_options& options) override {
    const auto what = write_call(operation::queue_erase_dead_letter, repetition::if_not_applied, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_erase_dead_letter(id, options); });
  }
  result<std::size_t> do_purge(const call_options& options) override {
    const auto what = write_call(operation::queue_purge, repetition::if_not_applied, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_purge(options); });
  }
  result<void> do_watch(change_watcher& who) override {
    const auto what = write_call(operation::queue_watch, repetition::if_not_applied, {});
    return forward_call(how_, what, [&] { return inner_.do_watch(who); });
  }
  void do_unwatch(change_watcher& who) noexcept override { inner_.do_unwatch(who); }
  result<std::optional<clock::time_point>> do_next_visible(const call_options& options) override {
    const auto what = read_call(operation::queue_next_visible, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_next_visible(options); });
  }

 private:
  // A message that the queue would know again may be sent again, for half of the time for which it does.
  forwarded_call send_call(const std::vector<queue_message>& messages, const queue_send_options& options) const {
    const bool known = capabilities().deduplication &&
                       std::none_of(messages.begin(), messages.end(), [](auto& each) { return each.dedup_id.empty(); });
    auto what = write_call(messages.size() == 1 ? operation::queue_send : operation::queue_send_batch,
                           known ? repetition::with_token : repetition::if_not_applied, options.deadline);
    // A part of a transaction: what has become of that is the transaction's to know.
    if (options.within != nullptr) what.again = repetition::never;
    if (known) what.token_age_max = settings().dedup_window / 2;
    if constexpr (Behaviour::counts_bytes) what.bytes = counted_messages{}(messages);
    return what;
  }
  // An ack may be repeated; after another settlement that was done, the receipt is stale.
  static forwarded_call settle_call(const std::vector<queue_settlement>& all, const queue_send_options& options) {
    const bool are_acks =
        std::all_of(all.begin(), all.end(), [](const auto& each) { return each.kind == settlement_kind::ack; });
    auto what = write_call(all.size() == 1 ? operation_of(all.front().kind) : operation::queue_settle,
                           are_acks ? repetition::always : repetition::if_not_applied, options.deadline);
    if (options.within != nullptr) what.again = repetition::never;
    return what;
  }
  [[nodiscard]] static operation operation_of(settlement_kind kind) noexcept {
    switch (kind) {
      case settlement_kind::nack: return operation::queue_nack;
      case settlement_kind::extend: return operation::queue_extend;
      case settlement_kind::dead_letter: return operation::queue_reject;
      case settlement_kind::ack: break;
    }
    return operation::queue_ack;
  }

  // `call` answers each of `parts`. Of one alone, the behaviour sees its answer in the place of the batch's.
  template <class Answer, class Part, class Call>
  result<std::vector<result<Answer>>> forward_batch(const forwarded_call& what, const std::vector<Part>& parts,
                                                    Call&& call) {
    if (parts.size() != 1) return forward_call(how_, what, call);
    std::vector<result<Answer>> answers;
    answers.push_back(forward_call(how_, what, [&]() -> result<Answer> {
      auto got = call();
      if (!got) return std::move(got).error();
      if (got->size() == 1) return std::move(got->front());
      return make_failure(errc::internal, effect_kind::unknown, failure_reason::none, "answers are missing");
    }));
    return answers;
  }

  queue& inner_;
  Behaviour how_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
