// SPDX-License-Identifier: MIT
#include <dormouse/adapters/sqlite_file.hpp>

int main() {
  const auto file = dormouse::open_sqlite_file({});
  return file && dormouse::check_sqlite_file(**file) ? 0 : 1;
}
