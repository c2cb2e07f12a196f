// SPDX-License-Identifier: MIT
#pragma once

// One connection to a SQLite file and its prepared statements. Used by one thread at a time. Knows no service.

#include <dormouse/result.hpp>

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

// What a result code of SQLite's means for a caller who was about to change something, or was reading. `effect` is what
// is known when the statement did not succeed. Text: SQLite's own, without values.
failure to_failure(sqlite3* handle, int code, effect_kind effect = effect_kind::not_applied) noexcept;
// The same of an error number of the system's; `what` goes before its text.
failure to_failure_of_system(int error, std::string_view what) noexcept;

// A prepared statement for one use: reset, and its parameters cleared, at the end of its scope.
class statement {
 public:
  enum class after : std::uint8_t { kept, finalized };
  explicit statement(sqlite3_stmt* prepared, after use = after::kept) noexcept : prepared_(prepared), after_(use) {}
  statement(statement&& other) noexcept
      : prepared_(std::exchange(other.prepared_, nullptr)), bind_error_(other.bind_error_), after_(other.after_) {}
  statement(const statement&) = delete;
  statement& operator=(const statement&) = delete;
  ~statement();

  // Parameters count from 1. Texts and blobs are not copied: they must stay until the next step() or bind().
  statement& bind(int at, std::int64_t value);
  statement& bind(int at, double value);
  statement& bind_text(int at, std::string_view value);
  statement& bind_blob(int at, std::string_view value);
  statement& bind_null(int at);
  // True: there is a row. Fails as to_failure(); a bind that failed fails here.
  result<bool> step();
  // To its end, without rows. The number of rows it changed, if it is an insert, update or delete.
  result<std::int64_t> run();
  // For another run with other parameters.
  void reset() noexcept;

  // Columns count from 0; views live until the next step().
  [[nodiscard]] std::int64_t int64(int column) const noexcept { return sqlite3_column_int64(prepared_, column); }
  [[nodiscard]] double number(int column) const noexcept { return sqlite3_column_double(prepared_, column); }
  [[nodiscard]] std::string_view text(int column) const noexcept;
  [[nodiscard]] std::string_view blob(int column) const noexcept;
  [[nodiscard]] bool is_null(int column) const noexcept {
    return sqlite3_column_type(prepared_, column) == SQLITE_NULL;
  }
  [[nodiscard]] sqlite3_stmt* handle() const noexcept { return prepared_; }

 private:
  statement& noted(int code) noexcept;
  sqlite3_stmt* prepared_;
  int bind_error_ = SQLITE_OK;
  after after_;
};

class connection {
 public:
  // Takes the handle over.
  explicit connection(sqlite3* handle) noexcept : handle_(handle) {}
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();

  // The statement of this text, prepared once and kept: found by the text's address, so meant for literals, then
  // compared, so another text at the address of one that is gone is no harm. Not two of the same text at once.
  result<statement> prepare(std::string_view sql);
  // For a text that comes once: nothing is kept.
  result<statement> prepare_once(std::string_view sql);
  // Statements without parameters or rows.
  result<void> execute(const char* sql);
  [[nodiscard]] sqlite3* handle() const noexcept { return handle_; }
  [[nodiscard]] bool in_transaction() const noexcept { return sqlite3_get_autocommit(handle_) == 0; }
  // What an adapter keeps with this connection: gone before it is closed.
  [[nodiscard]] std::shared_ptr<void>& kept_beside() noexcept { return kept_beside_; }

 private:
  static constexpr std::size_t kept_max = 512;  // further ones are prepared for each use
  result<sqlite3_stmt*> compile(std::string_view sql, unsigned flags);

  sqlite3* handle_;
  std::unordered_map<const char*, sqlite3_stmt*> kept_{};  // by the address of their text
  std::shared_ptr<void> kept_beside_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
