// SPDX-License-Identifier: MIT

#include "connection.hpp"

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

statement::~statement() {
  if (prepared_ == nullptr) return;
  if (after_ == after::finalized) {
    sqlite3_finalize(prepared_);
    return;
  }
  reset();
}

void statement::reset() noexcept {
  sqlite3_reset(prepared_);  // repeats the error of the last step, which its caller has had
  sqlite3_clear_bindings(prepared_);
  bind_error_ = SQLITE_OK;
}

statement& statement::noted(int code) noexcept {
  if (bind_error_ == SQLITE_OK) bind_error_ = code;
  return *this;
}

statement& statement::bind(int at, std::int64_t value) { return noted(sqlite3_bind_int64(prepared_, at, value)); }
statement& statement::bind(int at, double value) { return noted(sqlite3_bind_double(prepared_, at, value)); }
statement& statement::bind_null(int at) { return noted(sqlite3_bind_null(prepared_, at)); }

// A null pointer would bind NULL, so an empty view gets an address.
statement& statement::bind_text(int at, std::string_view value) {
  const char* bytes = value.data() != nullptr ? value.data() : "";
  return noted(sqlite3_bind_text64(prepared_, at, bytes, value.size(), SQLITE_STATIC, SQLITE_UTF8));
}
statement& statement::bind_blob(int at, std::string_view value) {
  const char* bytes = value.data() != nullptr ? value.data() : "";
  return noted(sqlite3_bind_blob64(prepared_, at, bytes, value.size(), SQLITE_STATIC));
}

result<bool> statement::step() {
  if (bind_error_ != SQLITE_OK) return to_failure(sqlite3_db_handle(prepared_), bind_error_);
  const int code = sqlite3_step(prepared_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return to_failure(sqlite3_db_handle(prepared_), code);
}

result<std::int64_t> statement::run() {
  for (;;) {
    auto row = step();
    if (!row) return std::move(row).error();
    if (!*row) break;
  }
  const std::int64_t changed =
      sqlite3_stmt_readonly(prepared_) != 0 ? 0 : sqlite3_changes64(sqlite3_db_handle(prepared_));
  sqlite3_reset(prepared_);
  return changed;
}

// The pointer is asked for before the size: it may convert the value.
std::string_view statement::text(int column) const noexcept {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(prepared_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(prepared_, column))};
}
std::string_view statement::blob(int column) const noexcept {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(prepared_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(prepared_, column))};
}

connection::~connection() {
  kept_beside_.reset();
  for (const auto& [text, prepared] : kept_) sqlite3_finalize(prepared);
  // _v2: should a statement have been forgotten, the handle goes with it instead of staying open for good.
  sqlite3_close_v2(handle_);
}

result<sqlite3_stmt*> connection::compile(std::string_view sql, unsigned flags) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), flags, &prepared, nullptr);
  if (code != SQLITE_OK) return to_failure(handle_, code);
  if (prepared != nullptr) return prepared;
  return detail::make_failure(errc::invalid_argument, effect_kind::not_applied, failure_reason::none,
                              "there is no statement in this SQL");
}

result<statement> connection::prepare(std::string_view sql) {
  const auto found = kept_.find(sql.data());
  if (found != kept_.end()) {
    if (sql == sqlite3_sql(found->second)) return statement(found->second);
    sqlite3_finalize(found->second);
    kept_.erase(found);
  }
  if (kept_.size() >= kept_max) return prepare_once(sql);
  auto& kept = kept_[sql.data()];  // before there is something to lose
  auto prepared = compile(sql, SQLITE_PREPARE_PERSISTENT);
  if (!prepared) {
    kept_.erase(sql.data());
    return std::move(prepared).error();
  }
  kept = *prepared;
  return statement(*prepared);
}

result<statement> connection::prepare_once(std::string_view sql) {
  auto prepared = compile(sql, 0);
  if (!prepared) return std::move(prepared).error();
  return statement(*prepared, statement::after::finalized);
}

result<void> connection::execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return to_failure(handle_, code);
  return {};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
