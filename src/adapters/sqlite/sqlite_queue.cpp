// SPDX-License-Identifier: MIT
#include <dormouse/adapters/sqlite_messaging.hpp>
#include <dormouse/detail/service_call.hpp>

#include "engines/sqlite/engine.hpp"
#include "queue_reader.hpp"
#include "queue_state.hpp"
#include "queue_writer.hpp"
#include "shared_transaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace sqlite {
namespace {

class sqlite_queue final : public queue {
 public:
  sqlite_queue(std::shared_ptr<sqlite_file> file, std::shared_ptr<queue_state> state)
      : queue(file->opened().time()), file_(std::move(file)), state_(std::move(state)) {}

  [[nodiscard]] queue_capabilities capabilities() const noexcept override {
    return {.groups = true, .deduplication = true, .shared_transactions = true, .atomic_batches = true};
  }
  [[nodiscard]] durability_level durability() const noexcept override { return engine_.durability(); }
  [[nodiscard]] queue_settings settings() const noexcept override { return state_->settings; }

 private:
  result<std::vector<result<sent_message>>> do_send(std::vector<queue_message>&& messages,
                                                    const queue_send_options& options) override;
  result<std::vector<queue_delivery>> do_receive(const queue_receive_options& options) override;
  result<std::vector<result<void>>> do_settle(std::vector<queue_settlement>&& what,
                                              const queue_send_options& options) override;
  result<queue_counts> do_counts(const call_options& options) override;
  result<dead_letter_page> do_dead_letters(const dead_letter_list_options& options) override;
  result<std::size_t> do_redrive(std::string_view id, std::size_t count, const call_options& options) override;
  result<bool> do_erase_dead_letter(std::string_view id, const call_options& options) override;
  result<std::size_t> do_purge(const call_options& options) override;
  result<void> do_watch(change_watcher& who) override;
  void do_unwatch(change_watcher& who) noexcept override;
  result<std::optional<clock::time_point>> do_next_visible(const call_options& options) override;

  // A change of the queue: what `what` does with a writer is committed, or has not happened.
  template <class F>
  result<void> change(service_transaction* within, const deadline& until, F&& what);
  result<void> prepare(service_transaction* within, const deadline& until);
  // What time has brought about is done before somebody looks.
  result<void> catch_up(const deadline& until);
  // One answer for each of `parts`; a failure of the file's is one of all.
  template <class Answer, class Part, class F>
  result<std::vector<result<Answer>>> answer_each(const std::vector<Part>& parts, const queue_send_options& options,
                                                  F&& one);
  template <class T, class F>
  result<T> read(const deadline& until, F&& what);

  const std::shared_ptr<sqlite_file> file_;
  const std::shared_ptr<queue_state> state_;
  engine& engine_ = file_->opened();
};

template <class F>
result<void> sqlite_queue::change(service_transaction* within, const deadline& until, F&& what) {
  try {
    return write_of_service(engine_, within, until, queue_ending(state_),
                            [&](connection& in, queue_ending& ending) -> result<void> {
                              queue_writer writer(in, *state_, ending);
                              auto done = what(writer, ending);
                              if (done) writer.finish();
                              return done;
                            });
  } catch (const std::bad_alloc&) {  // before the commit: the interface could only say `unknown`
    return detail::make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
  }
}

result<void> sqlite_queue::prepare(service_transaction* within, const deadline& until) {
  return within == nullptr ? state_->sequences.prepare(engine_, state_->id(), until) : result<void>{};
}

result<void> sqlite_queue::catch_up(const deadline& until) {
  while (state_->waiting.is_due(state_->time.now())) {
    auto done = change(nullptr, until, [](queue_writer& writer, queue_ending&) { return writer.tidy(); });
    if (!done) return done;
  }
  return {};
}

template <class Answer, class Part, class F>
result<std::vector<result<Answer>>> sqlite_queue::answer_each(const std::vector<Part>& parts,
                                                              const queue_send_options& options, F&& one) {
  std::vector<result<Answer>> answers;
  auto done = change(options.within, options.deadline, [&](queue_writer& writer, queue_ending& after) -> result<void> {
    after.tells = true;
    answers.clear();
    answers.reserve(parts.size());
    for (const Part& each : parts) {
      result<Answer> answer = one(writer, each);
      if (!answer && !is_refusal(answer.error())) return std::move(answer).error();
      answers.push_back(std::move(answer));
    }
    return {};
  });
  if (!done) return std::move(done).error();
  return answers;
}

template <class T, class F>
result<T> sqlite_queue::read(const deadline& until, F&& what) {
  result<T> answer{};
  auto done = engine_.read(
      [&](connection& in) -> result<void> {
        answer = what(in);
        return answer ? result<void>{} : result<void>(answer.error());
      },
      until);
  if (!done) return std::move(done).error();
  return answer;
}

// ---- messages -------------------------------------------------------------------------------------------------------

result<std::vector<result<sent_message>>> sqlite_queue::do_send(std::vector<queue_message>&& messages,
                                                                const queue_send_options& options) {
  if (auto ready = prepare(options.within, options.deadline); !ready) return std::move(ready).error();
  return answer_each<sent_message>(messages, options,
                                   [](queue_writer& writer, const queue_message& each) { return writer.send(each); });
}

result<std::vector<result<void>>> sqlite_queue::do_settle(std::vector<queue_settlement>&& what,
                                                          const queue_send_options& options) {
  return answer_each<void>(what, options,
                           [](queue_writer& writer, const queue_settlement& each) { return writer.settle(each); });
}

result<std::vector<queue_delivery>> sqlite_queue::do_receive(const queue_receive_options& options) {
  auto end = time().now() + options.wait;
  if (options.deadline) end = std::min(end, *options.deadline);
  std::vector<queue_delivery> got;
  std::optional<failure> refusal;
  for (;;) {
    // Who finds nothing writes nothing, and does not look into the file.
    if (state_->waiting.may_find(state_->time.now()) || engine_.is_in_child()) {
      auto done = change(nullptr, options.deadline, [&](queue_writer& writer, queue_ending&) {
        return writer.claim(options.count, options.visibility.value_or(state_->settings.visibility), got, refusal);
      });
      if (!done) return std::move(done).error();
      if (refusal) return std::move(*refusal);
    }
    if (!got.empty() || time().now() >= end) return got;
    state_->waiting.await(end);
  }
}

// ---- for operators --------------------------------------------------------------------------------------------------

result<queue_counts> sqlite_queue::do_counts(const call_options& options) {
  if (auto done = catch_up(options.deadline); !done) return std::move(done).error();
  return read<queue_counts>(options.deadline, [&](connection& in) { return count_messages(in, *state_); });
}

result<dead_letter_page> sqlite_queue::do_dead_letters(const dead_letter_list_options& options) {
  const auto after = place_of_cursor(options.cursor);
  if (!after) return after.error();
  if (auto done = catch_up(options.deadline); !done) return std::move(done).error();
  return read<dead_letter_page>(options.deadline,
                                [&](connection& in) { return read_letters(in, *state_, *after, options.page_size); });
}

result<std::size_t> sqlite_queue::do_redrive(std::string_view id, std::size_t count, const call_options& options) {
  if (auto done = catch_up(options.deadline); !done) return std::move(done).error();
  if (auto ready = prepare(nullptr, options.deadline); !ready) return std::move(ready).error();
  result<std::size_t> redriven{};
  auto done = change(nullptr, options.deadline, [&](queue_writer& writer, queue_ending& after) -> result<void> {
    after.tells = true;
    redriven = writer.redrive(id, count);
    return redriven ? result<void>{} : result<void>(redriven.error());
  });
  if (!done) return std::move(done).error();
  if (auto tidied = catch_up(options.deadline); !tidied) return redriven;  // the next one will do it
  return redriven;
}

result<bool> sqlite_queue::do_erase_dead_letter(std::string_view id, const call_options& options) {
  result<bool> erased{};
  auto done = change(nullptr, options.deadline, [&](queue_writer& writer, queue_ending&) -> result<void> {
    erased = writer.erase_letter(id);
    return erased ? result<void>{} : result<void>(erased.error());
  });
  if (!done) return std::move(done).error();
  return erased;
}

result<std::size_t> sqlite_queue::do_purge(const call_options& options) {
  result<std::size_t> purged{};
  auto done = change(nullptr, options.deadline, [&](queue_writer& writer, queue_ending&) -> result<void> {
    purged = writer.purge();
    return purged ? result<void>{} : result<void>(purged.error());
  });
  if (!done) return std::move(done).error();
  return purged;
}

// ---- watching -------------------------------------------------------------------------------------------------------

result<void> sqlite_queue::do_watch(change_watcher& who) {
  state_->watchers.add(who);
  return {};
}

void sqlite_queue::do_unwatch(change_watcher& who) noexcept { state_->watchers.remove(who); }

result<std::optional<clock::time_point>> sqlite_queue::do_next_visible(const call_options& options) {
  if (auto done = catch_up(options.deadline); !done) return std::move(done).error();
  const auto next = read<std::optional<std::int64_t>>(
      options.deadline, [&](connection& in) { return sqlite::next_visible(in, *state_); });
  if (!next) return next.error();
  if (!*next) return std::optional<clock::time_point>{};
  if (**next == visible_now) return std::optional<clock::time_point>{time().now()};
  return std::optional<clock::time_point>{state_->time.moment_of(**next)};
}

void check(const sqlite_queue_options& options) {
  if (!detail::is_plain_name(options.name)) {
    throw std::invalid_argument(
        fmt::format("dormouse: sqlite_queue_options::name is \"{}\"; give 1 .. 64 of [A-Za-z0-9_-]",
                    detail::printable(options.name, 64)));
  }
  check_queue_settings(options.settings, "sqlite_queue_options");
}

}  // namespace
}  // namespace sqlite

result<std::unique_ptr<queue>> open_sqlite_queue(std::shared_ptr<sqlite_file> file,
                                                 const sqlite_queue_options& options) {
  using namespace sqlite;
  if (file == nullptr) throw std::invalid_argument("dormouse: open_sqlite_queue: the file is null");
  check(options);
  return detail::contained([&](effect_kind&) -> result<std::unique_ptr<queue>> {
    auto& shelf = file->shared();
    const std::lock_guard lock(shelf.mutex);
    auto& kept = shelf.kept["queue " + options.name];
    auto state = std::static_pointer_cast<queue_state>(kept);
    if (state == nullptr) {
      auto opened = open_queue_state(file->opened(), options);
      if (!opened) return std::move(opened).error();
      kept = state = std::move(*opened);
    } else if (!(state->settings == options.settings)) {
      if (state.use_count() > 2) {  // more than `kept` and ours
        return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                           "queue \"{}\" is open with other settings", options.name);
      }
      state->settings = options.settings;
      state->waiting.forget();
    }
    return std::unique_ptr<queue>(std::make_unique<sqlite_queue>(std::move(file), std::move(state)));
  });
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
