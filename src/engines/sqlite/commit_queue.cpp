// SPDX-License-Identifier: MIT

#include "commit_queue.hpp"

#include "engines/failpoint.hpp"

#include <algorithm>
#include <new>
#include <span>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {
namespace {

constexpr int checkpoint_frames = 1'000;  // SQLite's own default
constexpr int overgrown_frames = 16'000;  // some 64 MB

bool is_io_error(int code) noexcept { return (code & 0xff) == SQLITE_IOERR && code != SQLITE_IOERR_NOMEM; }

// After a failed read nothing is in doubt; after these it is unknown what the disk holds.
bool casts_doubt(int code) noexcept {
  return is_io_error(code) && code != SQLITE_IOERR_READ && code != SQLITE_IOERR_SHORT_READ;
}

failure broken(int code) noexcept {
  auto why = detail::make_failure(errc::unavailable, effect_kind::not_applied, failure_reason::none,
                                  "an earlier write could not be made durable: open the file anew");
  why.native_code = code;
  return why;
}

failure deadline_passed() noexcept {
  return detail::make_failure(errc::deadline_exceeded, effect_kind::not_applied, failure_reason::caller_deadline,
                              "the deadline passed before it was its turn");
}

failure in_child() noexcept {
  return detail::make_failure(errc::unavailable, effect_kind::not_applied, failure_reason::forked_child,
                              "this process is a fork of the one that opened the file");
}

// Copying one could throw, and others wait.
failure same(const failure& why) noexcept {
  auto copy = detail::make_failure(why.code, why.effect, why.reason, why.detail);
  copy.retry_after = why.retry_after;
  copy.native_code = why.native_code;
  return copy;
}

failure rolled_back() noexcept {
  return detail::make_failure(errc::expired, effect_kind::not_applied, failure_reason::none,
                              "the transaction has ended: it was idle for too long, or a failure rolled it back");
}

// The frames of a commit that does not fit never become valid. Short of memory it may have failed after its last frame:
// no reader of this process sees it, and the next commit overwrites it, but a crash before that brings it to life.
effect_kind effect_of_failed_commit(int code) noexcept {
  const int primary = code & 0xff;
  const bool known = primary == SQLITE_FULL || primary == SQLITE_BUSY || primary == SQLITE_CONSTRAINT;
  return known ? effect_kind::not_applied : effect_kind::unknown;
}

bool has_deferred_violations(sqlite3* handle) noexcept {
  int current = 0;
  int highest = 0;
  sqlite3_db_status(handle, SQLITE_DBSTATUS_DEFERRED_FKS, &current, &highest, 0);
  return current > 0;
}

}  // namespace

commit_queue::commit_queue(std::unique_ptr<connection> writer, const clock& time, pause without_readers)
    : writer_(std::move(writer)),
      turns_(time),
      time_(time),
      without_readers_(std::move(without_readers)),
      checkpoint_at_(checkpoint_frames) {
  // In place of SQLite's own, which keeps the failure of a checkpoint to itself.
  sqlite3_wal_hook(writer_->handle(), &after_commit, this);
}

commit_queue::~commit_queue() {
  if (is_in_child()) {
    static_cast<void>(writer_.release());  // closing would take the log away from the parent
    return;
  }
  sqlite3* const handle = writer_->handle();
  if (broken_ == 0) broken_ = sqlite3_wal_checkpoint_v2(handle, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  // What is in doubt is left to the recovery of the next opening.
  if (broken_ != SQLITE_OK) sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

result<void> commit_queue::write(work what, const deadline& until) {
  if (is_in_child()) return in_child();
  waiter me{.piece = &what, .until = until};
  if (turns_.enter(me)) {
    group now;
    now.members[now.count++] = &me;
    lead(now);
  }
  if (me.thrown) std::rethrow_exception(me.thrown);
  return std::move(me.outcome);
}

// Everything in here must come to the end: others wait for it.
void commit_queue::lead(group& now) {
  roll_back();  // what a holder that was idle for too long has left
  run_new(now);
  gather(now);
  commit(now);
  last_group_ = now.count;
  const std::span<waiter* const> others(now.members.data() + 1, now.count - 1);
  turns_.finish(others);
  checkpoint_if_due();
  turns_.pass_on();
}

// Others come while we work: their pieces go into the same commit. And when the last one was for several, they are
// waited for, because they are on their way: two halves that take turns would sync twice as often.
void commit_queue::gather(group& now) {
  const std::span<waiter*> all(now.members);
  bool may_wait = last_group_ > 1 && skip_waits_ == 0;
  if (skip_waits_ > 0) --skip_waits_;
  for (;;) {
    const auto more = turns_.take(all.subspan(now.count));
    now.count += more;
    if (more != 0) {
      run_new(now);
      continue;
    }
    if (!may_wait || now.count >= last_group_ || now.count == group_max || now.alive == 0) return;
    may_wait = false;
    const auto at_most = std::min<std::chrono::nanoseconds>(last_commit_took_ / 2, std::chrono::milliseconds(1));
    if (turns_.await(last_group_ - now.count, at_most)) {
      futile_waits_ = 0;
    } else {
      futile_waits_ = std::min(futile_waits_ + 1, 6U);
      skip_waits_ = 1U << futile_waits_;
    }
  }
}

void commit_queue::run_new(group& now) {
  for (; now.done < now.count; ++now.done) run(now, *now.members[now.done]);
}

// The first piece of a transaction needs no savepoint: to undo it is to roll back.
void commit_queue::run(group& now, waiter& who) {
  if (broken_ != 0) {
    who.outcome = broken(broken_);
    return;
  }
  if (who.until && time_.now() >= *who.until) {
    who.outcome = deadline_passed();
    return;
  }
  const bool alone = now.alive == 0;
  if (alone) now.begin = now.done;
  auto ready = run_text(alone ? "BEGIN IMMEDIATE" : "SAVEPOINT piece");
  who.outcome = ready ? call(who) : std::move(ready);
  pass(failpoint::piece_done);
  const int code = sqlite3_extended_errcode(writer_->handle());
  if (who.succeeded() && has_deferred_violations(writer_->handle()))
    who.outcome = to_failure(nullptr, SQLITE_CONSTRAINT_FOREIGNKEY);
  if (!writer_->in_transaction()) {
    // SQLite has rolled back everything, so nobody who shared this transaction has succeeded.
    const auto why = to_failure(nullptr, code != SQLITE_OK ? code : SQLITE_ABORT);
    if (who.succeeded()) who.outcome = same(why);
    lose_all(now, why);
    note_broken(code);
  } else if (!who.succeeded()) {
    if (const int error = undo_piece(alone); error != SQLITE_OK) lose_all(now, to_failure(nullptr, error));
  } else if (alone) {
    now.alive = 1;
  } else if (auto released = run_text("RELEASE piece"); released) {
    ++now.alive;
  } else {
    who.outcome = same(released.error());
    roll_back();
    lose_all(now, released.error());
  }
}

// What it throws is kept for its own caller.
result<void> commit_queue::call(waiter& who) {
  try {
    return (*who.piece)(*writer_);
  } catch (...) {
    who.thrown = std::current_exception();
    return {};
  }
}

// Not OK: what came before it is undone as well.
int commit_queue::undo_piece(bool alone) noexcept {
  int error = SQLITE_OK;
  if (!alone) {
    auto undone = run_text("ROLLBACK TO piece");
    if (undone) undone = run_text("RELEASE piece");
    if (undone) return SQLITE_OK;
    error = undone.error().native_code != 0 ? undone.error().native_code : SQLITE_NOMEM;
  }
  roll_back();
  return error;
}

void commit_queue::lose_all(group& now, const failure& why) {
  for (std::size_t at = now.begin; at < now.done && now.alive > 0; ++at) {
    waiter& each = *now.members[at];
    if (!each.succeeded()) continue;
    each.outcome = same(why);
  }
  now.alive = 0;
}

void commit_queue::commit(group& now) {
  if (now.alive == 0) {
    roll_back();
    return;
  }
  const auto began = std::chrono::steady_clock::now();
  const auto committed = commit_transaction();
  if (!committed) lose_all(now, committed.error());
  if (last_group_ > 1 || now.count > 1) last_commit_took_ = std::chrono::steady_clock::now() - began;
}

result<void> commit_queue::commit_transaction() {
  pass(failpoint::before_commit);
  auto committed = run_text("COMMIT");
  if (committed) {
    pass(failpoint::after_commit);
    // relaxed: a count, by which nothing else is ordered. One thread at a time adds.
    commits_.store(commits_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return {};
  }
  auto why = std::move(committed).error();
  why.effect = effect_of_failed_commit(why.native_code);
  note_broken(why.native_code);
  roll_back();
  return why;
}

void commit_queue::roll_back() noexcept {
  if (writer_->in_transaction()) sqlite3_exec(writer_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

result<void> commit_queue::run_text(std::string_view sql) noexcept {
  try {
    auto prepared = writer_->prepare(sql);
    if (!prepared) return std::move(prepared).error();
    auto done = prepared->run();
    if (!done) return std::move(done).error();
    return {};
  } catch (const std::bad_alloc&) {
    return to_failure(nullptr, SQLITE_NOMEM);
  }
}

void commit_queue::note_broken(int code) noexcept {
  if (casts_doubt(code)) broken_ = code;
}

int commit_queue::after_commit(void* self, sqlite3*, const char*, int frames) {
  auto& queue = *static_cast<commit_queue*>(self);
  // It began anew: everything before was checkpointed.
  if (frames < queue.wal_frames_) queue.checkpoint_at_ = checkpoint_frames;
  queue.wal_frames_ = frames;
  return SQLITE_OK;
}

// What has been written stays in the log when this fails. But pages of the file that a failed sync has dropped would be
// taken for written by the next checkpoint, and the log be given up.
void commit_queue::checkpoint_if_due() noexcept {
  if (broken_ != 0 || wal_frames_ < checkpoint_at_) return;
  checkpoint(SQLITE_CHECKPOINT_PASSIVE);
  checkpoint_at_ = wal_frames_ + checkpoint_frames;  // readers, or a full disk, may have kept it from the end
  // The log begins anew only when nobody reads from it. Where readers overlap all the time that is never.
  if (broken_ == 0 && wal_frames_ >= overgrown_frames) {
    const bool paused = without_readers_([&] { checkpoint(SQLITE_CHECKPOINT_TRUNCATE); });
    if (!paused) checkpoint_at_ = wal_frames_ + overgrown_frames;
  }
}

void commit_queue::checkpoint(int mode) noexcept {
  pass(failpoint::before_checkpoint);
  note_broken(sqlite3_wal_checkpoint_v2(writer_->handle(), nullptr, mode, nullptr, nullptr));
  pass(failpoint::after_checkpoint);
}

result<std::unique_ptr<exclusive_write>> commit_queue::begin(const deadline& until,
                                                             std::chrono::milliseconds idle_timeout) {
  if (is_in_child()) return in_child();
  auto held = std::make_unique<exclusive_write>(*this, idle_timeout);
  held->held_.over = true;  // not yet ours
  waiter me{.piece = nullptr, .until = until};
  if (!turns_.enter(me)) return std::move(me.outcome).error();
  roll_back();
  auto begun = broken_ != 0 ? result<void>(broken(broken_)) : run_text("BEGIN IMMEDIATE");
  if (!begun) {
    turns_.pass_on();
    return std::move(begun).error();
  }
  held->held_.over = false;
  turns_.hold(held->held_);
  return held;
}

// When SQLite has rolled it back by itself, the turn goes on to the next one.
class exclusive_write::in_use {
 public:
  explicit in_use(exclusive_write& self) noexcept : self_(self) {}
  in_use(const in_use&) = delete;
  in_use& operator=(const in_use&) = delete;
  ~in_use() {
    commit_queue& owner = self_.owner_;
    if (owner.writer_->in_transaction()) {
      owner.turns_.rest(self_.held_);
      return;
    }
    owner.note_broken(sqlite3_extended_errcode(owner.writer_->handle()));
    if (owner.turns_.end(self_.held_)) owner.turns_.pass_on();
  }

 private:
  exclusive_write& self_;
};

result<void> exclusive_write::use(work what) {
  if (owner_.is_in_child()) return in_child();
  if (!owner_.turns_.use(held_)) return rolled_back();
  const in_use now(*this);
  auto done = what(*owner_.writer_);
  if (done && !owner_.writer_->in_transaction()) return rolled_back();
  return done;
}

result<void> exclusive_write::commit() {
  if (owner_.is_in_child()) return in_child();
  if (!owner_.turns_.end(held_)) return rolled_back();
  auto committed = owner_.commit_transaction();
  owner_.checkpoint_if_due();
  owner_.turns_.pass_on();
  return committed;
}

void exclusive_write::roll_back() noexcept {
  if (owner_.is_in_child() || !owner_.turns_.end(held_)) return;
  owner_.roll_back();
  owner_.turns_.pass_on();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
