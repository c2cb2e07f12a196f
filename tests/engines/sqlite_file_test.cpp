// Whose file is it? One owner at a time, one program, one version; and what is refused is left as it was.

#include "support/catch.hpp"
#include "support/numbered_rows.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/testing/eventually.hpp>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;
using support::numbered_rows_at;
using support::numbers_in;
using support::write_number;

namespace {

// What opening fails with; ends the test if it does not.
failure refusal_of(const sqlite::engine_options& options) {
  const auto opened = sqlite::open_engine(options);
  REQUIRE(!opened);
  CHECK(opened.error().effect == effect_kind::not_applied);
  return opened.error();
}

template <class Body>
pid_t start_child(const Body& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  if (!eventually(60s, [&] { return ::waitpid(child, &status, WNOHANG) == child; })) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void make_database(const std::filesystem::path& path, const char* sql) {
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &handle) == SQLITE_OK);
  REQUIRE(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(handle);
}

}  // namespace

TEST_CASE("a second owner is refused at once, in this process and in another", "[sqlite_file]") {
  const support::temporary_folder folder;
  const auto options = numbered_rows_at(folder / "rows.db");
  const auto first = sqlite::open_engine(options).value();
  CHECK(refusal_of(options).reason == failure_reason::owned_elsewhere);
  const pid_t child = start_child([&] {
    const auto began = std::chrono::steady_clock::now();
    const auto second = sqlite::open_engine(options);
    if (second || second.error().code != errc::unavailable) return 1;
    if (second.error().reason != failure_reason::owned_elsewhere) return 2;
    return std::chrono::steady_clock::now() - began < 1s ? 0 : 3;
  });
  CHECK(wait_for(child) == 0);
  // However it is named.
  std::filesystem::create_symlink(folder / "rows.db", folder / "alias.db");
  CHECK(refusal_of(numbered_rows_at(folder / "alias.db")).reason == failure_reason::owned_elsewhere);
  CHECK(refusal_of(numbered_rows_at(folder / "nothing/../rows.db")).reason == failure_reason::owned_elsewhere);
  CHECK(write_number(*first, 1));
}

TEST_CASE("a file is free again when its owner closes it, or is killed", "[sqlite_file]") {
  const support::temporary_folder folder;
  const auto options = numbered_rows_at(folder / "rows.db");
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = start_child([&] {
    const auto mine = sqlite::open_engine(options);
    if (!mine) return 1;
    for (int i = 1; i <= 20; ++i)
      if (!write_number(**mine, i)) return 2;
    if (::write(ready[1], "r", 1) != 1) return 3;
    ::pause();
    return 4;
  });
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(refusal_of(options).reason == failure_reason::owned_elsewhere);
  ::kill(child, SIGKILL);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  for (int round = 0; round < 2; ++round) {
    const auto next = sqlite::open_engine(options);
    REQUIRE(next);
    CHECK(numbers_in(**next).value().size() == 20);
    CHECK((*next)->check());
  }
  // Closed, it is one file: the log is gone.
  CHECK(!std::filesystem::exists(folder / "rows.db-wal"));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("a child by fork is refused, and its end does the parent no harm", "[sqlite_file]") {
  const support::temporary_folder folder;
  auto file = sqlite::open_engine(numbered_rows_at(folder / "rows.db")).value();
  REQUIRE(write_number(*file, 1));
  REQUIRE(numbers_in(*file));
  const pid_t child = start_child([&] {
    const auto written = write_number(*file, 2);
    if (written || written.error().reason != failure_reason::forked_child) return 1;
    const auto read = numbers_in(*file);
    if (read || read.error().reason != failure_reason::forked_child) return 2;
    file.reset();
    return 0;
  });
  CHECK(wait_for(child) == 0);
  REQUIRE(write_number(*file, 3));
  CHECK(numbers_in(*file).value() == std::set<std::int64_t>{1, 3});
  CHECK(file->check());
}

TEST_CASE("the file of another program is refused, and not touched", "[sqlite_file]") {
  const support::temporary_folder folder;
  const auto path = folder / "rows.db";
  const char* const sql = GENERATE("PRAGMA application_id = 78; CREATE TABLE theirs (a)", "CREATE TABLE theirs (a)",
                                   "PRAGMA journal_mode = WAL; PRAGMA application_id = 78; CREATE TABLE theirs (a)");
  make_database(path, sql);
  const auto before = support::read_file(path);
  CHECK(refusal_of(numbered_rows_at(path)).code == errc::unsupported);
  CHECK(support::read_file(path) == before);
  CHECK(!std::filesystem::exists(folder / "rows.db-wal"));
}

TEST_CASE("a file of a later version is refused, one of an earlier version is brought up to date", "[sqlite_file]") {
  const support::temporary_folder folder;
  auto options = numbered_rows_at(folder / "rows.db");
  auto later = options;
  later.steps.push_back("ALTER TABLE numbers ADD COLUMN more TEXT DEFAULT 'none'");
  REQUIRE(write_number(*sqlite::open_engine(options).value(), 1));
  {
    const auto file = sqlite::open_engine(later).value();
    CHECK(file->read([](sqlite::connection& on) { return on.execute("SELECT more FROM numbers"); }, {}));
    CHECK(numbers_in(*file).value().size() == 1);
  }
  CHECK(refusal_of(options).code == errc::unsupported);
  CHECK(sqlite::open_engine(later));
}

TEST_CASE("a step that fails leaves the version that was", "[sqlite_file]") {
  const support::temporary_folder folder;
  auto options = numbered_rows_at(folder / "rows.db");
  REQUIRE(write_number(*sqlite::open_engine(options).value(), 1));
  auto wrong = options;
  wrong.steps.push_back("CREATE TABLE second (a)");
  wrong.steps.push_back("this is no SQL");
  CHECK(refusal_of(wrong).code == errc::invalid_argument);
  const auto file = sqlite::open_engine(options).value();
  CHECK(numbers_in(*file).value().size() == 1);
  CHECK(!file->read([](sqlite::connection& on) { return on.execute("SELECT * FROM second"); }, {}));
}

TEST_CASE("what is no database is corruption, and left as it was", "[sqlite_file]") {
  const support::temporary_folder folder;
  const auto path = folder / "rows.db";
  const std::string text = GENERATE(as<std::string>{}, "x", "SQLite format 3", std::string(5000, 'z'));
  support::write_file(path, text);
  CHECK(refusal_of(numbered_rows_at(path)).code == errc::corruption);
  CHECK(support::read_file(path) == text);
}

TEST_CASE("an empty file is a fresh one", "[sqlite_file]") {
  const support::temporary_folder folder;
  support::write_file(folder / "rows.db", "");
  CHECK(write_number(*sqlite::open_engine(numbered_rows_at(folder / "rows.db")).value(), 1));
}

TEST_CASE("what the folder does not allow is said by name", "[sqlite_file]") {
  const support::temporary_folder folder;
  SECTION("no folder") {
    const auto why = refusal_of(numbered_rows_at(folder / "none/rows.db"));
    CHECK(why.code == errc::not_found);
    CHECK(why.reason == failure_reason::path);
    CHECK(why.native_code == ENOENT);
  }
  SECTION("a folder in its place") {
    std::filesystem::create_directory(folder / "rows.db");
    CHECK(refusal_of(numbered_rows_at(folder / "rows.db")).code == errc::permission_denied);
  }
  SECTION("a folder below a file") {
    support::write_file(folder / "file", "text");
    CHECK(refusal_of(numbered_rows_at(folder / "file/rows.db")).code == errc::invalid_argument);
  }
  SECTION("a lock that is a symbolic link") {
    std::filesystem::create_symlink(folder / "elsewhere", folder / "rows.db-lock");
    CHECK(refusal_of(numbered_rows_at(folder / "rows.db")).code == errc::permission_denied);
    CHECK(!std::filesystem::exists(folder / "elsewhere"));
  }
  SECTION("a folder that may only be read") {
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
    const pid_t child = start_child([&] {
      if (::geteuid() == 0 && ::setuid(65'534) != 0) return 1;  // root may write everywhere
      const auto opened = sqlite::open_engine(numbered_rows_at(folder / "rows.db"));
      return !opened && opened.error().code == errc::permission_denied ? 0 : 2;
    });
    CHECK(wait_for(child) == 0);
    std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
  }
}

TEST_CASE("a file is its owner's alone", "[sqlite_file]") {
  const support::temporary_folder folder;
  const auto file = sqlite::open_engine(numbered_rows_at(folder / "rows.db")).value();
  REQUIRE(write_number(*file, 1));
  for (const char* name : {"rows.db", "rows.db-lock", "rows.db-wal"}) {
    struct stat found {};
    REQUIRE(::stat((folder / name).c_str(), &found) == 0);
    CHECK((found.st_mode & 0777U) == 0600U);
  }
}

TEST_CASE("options outside their bounds are named", "[sqlite_file]") {
  auto options = numbered_rows_at({});
  SECTION("readers_max") { options.file.readers_max = 65; }
  SECTION("cache_kib") { options.file.cache_kib = 63; }
  SECTION("durability") {
    options.file.path = "rows.db";
    options.file.durability = durability_level::memory;
  }
  CHECK_THROWS_AS(sqlite::open_engine(options), std::invalid_argument);
}
