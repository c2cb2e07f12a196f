// SPDX-License-Identifier: MIT

#include "object_index.hpp"

#include <dormouse/detail/service_call.hpp>

#include "object_record.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem {

namespace {

using sqlite::connection;

// `changes` knows the bytes of all objects after each change, so that the last one says how many there are, and no page
// is written only to count them.
constexpr const char* first_schema = R"(
CREATE TABLE objects(key BLOB PRIMARY KEY, record BLOB NOT NULL, contents INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE contents(id INTEGER PRIMARY KEY, objects INTEGER NOT NULL, file TEXT, sums BLOB, bytes BLOB);
CREATE UNIQUE INDEX contents_by_file ON contents(file) WHERE file IS NOT NULL;
CREATE TABLE changes(sequence INTEGER PRIMARY KEY, kind INTEGER NOT NULL, key BLOB NOT NULL, record BLOB NOT NULL,
                     bytes_of_all INTEGER NOT NULL);
CREATE TABLE positions(reader TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
)";

// Changes are dropped so many at a time: a page of old ones is then not written with every new one.
constexpr std::uint64_t trimmed_at_once = 64;

constexpr std::int64_t readers_max = 1'000;

struct last_state {
  std::uint64_t sequence = 0;
  std::uint64_t bytes = 0;
};

result<last_state> state_of(connection& db) {
  auto asked = db.prepare("SELECT sequence, bytes_of_all FROM changes ORDER BY sequence DESC LIMIT 1");
  if (!asked) return std::move(asked).error();
  const auto row = asked->step();
  if (!row) return row.error();
  if (!*row) return last_state{};
  return last_state{static_cast<std::uint64_t>(asked->int64(0)), static_cast<std::uint64_t>(asked->int64(1))};
}

// The object's row; its record is not read yet, so that one that is damaged can still be replaced and erased.
struct row_of_object {
  std::string record{};
  std::int64_t contents = 0;
};

result<std::optional<row_of_object>> row_of(connection& db, std::string_view key) {
  auto asked = db.prepare("SELECT record, contents FROM objects WHERE key = ?1");
  if (!asked) return std::move(asked).error();
  const auto row = asked->bind_blob(1, key).step();
  if (!row) return row.error();
  if (!*row) return std::optional<row_of_object>{};
  return std::optional<row_of_object>{{std::string(asked->blob(0)), asked->int64(1)}};
}

result<object_info> info_of(const row_of_object& row, std::string_view key) {
  return read_record(row.record, key, static_cast<std::uint64_t>(row.contents));
}

// Does the former object allow this put?
result<void> check_condition(const std::optional<row_of_object>& row, std::string_view key,
                             const object_put_options& options) {
  if (!options.if_absent && options.if_match.empty()) return {};
  if (!row) {
    if (options.if_absent) return {};
    return detail::refuse_service_call(errc::condition_failed, failure_reason::none, "there is no object");
  }
  auto former = info_of(*row, key);
  if (!former) return std::move(former).error();
  if (!options.if_absent && former->etag == options.if_match) return {};
  return detail::refuse_service_call(errc::condition_failed, failure_reason::none, "the object's etag is {}",
                                     former->etag);
}

// One object less has these contents; the name of their file if that was the last one.
result<std::string> release(connection& db, std::int64_t contents) {
  std::string file;
  bool last = false;
  {
    auto asked = db.prepare("SELECT objects, file FROM contents WHERE id = ?1");
    if (!asked) return std::move(asked).error();
    const auto row = asked->bind(1, contents).step();
    if (!row) return row.error();
    if (!*row) return file;  // damaged: there is nothing to let go of
    last = asked->int64(0) <= 1;
    if (last) file = asked->text(1);
  }
  auto changed = db.prepare(last ? "DELETE FROM contents WHERE id = ?1"
                                 : "UPDATE contents SET objects = objects - 1 WHERE id = ?1");
  if (!changed) return std::move(changed).error();
  if (auto done = changed->bind(1, contents).run(); !done) return std::move(done).error();
  return file;
}

result<std::int64_t> add_contents(connection& db, const object_contents& contents) {
  auto added = db.prepare("INSERT INTO contents(objects, file, sums, bytes) VALUES(1, ?1, ?2, ?3)");
  if (!added) return std::move(added).error();
  if (contents.file.empty()) {
    added->bind_null(1).bind_blob(3, contents.bytes);
  } else {
    added->bind_text(1, contents.file).bind_null(3);
  }
  if (auto done = added->bind_blob(2, contents.sums).run(); !done) return std::move(done).error();
  return sqlite3_last_insert_rowid(db.handle());
}

result<void> share_contents(connection& db, std::int64_t contents) {
  auto shared = db.prepare("UPDATE contents SET objects = objects + 1 WHERE id = ?1");
  if (!shared) return std::move(shared).error();
  auto changed = shared->bind(1, contents).run();
  if (!changed) return std::move(changed).error();
  if (*changed == 1) return {};
  return detail::refuse_service_call(errc::corruption, failure_reason::none, "the object has no contents");
}

result<void> set_object(connection& db, const object_info& info, std::int64_t contents) {
  auto set = db.prepare(
      "INSERT INTO objects(key, record, contents) VALUES(?1, ?2, ?3) "
      "ON CONFLICT(key) DO UPDATE SET record = excluded.record, contents = excluded.contents");
  if (!set) return std::move(set).error();
  const std::string record = make_record(info, static_cast<std::uint64_t>(contents));
  if (auto done = set->bind_blob(1, info.key).bind_blob(2, record).bind(3, contents).run(); !done) {
    return std::move(done).error();
  }
  return {};
}

result<void> trim(connection& db, std::uint64_t up_to) {
  auto dropped = db.prepare("DELETE FROM changes WHERE sequence <= ?1");
  if (!dropped) return std::move(dropped).error();
  if (auto done = dropped->bind(1, static_cast<std::int64_t>(up_to)).run(); !done) return std::move(done).error();
  return {};
}

result<void> log(connection& db, object_change_kind kind, const object_info& info, const last_state& now,
                 std::uint64_t changes_max) {
  {
    auto added =
        db.prepare("INSERT INTO changes(sequence, kind, key, record, bytes_of_all) VALUES(?1, ?2, ?3, ?4, ?5)");
    if (!added) return std::move(added).error();
    const std::string record = make_record(info, now.sequence);
    added->bind(1, static_cast<std::int64_t>(now.sequence)).bind(2, static_cast<std::int64_t>(kind));
    added->bind_blob(3, info.key).bind_blob(4, record).bind(5, static_cast<std::int64_t>(now.bytes));
    if (auto done = added->run(); !done) return std::move(done).error();
  }
  if (now.sequence <= changes_max || now.sequence % trimmed_at_once != 0) return {};
  return trim(db, now.sequence - changes_max);
}

// Of an object whose record is damaged nobody knows how many; the count is then too high by them.
std::uint64_t size_of(const std::optional<row_of_object>& row, std::string_view key) {
  if (!row) return 0;
  const auto info = info_of(*row, key);
  return info ? info->size : 0;
}

struct change_context {
  connection& db;
  const index_bounds& bounds;
  std::uint32_t epoch;
};

// `fresh` with these contents in the place of the former object of its key, under the conditions.
template <class Contents>
result<made_change> replace(const change_context& in, object_info fresh, const object_put_options& options,
                            std::chrono::system_clock::time_point now, const Contents& contents) {
  auto former = row_of(in.db, fresh.key);
  if (!former) return std::move(former).error();
  if (auto fit = check_condition(*former, fresh.key, options); !fit) return std::move(fit).error();
  auto state = state_of(in.db);
  if (!state) return std::move(state).error();
  const std::uint64_t others = state->bytes - std::min(state->bytes, size_of(*former, fresh.key));
  if (others > in.bounds.bytes_max || fresh.size > in.bounds.bytes_max - others) {
    return detail::refuse_service_call(errc::limit_exceeded, failure_reason::store_full,
                                       "{} bytes beside the {} of other objects, more than bytes_max {}", fresh.size,
                                       others, in.bounds.bytes_max);
  }
  const last_state next{state->sequence + 1, others + fresh.size};
  fresh.modified = now;
  fresh.etag = fmt::format("{:x}-{:08x}", next.sequence, in.epoch);
  const auto id = contents(in.db);
  if (!id) return id.error();
  if (auto done = set_object(in.db, fresh, *id); !done) return std::move(done).error();
  made_change made;
  if (*former) {
    auto unused = release(in.db, (*former)->contents);
    if (!unused) return std::move(unused).error();
    made.unused_file = std::move(*unused);
  }
  auto logged = log(in.db, object_change_kind::put, fresh, next, in.bounds.changes_max);
  if (!logged) return std::move(logged).error();
  made.info = std::move(fresh);
  return made;
}

result<std::optional<made_change>> erase_object(const change_context& in, std::string_view key) {
  auto row = row_of(in.db, key);
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<made_change>{};
  auto state = state_of(in.db);
  if (!state) return std::move(state).error();
  {
    auto erased = in.db.prepare("DELETE FROM objects WHERE key = ?1");
    if (!erased) return std::move(erased).error();
    if (auto done = erased->bind_blob(1, key).run(); !done) return std::move(done).error();
  }
  auto unused = release(in.db, (*row)->contents);
  if (!unused) return std::move(unused).error();
  auto info = info_of(**row, key);
  made_change made{info ? std::move(*info) : object_info{.key = std::string(key)}, std::move(*unused)};
  const last_state next{state->sequence + 1, state->bytes - std::min(state->bytes, made.info.size)};
  auto logged = log(in.db, object_change_kind::erased, made.info, next, in.bounds.changes_max);
  if (!logged) return std::move(logged).error();
  return std::optional<made_change>(std::move(made));
}

result<std::optional<found_object>> find_object(connection& db, std::string_view key) {
  auto asked = db.prepare(
      "SELECT o.record, o.contents, c.file, c.sums, c.bytes, c.id FROM objects o LEFT JOIN contents c ON c.id = "
      "o.contents WHERE o.key = ?1");
  if (!asked) return std::move(asked).error();
  const auto row = asked->bind_blob(1, key).step();
  if (!row) return row.error();
  if (!*row) return std::optional<found_object>{};
  found_object found;
  found.contents_id = asked->int64(1);
  auto info = read_record(asked->blob(0), key, static_cast<std::uint64_t>(found.contents_id));
  if (!info) return std::move(info).error();
  if (asked->is_null(5)) {
    return detail::refuse_service_call(errc::corruption, failure_reason::none, "the object has no contents");
  }
  found.info = std::move(*info);
  found.contents.file = asked->text(2);
  found.contents.sums = asked->blob(3);
  found.contents.bytes = asked->blob(4);
  return std::optional<found_object>(std::move(found));
}

result<std::vector<object_info>> list_objects(connection& db, std::string_view prefix, std::string_view after,
                                              std::size_t count) {
  // The first name behind `after`; it is not a null pointer when it is empty.
  const std::string from = after < prefix  ? std::string(prefix)
                           : after.empty() ? std::string()
                                           : std::string(after) + '\0';
  auto asked = db.prepare("SELECT key, record, contents FROM objects WHERE key >= ?1 ORDER BY key LIMIT ?2");
  if (!asked) return std::move(asked).error();
  asked->bind_blob(1, from).bind(2, static_cast<std::int64_t>(count));
  std::vector<object_info> found;
  for (;;) {
    const auto row = asked->step();
    if (!row) return row.error();
    if (!*row || !asked->blob(0).starts_with(prefix)) return found;
    auto info = read_record(asked->blob(1), asked->blob(0), static_cast<std::uint64_t>(asked->int64(2)));
    if (!info) return std::move(info).error();
    found.push_back(std::move(*info));
  }
}

// The last change that is kept no more.
result<std::uint64_t> dropped_up_to(connection& db, std::uint64_t last, std::uint64_t changes_max) {
  auto asked = db.prepare("SELECT min(sequence) FROM changes");
  if (!asked) return std::move(asked).error();
  const auto row = asked->step();
  if (!row) return row.error();
  const std::uint64_t first = *row && !asked->is_null(0) ? static_cast<std::uint64_t>(asked->int64(0)) : 1;
  return std::max(first - 1, last - std::min(last, changes_max));
}

result<std::vector<object_change>> list_changes(connection& db, std::uint64_t after, std::size_t count,
                                                std::uint64_t changes_max) {
  auto state = state_of(db);
  if (!state) return std::move(state).error();
  if (after > state->sequence) {
    return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                       "there is no change {} yet; the last one is {}", after, state->sequence);
  }
  const auto dropped = dropped_up_to(db, state->sequence, changes_max);
  if (!dropped) return dropped.error();
  if (after < *dropped) {
    return detail::refuse_service_call(errc::expired, failure_reason::none,
                                       "changes up to {} are kept no more (changes_max {})", *dropped, changes_max);
  }
  auto asked =
      db.prepare("SELECT sequence, kind, key, record FROM changes WHERE sequence > ?1 ORDER BY sequence LIMIT ?2");
  if (!asked) return std::move(asked).error();
  asked->bind(1, static_cast<std::int64_t>(after)).bind(2, static_cast<std::int64_t>(count));
  std::vector<object_change> found;
  for (;;) {
    const auto row = asked->step();
    if (!row) return row.error();
    if (!*row) return found;
    const auto sequence = static_cast<std::uint64_t>(asked->int64(0));
    auto info = read_record(asked->blob(3), asked->blob(2), sequence);
    if (!info) return std::move(info).error();
    const auto kind = asked->int64(1) == 1 ? object_change_kind::put : object_change_kind::erased;
    found.push_back({.sequence = sequence, .kind = kind, .info = std::move(*info)});
  }
}

// What `make` gives, out of what `run` makes of a transaction. What it throws is undone by the engine, and known to be.
template <class Run, class F>
auto value_of(Run&& run, F&& make) -> decltype(make(std::declval<connection&>())) {
  decltype(make(std::declval<connection&>())) made = failure{};
  auto done = run([&](connection& db) -> result<void> {
    made = detail::contained([&](effect_kind&) { return make(db); });
    return made ? result<void>() : made.error();
  });
  return done ? std::move(made) : std::move(done).error();
}

// One statement is all that `make` does.
template <class F>
auto read_once(sqlite::engine& engine, const sqlite::deadline& until, F&& make) {
  return value_of([&](sqlite::work what) { return engine.read_once(what, until); }, make);
}

template <class F>
auto read_from(sqlite::engine& engine, const sqlite::deadline& until, F&& make) {
  return value_of([&](sqlite::work what) { return engine.read(what, until); }, make);
}

template <class F>
auto write_to(sqlite::engine& engine, const sqlite::deadline& until, F&& make) {
  return value_of([&](sqlite::work what) { return engine.write(what, until); }, make);
}

}  // namespace

sqlite::engine_options object_index::options(const sqlite_file_options& file) {
  return {.file = file, .application_id = 0x646d6f73, .steps = {first_schema}};  // "dmos"
}

result<std::optional<found_object>> object_index::find(std::string_view key, const sqlite::deadline& until) {
  return read_once(*engine_, until, [&](connection& db) { return find_object(db, key); });
}

result<std::optional<object_info>> object_index::head(std::string_view key, const sqlite::deadline& until) {
  return read_once(*engine_, until, [&](connection& db) -> result<std::optional<object_info>> {
    const auto row = row_of(db, key);
    if (!row) return row.error();
    if (!*row) return std::optional<object_info>{};
    auto info = info_of(**row, key);
    if (!info) return std::move(info).error();
    return std::optional<object_info>(std::move(*info));
  });
}

result<std::vector<object_info>> object_index::list(std::string_view prefix, std::string_view after, std::size_t count,
                                                    const sqlite::deadline& until) {
  return read_once(*engine_, until, [&](connection& db) { return list_objects(db, prefix, after, count); });
}

result<made_change> object_index::put(object_info fresh, const object_contents& contents,
                                      const object_put_options& options) {
  return write_to(*engine_, options.deadline, [&](connection& db) {
    const auto add = [&](connection& to) { return add_contents(to, contents); };
    return replace({db, bounds_, epoch_}, fresh, options, engine_->time().wall(), add);
  });
}

result<std::optional<made_change>> object_index::copy(std::string_view from, std::string_view to,
                                                      const object_put_options& options) {
  using outcome = result<std::optional<made_change>>;
  return write_to(*engine_, options.deadline, [&](connection& db) -> outcome {
    const auto row = row_of(db, from);
    if (!row) return row.error();
    if (!*row) return std::optional<made_change>{};
    auto info = info_of(**row, from);
    if (!info) return std::move(info).error();
    info->key = to;
    const auto share = [&](connection& in) -> result<std::int64_t> {
      if (auto shared = share_contents(in, (*row)->contents); !shared) return std::move(shared).error();
      return (*row)->contents;
    };
    auto made = replace({db, bounds_, epoch_}, std::move(*info), options, engine_->time().wall(), share);
    if (!made) return std::move(made).error();
    return std::optional<made_change>(std::move(*made));
  });
}

result<std::optional<made_change>> object_index::erase(std::string_view key, const sqlite::deadline& until) {
  return write_to(*engine_, until, [&](connection& db) { return erase_object({db, bounds_, epoch_}, key); });
}

result<std::vector<object_change>> object_index::changes(std::uint64_t after, std::size_t count,
                                                         const sqlite::deadline& until) {
  return read_from(*engine_, until,
                   [&](connection& db) { return list_changes(db, after, count, bounds_.changes_max); });
}

result<std::uint64_t> object_index::last_change(const sqlite::deadline& until) {
  return read_once(*engine_, until, [&](connection& db) -> result<std::uint64_t> {
    const auto state = state_of(db);
    if (!state) return state.error();
    return state->sequence;
  });
}

result<std::optional<std::uint64_t>> object_index::position(std::string_view reader, const sqlite::deadline& until) {
  return read_once(*engine_, until, [&](connection& db) -> result<std::optional<std::uint64_t>> {
    auto asked = db.prepare("SELECT position FROM positions WHERE reader = ?1");
    if (!asked) return std::move(asked).error();
    const auto row = asked->bind_text(1, reader).step();
    if (!row) return row.error();
    if (!*row) return std::optional<std::uint64_t>{};
    return std::optional<std::uint64_t>(static_cast<std::uint64_t>(asked->int64(0)));
  });
}

result<void> object_index::remember(std::string_view reader, std::uint64_t position, const sqlite::deadline& until) {
  return engine_->write(
      [&](connection& db) -> result<void> {
        auto set = db.prepare(
            "INSERT INTO positions(reader, position) SELECT ?1, ?2 WHERE (SELECT count(*) FROM positions) < ?3 "
            "OR EXISTS(SELECT 1 FROM positions WHERE reader = ?1) "
            "ON CONFLICT(reader) DO UPDATE SET position = excluded.position");
        if (!set) return std::move(set).error();
        auto done = set->bind_text(1, reader).bind(2, static_cast<std::int64_t>(position)).bind(3, readers_max).run();
        if (!done) return std::move(done).error();
        if (*done == 1) return {};
        return detail::refuse_service_call(errc::limit_exceeded, failure_reason::store_full,
                                           "{} readers have positions", readers_max);
      },
      until);
}

result<void> object_index::with_files(
    const std::function<result<void>(const std::function<result<bool>(const std::string&)>&)>& what) {
  return engine_->read(
      [&](connection& db) -> result<void> {
        return what([&](const std::string& file) -> result<bool> {
          auto asked = db.prepare("SELECT 1 FROM contents WHERE file = ?1");
          if (!asked) return std::move(asked).error();
          return asked->bind_text(1, file).step();
        });
      },
      {});
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem
