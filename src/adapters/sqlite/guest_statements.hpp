// SPDX-License-Identifier: MIT
#pragma once

// The statements of users on one connection: compiled under their rules, and the last ones kept, found by their text.

#include <dormouse/result.hpp>
#include <dormouse/services/sql_value.hpp>

#include "engines/sqlite/connection.hpp"
#include "guest_rules.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

class guest_statements;

// One of them, for one use, under the rules. Not two at once on a connection.
class guest_statement {
 public:
  guest_statement(guest_statements& owner, std::string text, sqlite3_stmt* prepared);
  ~guest_statement();
  guest_statement(const guest_statement&) = delete;
  guest_statement& operator=(const guest_statement&) = delete;

  [[nodiscard]] bool only_reads() const noexcept { return sqlite3_stmt_readonly(running_.handle()) != 0; }
  // `values` must stay until the last step.
  result<void> bind(const sql_parameters& values);
  result<bool> step();
  [[nodiscard]] std::shared_ptr<const std::vector<std::string>> names() const;
  [[nodiscard]] std::vector<sql_value> row() const;

 private:
  void bind(int at, const sql_value& value);
  [[nodiscard]] sql_value column(int at) const;

  guest_statements& owner_;
  std::string text_;  // empty: is not kept
  sqlite3_stmt* prepared_;
  statement running_;
  guest_rules::in_force rules_;
};

class guest_statements {
 public:
  static constexpr std::size_t kept_max = 64;
  static constexpr std::size_t kept_text_bytes_max = 16 * 1'024;

  explicit guest_statements(sqlite3* handle) noexcept : handle_(handle), rules_(handle) {}
  ~guest_statements();
  guest_statements(const guest_statements&) = delete;
  guest_statements& operator=(const guest_statements&) = delete;

  // Those of `on`; made when they are first asked for.
  static guest_statements& of(connection& on);
  // Calls `use` with the statement that `sql` is. Fails: invalid_argument (none, several, or not SQL),
  // permission_denied, unsupported.
  template <class F>
  result<void> with(std::string_view sql, F&& use) {
    auto found = find(sql);
    if (!found) return std::move(found).error();
    guest_statement one(*this, std::move(found->text), found->prepared);
    return use(one);
  }
  // One statement after the other.
  result<void> script(std::string_view sql);
  [[nodiscard]] std::size_t kept() const noexcept { return by_text_.size(); }

 private:
  friend class guest_statement;
  struct entry {
    std::string text;
    sqlite3_stmt* prepared;
  };
  result<entry> find(std::string_view sql);
  result<sqlite3_stmt*> compile(std::string_view& sql, unsigned flags);
  void keep(std::string text, sqlite3_stmt* prepared) noexcept;

  sqlite3* handle_;
  guest_rules rules_;
  std::list<entry> kept_{};  // the one used last is the first
  std::unordered_map<std::string_view, std::list<entry>::iterator> by_text_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
