// SPDX-License-Identifier: MIT

#include "reader_pool.hpp"

#include <chrono>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {
namespace {

constexpr int steps_between_looks = 4'000;  // of SQLite's machine, some tens of microseconds

struct time_limit {
  const clock& time;
  clock::time_point until;
  static int passed(void* self) {
    const auto& limit = *static_cast<const time_limit*>(self);
    return limit.time.now() >= limit.until ? 1 : 0;
  }
};

}  // namespace

class reader_pool::loan {
 public:
  loan(reader_pool& pool, std::unique_ptr<connection> lent, const deadline& until) noexcept
      : pool_(pool), lent_(std::move(lent)), limit_{pool.time_, until.value_or(clock::time_point::max())} {
    if (until) sqlite3_progress_handler(lent_->handle(), steps_between_looks, &time_limit::passed, &limit_);
  }
  loan(const loan&) = delete;
  loan& operator=(const loan&) = delete;
  ~loan() {
    if (limit_.until != clock::time_point::max()) sqlite3_progress_handler(lent_->handle(), 0, nullptr, nullptr);
    pool_.give_back(std::move(lent_));
  }
  [[nodiscard]] connection& lent() noexcept { return *lent_; }

 private:
  reader_pool& pool_;
  std::unique_ptr<connection> lent_;
  time_limit limit_;
};

reader_pool::reader_pool(opener open, std::size_t connections_max, const clock& time)
    : open_(std::move(open)), connections_max_(connections_max), time_(time) {
  idle_.reserve(connections_max);  // so that giving back cannot fail
  time_.subscribe(*this);
}

reader_pool::~reader_pool() { time_.unsubscribe(*this); }

result<void> reader_pool::lend(work what, const deadline& until) {
  auto borrowed = borrow(until);
  if (!borrowed) return std::move(borrowed).error();
  loan on(*this, std::move(*borrowed), until);
  return what(on.lent());
}

result<std::unique_ptr<connection>> reader_pool::borrow(const deadline& until) {
  std::unique_lock lock(mutex_);
  while (paused_ || idle_.empty()) {
    if (!paused_ && made_ < connections_max_) {
      ++made_;
      lock.unlock();
      return open_another();
    }
    if (until && time_.now() >= *until)
      return detail::make_failure(errc::deadline_exceeded, effect_kind::not_applied, failure_reason::caller_deadline,
                                  "no connection was free to read");
    // A manual clock tells when it moves.
    if (!until || time_.is_manual()) {
      returned_.wait(lock);
    } else {
      returned_.wait_until(lock, *until);
    }
  }
  auto lent = std::move(idle_.back());
  idle_.pop_back();
  return lent;
}

result<std::unique_ptr<connection>> reader_pool::open_another() {
  try {
    auto opened = open_();
    if (!opened) give_up_place();
    return opened;
  } catch (...) {
    give_up_place();
    throw;
  }
}

void reader_pool::give_up_place() noexcept {
  const std::lock_guard lock(mutex_);
  --made_;
  if (paused_) home_.notify_one();
  returned_.notify_one();  // it may try in our place
}

bool reader_pool::pause(function_view<void()> what) {
  constexpr std::chrono::milliseconds patience{100};
  std::unique_lock lock(mutex_);
  paused_ = true;
  // The system's time even beside a manual clock: it bounds how long writers stand still.
  const bool all_home = home_.wait_for(lock, patience, [&] { return idle_.size() == made_; });
  if (all_home) {
    lock.unlock();  // those who come now wait on, and may give up
    what();
    lock.lock();
  }
  paused_ = false;
  returned_.notify_all();
  return all_home;
}

void reader_pool::abandon() noexcept {
  for (auto& each : idle_) static_cast<void>(each.release());
}

void reader_pool::give_back(std::unique_ptr<connection> lent) noexcept {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(lent));
  returned_.notify_one();
  if (paused_) home_.notify_one();
}

void reader_pool::time_changed() noexcept {
  const std::lock_guard lock(mutex_);
  returned_.notify_all();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
