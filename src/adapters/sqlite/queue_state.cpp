// SPDX-License-Identifier: MIT
#include "queue_state.hpp"

#include <dormouse/detail/service_call.hpp>

#include "item_codec.hpp"
#include "stored_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

namespace {

// ---- opening, within one piece of work ------------------------------------------------------------------------------

class queue_opening {
 public:
  queue_opening(connection& in, const sqlite_queue_options& options, const clock& time)
      : in_(in), options_(options), time_(time) {}

  result<std::shared_ptr<queue_state>> run() {
    if (auto made = in_.execute(make_queue_catalogue); !made) return std::move(made).error();
    if (auto added = add_if_absent(); !added) return std::move(added).error();
    if (auto taken = take_over(); !taken) return std::move(taken).error();
    if (auto counted = count(); !counted) return std::move(counted).error();
    return std::make_shared<queue_state>(who_, options_, time_, tally_);
  }

 private:
  result<void> add_if_absent() {
    auto row = in_.prepare(
        "INSERT INTO dormouse_queues(name, format, sequences, epoch, salt, made_last) "
        "VALUES(?1, ?2, 1, 0, 1 + (random() & 0x3fffffffffffffff), 0) ON CONFLICT(name) DO NOTHING");
    if (!row) return std::move(row).error();
    auto added = row->bind_text(1, options_.name).bind(2, queue_format).run();
    if (!added) return std::move(added).error();
    if (*added == 0) return {};
    return in_.execute(make_queue(make_queue_sql(sqlite3_last_insert_rowid(in_.handle()), options_.name)).c_str());
  }

  // A new epoch: receipts of former processes are void, and what they had received is visible.
  result<void> take_over() {
    std::int64_t last = 0;
    {
      auto row =
          in_.prepare("SELECT id, format, sequences, epoch, salt, made_last FROM dormouse_queues WHERE name = ?1");
      if (!row) return std::move(row).error();
      auto found = row->bind_text(1, options_.name).step();
      if (!found) return std::move(found).error();
      if (!*found) return corrupt("a queue is not in the catalogue");
      if (row->int64(1) != queue_format) {
        return detail::refuse_service_call(errc::unsupported, failure_reason::none,
                                           "queue \"{}\" has format {}; this library knows {}", options_.name,
                                           row->int64(1), queue_format);
      }
      who_ = {row->int64(0), row->int64(4), row->int64(3) + 1, row->int64(2) - 1, 0};
      last = row->int64(5);
    }
    sql_ = make_queue_sql(who_.id, options_.name);
    // Not before anything that lies there, whatever the calendar says.
    for (const auto& [table, column] : {std::pair{&sql_.messages, "sent_at"}, std::pair{&sql_.letters, "died_at"}}) {
      const auto latest = number(fmt::format(
          "SELECT coalesce(max({}), 0) FROM (SELECT {} FROM {} ORDER BY rowid DESC LIMIT 1)", column, column, *table));
      if (!latest) return latest.error();
      last = std::max(last, *latest);
    }
    who_.now = std::max(last, to_file_time(time_.wall()));
    auto row = in_.prepare("UPDATE dormouse_queues SET epoch = ?2, made_last = ?3 WHERE id = ?1");
    if (!row) return std::move(row).error();
    auto done = row->bind(1, who_.id).bind(2, who_.epoch).bind(3, who_.now).run();
    if (!done) return std::move(done).error();
    return in_.execute(
        fmt::format("UPDATE {} SET visible_at = {}, in_flight = 0 WHERE in_flight <> 0", sql_.messages, due_now())
            .c_str());
  }

  // Not 0: those that have used up their deliveries are told from the others when they become visible.
  [[nodiscard]] std::int64_t due_now() const noexcept { return std::max(who_.now, visible_never + 1); }

  result<void> count() {
    const std::pair<std::int64_t*, std::string> wanted[] = {
        {&tally_.messages, fmt::format("SELECT count(*) FROM {}", sql_.messages)},
        {&tally_.bytes, fmt::format("SELECT coalesce(sum(bytes), 0) FROM {}", sql_.messages)},
        {&tally_.dead, fmt::format("SELECT count(*) FROM {}", sql_.letters)}};
    for (const auto& [to, text] : wanted) {
      const auto counted = number(text);
      if (!counted) return counted.error();
      *to = *counted;
    }
    return {};
  }

  result<std::int64_t> number(const std::string& text) {
    auto row = in_.prepare_once(text);
    if (!row) return std::move(row).error();
    auto found = row->step();
    if (!found) return std::move(found).error();
    return row->int64(0);
  }

  connection& in_;
  const sqlite_queue_options& options_;
  const clock& time_;
  queue_state::identity who_{};
  queue_sql sql_{};
  queue_tally tally_{};
};

}  // namespace

queue_state::queue_state(const identity& who, const sqlite_queue_options& options, const clock& system,
                         const queue_tally& tally)
    : settings(options.settings),
      sql(make_queue_sql(who.id, options.name)),
      time(system, who.now),
      waiting(system, time),
      who_(who),
      tally_(tally),
      last_sequence_(who.last_sequence) {}

queue_tally queue_state::tally() const noexcept {
  const std::lock_guard lock(mutex_);
  return tally_;
}

void queue_state::adjust(const queue_tally& by, std::int64_t times) noexcept {
  const std::lock_guard lock(mutex_);
  tally_.add(by, times);
}

result<std::int64_t> queue_state::next_sequence(connection& in) {
  const auto next = sequences.next(in, who_.id);
  if (!next) return next.error();
  const std::lock_guard lock(mutex_);
  last_sequence_ = static_cast<std::int64_t>(*next);
  return last_sequence_;
}

std::string queue_state::receipt_of(std::int64_t sequence, std::int64_t delivery) const {
  return fmt::format("{:x}.{:x}.{:x}.{:x}", who_.salt, sequence, delivery, who_.epoch);
}

std::optional<queue_receipt> queue_state::read_receipt(std::string_view text) const noexcept {
  std::array<std::uint64_t, 4> numbers{};
  for (std::size_t at = 0; at < numbers.size(); ++at) {
    const bool is_last = at + 1 == numbers.size();
    const std::size_t end = is_last ? text.size() : text.find('.');
    if (end == std::string_view::npos) return std::nullopt;
    const auto number = read_hex(text.substr(0, end));
    if (!number) return std::nullopt;
    numbers[at] = *number;
    text.remove_prefix(is_last ? end : end + 1);
  }
  const std::lock_guard lock(mutex_);
  if (numbers[0] != static_cast<std::uint64_t>(who_.salt) || numbers[1] > static_cast<std::uint64_t>(last_sequence_) ||
      numbers[3] > epoch()) {
    return std::nullopt;
  }
  return queue_receipt{numbers[1], numbers[2], numbers[3]};
}

std::optional<std::uint64_t> read_hex(std::string_view text) noexcept {
  if (text.empty() || text.front() == '0') return std::nullopt;
  if (std::any_of(text.begin(), text.end(), [](char each) { return each >= 'A' && each <= 'F'; })) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (wrong != std::errc{} || end != text.data() + text.size() || number >> 63U != 0) return std::nullopt;
  return number;
}

result<std::shared_ptr<queue_state>> open_queue_state(engine& file, const sqlite_queue_options& options) {
  std::shared_ptr<queue_state> state;
  auto done = file.write(
      [&](connection& in) -> result<void> {
        auto opened = queue_opening(in, options, file.time()).run();
        if (!opened) return std::move(opened).error();
        state = std::move(*opened);
        return {};
      },
      {});
  if (!done) return std::move(done).error();
  return state;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
