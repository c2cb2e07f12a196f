// SPDX-License-Identifier: MIT

#include "guest_statements.hpp"

#include <dormouse/detail/service_call.hpp>

#include "sql_words.hpp"

#include <cmath>
#include <new>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {
namespace {

template <class... Args>
failure refuse(errc code, fmt::format_string<Args...> text, Args&&... args) {
  return detail::refuse_service_call(code, failure_reason::none, text, std::forward<Args>(args)...);
}

// SQLite gives no pointer when memory is short, and none for nothing.
std::string_view bytes_of(const void* start, int size) {
  if (start == nullptr && size > 0) throw std::bad_alloc();
  return start == nullptr ? std::string_view{}
                          : std::string_view(static_cast<const char*>(start), static_cast<std::size_t>(size));
}

}  // namespace

// ---- one statement --------------------------------------------------------------------------------------------------

guest_statement::guest_statement(guest_statements& owner, std::string text, sqlite3_stmt* prepared)
    : owner_(owner), text_(std::move(text)), prepared_(prepared), running_(prepared), rules_(owner.rules_) {}

guest_statement::~guest_statement() {
  { const statement ended(std::move(running_)); }
  owner_.keep(std::move(text_), prepared_);
}

result<void> guest_statement::bind(const sql_parameters& values) {
  const auto wanted = static_cast<std::size_t>(sqlite3_bind_parameter_count(prepared_));
  if (wanted != values.size())
    return refuse(errc::invalid_argument, "the SQL has {} parameters, and {} were given", wanted, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto* number = std::get_if<double>(&values[i]);
    // It would become null.
    if (number != nullptr && std::isnan(*number))
      return refuse(errc::invalid_argument, "parameter {} is not a number, and SQLite has no such value", i + 1);
    bind(static_cast<int>(i) + 1, values[i]);
  }
  return {};
}

void guest_statement::bind(int at, const sql_value& value) {
  if (const auto* truth = std::get_if<bool>(&value)) {
    running_.bind(at, std::int64_t{*truth});
  } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    running_.bind(at, *whole);
  } else if (const auto* number = std::get_if<double>(&value)) {
    running_.bind(at, *number);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    running_.bind_text(at, *text);
  } else if (const auto* bytes = std::get_if<payload>(&value)) {
    running_.bind_blob(at, bytes->text());
  } else if (const auto* json = std::get_if<sql_json>(&value)) {
    running_.bind_text(at, json->text);
  } else if (const auto* when = std::get_if<sql_timestamp>(&value)) {
    running_.bind(at, std::int64_t{when->time_since_epoch().count()});
  } else {
    running_.bind_null(at);
  }
}

result<bool> guest_statement::step() {
  auto more = running_.step();
  if (more) return more;
  return owner_.rules_.explain(std::move(more).error());
}

std::shared_ptr<const std::vector<std::string>> guest_statement::names() const {
  auto all = std::make_shared<std::vector<std::string>>();
  const int count = sqlite3_column_count(prepared_);
  all->reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const char* name = sqlite3_column_name(prepared_, i);
    if (name == nullptr) throw std::bad_alloc();
    all->emplace_back(name);
  }
  return all;
}

std::vector<sql_value> guest_statement::row() const {
  std::vector<sql_value> all;
  const int count = sqlite3_data_count(prepared_);
  all.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) all.push_back(column(i));
  return all;
}

sql_value guest_statement::column(int at) const {
  switch (sqlite3_column_type(prepared_, at)) {
    case SQLITE_INTEGER: return std::int64_t{sqlite3_column_int64(prepared_, at)};
    case SQLITE_FLOAT: return sqlite3_column_double(prepared_, at);
    case SQLITE_TEXT: {
      const auto* start = sqlite3_column_text(prepared_, at);  // before its size: see SQLite
      return bytes_of(start, sqlite3_column_bytes(prepared_, at));
    }
    case SQLITE_BLOB: {
      const auto* start = sqlite3_column_blob(prepared_, at);
      return payload(bytes_of(start, sqlite3_column_bytes(prepared_, at)));
    }
    default: return {};
  }
}

// ---- those of a connection ------------------------------------------------------------------------------------------

guest_statements::~guest_statements() {
  for (const entry& each : kept_) sqlite3_finalize(each.prepared);
}

guest_statements& guest_statements::of(connection& on) {
  auto& beside = on.kept_beside();
  if (beside == nullptr) beside = std::make_shared<guest_statements>(on.handle());
  return *static_cast<guest_statements*>(beside.get());
}

// One that is in use is not among the kept ones.
result<guest_statements::entry> guest_statements::find(std::string_view sql) {
  if (const auto found = by_text_.find(sql); found != by_text_.end()) {
    const auto at = found->second;
    by_text_.erase(found);
    entry kept = std::move(*at);
    kept_.erase(at);
    return kept;
  }
  entry made{.text = std::string(sql.size() <= kept_text_bytes_max ? sql : std::string_view{}), .prepared = nullptr};
  auto prepared = compile(sql, SQLITE_PREPARE_PERSISTENT);
  if (!prepared) return std::move(prepared).error();
  if (*prepared == nullptr) return refuse(errc::invalid_argument, "there is no statement in this SQL");
  if (!next_word(sql).empty()) {
    sqlite3_finalize(*prepared);
    return refuse(errc::invalid_argument, "there is more than one statement in this SQL");
  }
  made.prepared = *prepared;
  return made;
}

// Takes one statement off `sql`; null when there was none left.
result<sqlite3_stmt*> guest_statements::compile(std::string_view& sql, unsigned flags) {
  const guest_rules::in_force now(rules_);
  sqlite3_stmt* prepared = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), flags, &prepared, &rest);
  if (code != SQLITE_OK) return rules_.explain(to_failure(handle_, code));
  const auto text = sql.substr(0, static_cast<std::size_t>(rest - sql.data()));
  sql.remove_prefix(text.size());
  if (auto fit = rules_.check_compiled(text); !fit) {
    sqlite3_finalize(prepared);
    return std::move(fit).error();
  }
  return prepared;
}

void guest_statements::keep(std::string text, sqlite3_stmt* prepared) noexcept {
  try {
    if (text.empty() || by_text_.contains(text)) {
      sqlite3_finalize(prepared);
      return;
    }
    std::list<entry> one;
    one.push_front({std::move(text), prepared});
    by_text_.emplace(one.front().text, one.begin());
    kept_.splice(kept_.begin(), one);
  } catch (const std::bad_alloc&) {
    sqlite3_finalize(prepared);
    return;
  }
  if (kept_.size() <= kept_max) return;
  by_text_.erase(kept_.back().text);
  sqlite3_finalize(kept_.back().prepared);
  kept_.pop_back();
}

result<void> guest_statements::script(std::string_view sql) {
  for (;;) {
    auto prepared = compile(sql, 0);
    if (!prepared) return std::move(prepared).error();
    if (*prepared == nullptr && next_word(sql).empty()) return {};
    if (*prepared == nullptr) continue;
    guest_statement one(*this, {}, *prepared);
    auto ran = one.bind({});
    if (!ran) return ran;
    for (auto more = one.step();; more = one.step()) {
      if (!more) return std::move(more).error();
      if (!*more) break;
    }
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
