// SPDX-License-Identifier: MIT
#pragma once

// Connections that read, made when they are needed and kept.

#include <dormouse/clock.hpp>
#include <dormouse/result.hpp>

#include "connection.hpp"
#include "function_view.hpp"
#include "write_turns.hpp"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

class reader_pool final : private clock::listener {
 public:
  using opener = std::function<result<std::unique_ptr<connection>>()>;
  reader_pool(opener open, std::size_t connections_max, const clock& time);
  ~reader_pool();
  reader_pool(const reader_pool&) = delete;
  reader_pool& operator=(const reader_pool&) = delete;

  // Lends a connection to `what`, interrupting it at the deadline. Fails: deadline_exceeded, and as opening does.
  result<void> lend(work what, const deadline& until);
  // Does `what` while no connection is lent. False, and nothing done, when one does not come back in a tenth of a
  // second: its borrower may be waiting for the caller.
  bool pause(function_view<void()> what);
  void abandon() noexcept;  // closes nothing: in a child by fork

 private:
  class loan;
  void time_changed() noexcept override;
  result<std::unique_ptr<connection>> borrow(const deadline& until);
  result<std::unique_ptr<connection>> open_another();
  void give_up_place() noexcept;
  void give_back(std::unique_ptr<connection> lent) noexcept;

  const opener open_;
  const std::size_t connections_max_;
  const clock& time_;
  std::mutex mutex_{};
  std::condition_variable returned_{};
  std::condition_variable home_{};                   // told only while paused
  std::vector<std::unique_ptr<connection>> idle_{};  // the last one used is the next one lent: its pages are warm
  std::size_t made_ = 0;
  bool paused_ = false;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
