// SPDX-License-Identifier: MIT
#pragma once

// A queue that counts what it is asked and fails when it is told to, before the queue behind it is asked.

#include <dormouse/services/queue.hpp>

#include <atomic>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

class probe_queue final : public dormouse::queue {
 public:
  probe_queue(dormouse::queue& behind, const dormouse::clock& time) : queue(time), behind_(behind) {}

  std::atomic<int> receives{0};
  std::atomic<int> settles{0};
  std::atomic<int> settled{0};  // calls of settle() that have taken effect
  std::atomic<int> looks{0};    // next_visible()
  std::atomic<int> watchers{0};
  // Asked before each call, on its thread; a failure is its answer.
  std::function<std::optional<dormouse::failure>()> at_receive{};
  std::function<std::optional<dormouse::failure>(const std::vector<dormouse::queue_settlement>&)> at_settle{};
  std::function<std::optional<dormouse::failure>(const dormouse::queue_settlement&)> at_each{};
  std::optional<dormouse::failure> at_watch{};

  [[nodiscard]] dormouse::queue_capabilities capabilities() const noexcept override { return behind_.capabilities(); }
  [[nodiscard]] dormouse::durability_level durability() const noexcept override { return behind_.durability(); }
  [[nodiscard]] dormouse::queue_settings settings() const noexcept override { return behind_.settings(); }
  [[nodiscard]] int calls() const { return receives + settles + looks; }

 private:
  template <class T>
  using result = dormouse::result<T>;
  result<std::vector<result<dormouse::sent_message>>> do_send(std::vector<dormouse::queue_message>&& messages,
                                                              const dormouse::queue_send_options& options) override {
    return behind_.send_batch(std::move(messages), options);
  }
  result<std::vector<dormouse::queue_delivery>> do_receive(const dormouse::queue_receive_options& options) override {
    ++receives;
    if (at_receive) {
      if (auto why = at_receive()) return *why;
    }
    return behind_.receive(options);
  }
  result<std::vector<result<void>>> do_settle(std::vector<dormouse::queue_settlement>&& what,
                                              const dormouse::queue_send_options& options) override {
    ++settles;
    if (at_settle) {
      if (auto why = at_settle(what)) return *why;
    }
    std::vector<result<void>> said;
    for (auto& each : what) {
      auto why = at_each ? at_each(each) : std::nullopt;
      if (why) {
        said.emplace_back(*why);
      } else {
        std::vector<dormouse::queue_settlement> one;
        one.push_back(std::move(each));
        auto done = behind_.settle(std::move(one), options);
        said.push_back(done ? (*done)[0] : result<void>(done.error()));
      }
    }
    ++settled;
    return said;
  }
  result<dormouse::queue_counts> do_counts(const dormouse::call_options& options) override {
    return behind_.counts(options);
  }
  result<dormouse::dead_letter_page> do_dead_letters(const dormouse::dead_letter_list_options& options) override {
    return behind_.dead_letters(options);
  }
  result<std::size_t> do_redrive(std::string_view, std::size_t count, const dormouse::call_options& options) override {
    return behind_.redrive(count, options);
  }
  result<bool> do_erase_dead_letter(std::string_view id, const dormouse::call_options& options) override {
    return behind_.erase_dead_letter(id, options);
  }
  result<std::size_t> do_purge(const dormouse::call_options& options) override { return behind_.purge(options); }
  result<void> do_watch(dormouse::change_watcher& who) override {
    if (at_watch) return *at_watch;
    ++watchers;
    return behind_.watch(who);
  }
  void do_unwatch(dormouse::change_watcher& who) noexcept override {
    --watchers;
    behind_.unwatch(who);
  }
  result<std::optional<dormouse::clock::time_point>> do_next_visible(const dormouse::call_options& options) override {
    ++looks;
    return behind_.next_visible(options);
  }

  dormouse::queue& behind_;
};

}  // namespace support
