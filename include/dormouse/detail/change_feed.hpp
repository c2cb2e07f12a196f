// SPDX-License-Identifier: MIT
#pragma once

// Turns a log of changes into events of a function: what on_change and on_object have in common. Knows no service.
//
//   log ->[ read_to_ ]-> window: waiting (for the former change of its key) -> ready -> posted -> over
//
// The window holds what was read and is not over. Its first change is where a reader goes on after a restart; it is
// bounded, and when it is full nothing is read.

#include <dormouse/detail/events_in_flight.hpp>
#include <dormouse/event.hpp>
#include <dormouse/result.hpp>
#include <dormouse/runtime/trigger.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

struct fed_change {
  std::uint64_t sequence = 0;  // never 0
  std::string key{};           // the next change of a key is not posted before the event of the former one is over
  event message{};
};

// A log of changes behind numbers. Threads: one at a time.
class change_source {
 public:
  struct page {
    std::uint64_t last = 0;  // the number of the last change that was looked at
    bool more = false;       // there may be more behind it
  };
  virtual ~change_source() = default;
  change_source(const change_source&) = delete;
  change_source& operator=(const change_source&) = delete;

  // port.wake_soon() for every change from now on until unwatch() has returned.
  virtual result<void> watch(trigger_port& port) = 0;
  virtual void unwatch() noexcept = 0;
  virtual result<std::uint64_t> last_change() = 0;
  // Looks at up to `count` changes behind `after` and appends those that are wanted. Fails: expired when some behind
  // `after` are kept no more.
  virtual result<page> read(std::uint64_t after, std::size_t count, std::vector<fed_change>& wanted) = 0;
  virtual result<std::optional<std::uint64_t>> position(std::string_view reader) = 0;
  virtual result<void> remember(std::string_view reader, std::uint64_t position) = 0;
  // Must somebody ask for changes that come with time?
  [[nodiscard]] virtual bool expires() const noexcept { return false; }
  // Logs what has expired; when the next does.
  virtual result<std::optional<std::chrono::system_clock::time_point>> expire() { return std::nullopt; }

 protected:
  change_source() = default;
};

struct change_feed_options {
  std::string reader{};
  bool from_oldest = false;
  std::size_t in_flight_max = 1'000;
  std::chrono::milliseconds retry_after{50};
  std::chrono::milliseconds remember_after{1'000};
  // After which change there is a gap, and after which one it ends.
  std::function<void(std::uint64_t, std::uint64_t)> on_gap{};
};

class change_feed final : public trigger {
 public:
  change_feed(std::unique_ptr<change_source> source, change_feed_options options)
      : source_(std::move(source)), options_(std::move(options)) {}

  result<void> start(trigger_port& port) override;
  void wake() override;
  void stop() noexcept override;

 private:
  struct entry {
    std::string key{};
    event message{};                // until it is posted
    std::uint64_t next_of_key = 0;  // waits for this one; 0: none
    std::uint64_t next_ready = 0;
  };

  result<void> begin();
  result<std::uint64_t> oldest_kept(std::uint64_t after);
  void turn();
  void take_over();
  void take_in();
  bool read_page(std::size_t room);
  bool skip_gap();
  void add(fed_change&& change);
  void make_ready(std::uint64_t sequence) noexcept;
  void give();
  void look_at_expiry();
  void remember_if_due();
  result<void> remember();
  void arm();
  void note(failure why) { trouble_ = std::move(why); }
  // All changes up to it are over.
  [[nodiscard]] std::uint64_t position() const noexcept {
    return window_.empty() ? read_to_ : window_.begin()->first - 1;
  }
  [[nodiscard]] bool is_full() const noexcept { return window_.size() >= options_.in_flight_max; }

  const std::unique_ptr<change_source> source_;
  const change_feed_options options_;
  trigger_port* port_ = nullptr;
  std::optional<events_in_flight> flight_{};
  bool ended_ = false;                // nobody is left to give events to
  clock::time_point now_{};           // of this wake()
  std::optional<failure> trouble_{};  // of this wake()

  std::uint64_t read_to_ = 0;
  std::map<std::uint64_t, entry> window_{};
  std::unordered_map<std::string, std::uint64_t> last_of_key_{};  // in the window
  std::uint64_t first_ready_ = 0;
  std::uint64_t last_ready_ = 0;
  std::size_t waiting_ = 0;  // in the window, for the former change of their key
  std::size_t posted_ = 0;   // in the window
  std::vector<fed_change> page_{};
  std::vector<std::uint64_t> over_{};
  bool more_ = false;  // the next wake() goes on reading

  clock::time_point give_at_{};  // not before
  clock::time_point read_at_{};  // the same
  bool may_expire_ = false;      // something was read since the last look
  std::optional<clock::time_point> expire_at_{};
  std::uint64_t remembered_ = 0;
  std::size_t over_since_ = 0;  // since it was remembered
  std::optional<clock::time_point> remember_at_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
