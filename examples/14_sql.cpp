// SPDX-License-Identifier: MIT
// A service without any function: SQL in one file, with a schema that grows, typed rows and a transaction that is tried
// again by itself when it loses a race.

#include <dormouse/adapters/sqlite.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

using dormouse::errc;
using dormouse::failure;
using dormouse::result;

// Released steps are never changed; the next one gets the next number.
const std::vector<dormouse::migration> history{
    {1, "accounts", "CREATE TABLE accounts (owner TEXT PRIMARY KEY, amount BIGINT NOT NULL CHECK (amount >= 0))"},
    {2, "currency", "ALTER TABLE accounts ADD COLUMN currency TEXT NOT NULL DEFAULT 'EUR'"},
};

result<void> move_money(dormouse::database& bank, const std::string& from, const std::string& to, std::int64_t amount) {
  return retry_transaction(bank, [&](dormouse::transaction& open) -> result<void> {
    const std::string sql = "UPDATE accounts SET amount = amount + ? WHERE owner = ?";
    for (const auto& each : {dormouse::sql_parameters{-amount, from}, dormouse::sql_parameters{amount, to}}) {
      const auto changed = open.execute(sql, each);
      if (!changed) return changed.error();
      if (changed->rows_changed != 1) return failure{.code = errc::not_found, .detail = "no such account"};
    }
    return {};
  });
}

// It knows no adapter.
result<void> use(dormouse::database& bank) {
  const auto version = bank.migrate(history);
  if (!version) return version.error();
  fmt::print("the schema has version {}\n", *version);

  // Values are bound, never pasted into the SQL.
  const auto filled = bank.execute_many("INSERT INTO accounts (owner, amount) VALUES (?, ?)",
                                        {{"Ann", 100}, {"Bob", 0}, {"Robert'); DROP TABLE accounts; --", 7}});
  if (!filled) return filled.error();

  if (auto moved = move_money(bank, "Ann", "Bob", 30); !moved) return moved;
  const auto overdrawn = move_money(bank, "Bob", "Ann", 31);
  if (overdrawn) return failure{.code = errc::internal, .detail = "an account was overdrawn"};
  fmt::print("{}\n", to_string(overdrawn.error()));

  const auto rich = bank.query("SELECT owner, amount, currency FROM accounts WHERE amount > ? ORDER BY owner", {5});
  if (!rich) return rich.error();
  for (const auto& row : rich->rows) {
    const auto columns = row.as<std::string, std::int64_t, std::string>();
    if (!columns) return columns.error();
    const auto& [owner, amount, currency] = *columns;
    fmt::print("{} has {} {}\n", owner, amount, currency);
  }
  return {};
}

int main() {
  const auto file = dormouse::open_sqlite_file({});  // in memory; {.path = "bank.db"} keeps it
  if (!file) return fmt::print("{}\n", to_string(file.error())), 1;
  const auto bank = dormouse::open_sqlite_database(*file);
  if (!bank) return fmt::print("{}\n", to_string(bank.error())), 1;
  const auto used = use(**bank);
  if (!used) fmt::print("{}\n", to_string(used.error()));
  return used ? 0 : 1;
}
