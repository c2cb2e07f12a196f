// SPDX-License-Identifier: MIT
#pragma once

// database::migrate(), above what any adapter has. The notes of what was done are a table, in SQL that every engine
// understands. The note is written before its step is done: so whoever comes second waits, or fails, there, and not
// somewhere in the step.

#include <dormouse/detail/impl/services/database.ipp>
#include <dormouse/detail/service_call.hpp>
#include <dormouse/services/database.hpp>

#include <chrono>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

inline constexpr std::string_view make_migration_notes =
    "CREATE TABLE IF NOT EXISTS dormouse_migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, "
    "statements TEXT NOT NULL, done_at BIGINT NOT NULL)";
inline constexpr std::string_view read_migration_notes =
    "SELECT number, statements FROM dormouse_migrations WHERE number > ? ORDER BY number";
inline constexpr std::string_view write_migration_note =
    "INSERT INTO dormouse_migrations (number, name, statements, done_at) VALUES (?, ?, ?, ?)";

DORMOUSE_INLINE result<void> check_migrations(const std::vector<migration>& steps) {
  std::uint32_t former = 0;
  for (const migration& each : steps) {
    if (each.number <= former) {
      return refuse_service_call(errc::invalid_argument, failure_reason::none,
                                 "migration {} after {}: numbers ascend from 1", each.number, former);
    }
    former = each.number;
    if (each.name.empty() || each.name.size() > 128 || !check_sql(each.name)) {
      return refuse_service_call(errc::invalid_argument, failure_reason::name,
                                 "migration {}: give a name of 1 .. 128 bytes of UTF-8 without NUL", each.number);
    }
    if (auto fit = check_sql(each.sql); !fit) return fit;
  }
  return {};
}

// A note of what was done, and the step that comes next.
DORMOUSE_INLINE result<void> compare_migration(const std::vector<migration>& steps, std::size_t next,
                                               const sql_row& note) {
  auto read = note.as<std::int64_t, std::string>();
  if (!read) return std::move(read).error();
  const auto& [number, statements] = *read;
  if (next == steps.size() || number < steps[next].number) {
    return refuse_service_call(errc::conflict, failure_reason::none, "migration {} was done, and is unknown here",
                               number);
  }
  if (number > steps[next].number) {
    return refuse_service_call(errc::conflict, failure_reason::none,
                               "migration {} was not done, and comes before {}, which was", steps[next].number, number);
  }
  if (statements == steps[next].sql) return {};
  return refuse_service_call(errc::conflict, failure_reason::none, "migration {} was done with other SQL", number);
}

DORMOUSE_INLINE failure failed_migration(const migration& step, const failure& why) {
  failure named = why;
  named.detail = fmt::format("migration {} ({}): {}", step.number, printable(step.name, 128), why.detail);
  return named;
}

DORMOUSE_INLINE result<void> note_migration(open_transaction& in, const migration& step, const clock& time) {
  const auto now = std::chrono::floor<std::chrono::microseconds>(time.wall());
  const sql_parameters note{std::int64_t{step.number}, step.name, step.sql,
                            std::int64_t{now.time_since_epoch().count()}};
  auto noted = in.execute(write_migration_note, note);
  return noted ? result<void>{} : result<void>(std::move(noted).error());
}

}  // namespace detail

// One step, if one is left; `done` counts those known to be done. A failure with `lost_race`: somebody else migrates,
// look again.
DORMOUSE_INLINE result<bool> database::migrate_next(const std::vector<migration>& steps, std::size_t& done,
                                                    bool& lost_race, const call_options& options) {
  const auto lost = [&](failure why) {
    lost_race = why.code == errc::conflict || why.code == errc::already_exists;
    return why;
  };
  auto opened = do_begin({.deadline = options.deadline});
  if (!opened) return lost(std::move(opened).error());
  open_transaction& in = **opened;
  if (auto made = in.execute(detail::make_migration_notes, {}); !made) return lost(std::move(made).error());
  result<void> same;
  const std::int64_t last = done == 0 ? 0 : steps[done - 1].number;
  const auto compare = [&](sql_row&& note) {
    same = detail::compare_migration(steps, done, note);
    if (same) ++done;
    return same.has_value();
  };
  if (auto read = in.query(detail::read_migration_notes, {last}, compare); !read) return lost(std::move(read).error());
  if (!same) return std::move(same).error();
  if (done == steps.size()) return false;
  const migration& step = steps[done];
  if (auto noted = detail::note_migration(in, step, time_); !noted) return lost(std::move(noted).error());
  if (auto ran = in.script(step.sql); !ran) {
    lost_race = ran.error().code == errc::conflict;
    return detail::failed_migration(step, ran.error());
  }
  if (auto ended = in.commit(); !ended) {
    lost_race = ended.error().code == errc::conflict && ended.error().effect == effect_kind::not_applied;
    return detail::failed_migration(step, ended.error());
  }
  ++done;
  return true;
}

DORMOUSE_INLINE result<std::uint32_t> database::migrate(const std::vector<migration>& steps,
                                                        const call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<std::uint32_t> {
    if (auto fit = detail::check_migrations(steps); !fit) return std::move(fit).error();
    constexpr int races_max = 1'000;  // each of them was won by another, who has done a step
    std::size_t done = 0;
    for (int races = 0;;) {
      if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
      bool lost_race = false;
      effect = effect_kind::unknown;
      auto went = migrate_next(steps, done, lost_race, options);
      if (!went && (!lost_race || ++races == races_max)) return std::move(went).error();
      if (went && !*went) return done == 0 ? 0 : steps[done - 1].number;
    }
  });
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
