// The system's locks are taken once for all connections of an engine, and still tell other programs what they must not
// touch, and us what they are reading.

#include "support/catch.hpp"
#include "support/numbered_rows.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace dormouse;
using support::numbers_in;
using support::write_number;

namespace {

// The system's VFS, whose locks of logs are counted. One at a time.
class counting_vfs {
 public:
  static constexpr const char* name = "dormouse-test-counting";
  counting_vfs() {
    count() = 0;
    vfs_ = *sqlite3_vfs_find(nullptr);
    vfs_.zName = name;
    vfs_.xOpen = &open;
    sqlite3_vfs_register(&vfs_, 0);
  }
  counting_vfs(const counting_vfs&) = delete;
  counting_vfs& operator=(const counting_vfs&) = delete;
  ~counting_vfs() { sqlite3_vfs_unregister(&vfs_); }
  static std::atomic<int>& count() {
    static std::atomic<int> calls{0};
    return calls;
  }

 private:
  static int open(sqlite3_vfs* self, const char* path, sqlite3_file* file, int flags, int* given) {
    const int code = sqlite3_vfs_find(nullptr)->xOpen(self, path, file, flags, given);
    if (code != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0) return code;
    static const sqlite3_io_methods systems = *file->pMethods;
    static const sqlite3_io_methods counted = [] {
      sqlite3_io_methods made = systems;
      made.xShmLock = [](sqlite3_file* at, int first, int many, int how) {
        ++count();
        return systems.xShmLock(at, first, many, how);
      };
      return made;
    }();
    file->pMethods = &counted;
    return SQLITE_OK;
  }
  sqlite3_vfs vfs_{};
};

// A shell of SQLite's, or a backup: somebody who has the file open by SQLite's own rules.
class other_program {
 public:
  explicit other_program(const std::filesystem::path& path) {
    REQUIRE(sqlite3_open(path.c_str(), &handle_) == SQLITE_OK);
  }
  other_program(const other_program&) = delete;
  other_program& operator=(const other_program&) = delete;
  ~other_program() { sqlite3_close(handle_); }

  int run(const char* sql) { return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); }
  int count() { return number("SELECT count(*) FROM numbers"); }
  // 1: somebody was in the way.
  int checkpoint() { return number("PRAGMA wal_checkpoint(TRUNCATE)"); }

 private:
  int number(const char* sql) {
    sqlite3_stmt* asked = nullptr;
    REQUIRE(sqlite3_prepare_v2(handle_, sql, -1, &asked, nullptr) == SQLITE_OK);
    const int found = sqlite3_step(asked) == SQLITE_ROW ? sqlite3_column_int(asked, 0) : -1;
    sqlite3_finalize(asked);
    return found;
  }
  sqlite3* handle_ = nullptr;
};

struct scene {
  explicit scene(std::string vfs = {}) {
    auto options = support::numbered_rows_at(path);
    options.vfs = std::move(vfs);
    options.file.durability = durability_level::process;
    file = sqlite::open_engine(options).value();
  }
  void write(std::int64_t first, std::int64_t end) {
    for (; first < end; ++first) CHECK(write_number(*file, first));
  }
  support::temporary_folder folder{};
  std::filesystem::path path = folder / "rows.db";
  std::shared_ptr<sqlite::engine> file{};
};

}  // namespace

TEST_CASE("a read among reads asks the system for no lock", "[shared_locks]") {
  const counting_vfs vfs;
  scene here(counting_vfs::name);
  here.write(1, 4);
  CHECK(numbers_in(*here.file).value().size() == 3);
  const int before = counting_vfs::count();
  REQUIRE(before > 0);  // it counts
  for (int i = 0; i < 100; ++i) CHECK(numbers_in(*here.file).value().size() == 3);
  CHECK(counting_vfs::count() == before);
}

TEST_CASE("what another program reads stays as it was while we write and checkpoint", "[shared_locks]") {
  scene here;
  here.write(0, 3);
  other_program other(here.path);
  REQUIRE(other.run("BEGIN") == SQLITE_OK);
  REQUIRE(other.count() == 3);
  here.write(3, 2'500);  // more than one checkpoint
  CHECK(other.count() == 3);
  CHECK(other.run("PRAGMA integrity_check") == SQLITE_OK);
  REQUIRE(other.run("COMMIT") == SQLITE_OK);
  CHECK(other.count() == 2'500);
  CHECK(here.file->check());
}

TEST_CASE("what we read stays as it was while we write, checkpoint and begin the log anew", "[shared_locks]") {
  scene here;
  here.write(0, 2'000);
  std::int64_t first = -1;
  std::int64_t counted = 0;
  const auto number = [](sqlite::connection& on, const char* sql, std::int64_t& into) -> result<void> {
    auto asked = on.prepare(sql);
    if (!asked) return asked.error();
    auto row = asked->step();
    if (!row) return row.error();
    into = asked->int64(0);
    return {};
  };
  const auto read = here.file->read(
      [&](sqlite::connection& on) {
        // Begins the read, and leaves most pages to be fetched later.
        auto done = number(on, "SELECT number FROM numbers ORDER BY number LIMIT 1", first);
        std::thread([&] {
          for (std::int64_t row = 2'000; row < 5'000; ++row) static_cast<void>(write_number(*here.file, row));
        }).join();
        return done ? number(on, "SELECT count(filling) FROM numbers", counted) : done;
      },
      {});
  CHECK(read);
  CHECK(first == 0);
  CHECK(counted == 2'000);
  CHECK(numbers_in(*here.file).value().size() == 5'000);
  CHECK(here.file->check());
}

TEST_CASE("marks that were read by do not keep the log from beginning anew", "[shared_locks]") {
  scene here;
  std::uintmax_t longest = 0;
  for (std::int64_t number = 0; number < 6'000; ++number) {
    CHECK(write_number(*here.file, number));
    if (number % 50 == 0) CHECK(numbers_in(*here.file));
    longest = std::max(longest, std::filesystem::file_size(here.path.string() + "-wal"));
  }
  CHECK(longest < 12'000'000);  // three times what is in it when it is checkpointed; all of it would be 25
}

TEST_CASE("another program's checkpoint leaves what we are reading", "[shared_locks]") {
  scene here;
  here.write(0, 100);
  other_program other(here.path);
  const auto read = here.file->read(
      [&](sqlite::connection& on) -> result<void> {
        auto all = on.prepare("SELECT count(*) FROM numbers");
        if (!all || !all->step()) return all.error();
        CHECK(all->int64(0) == 100);
        CHECK(other.run("INSERT INTO numbers VALUES (1000, '')") == SQLITE_OK);
        CHECK(other.checkpoint() == 1);
        all->reset();
        if (!all->step()) return {};
        CHECK(all->int64(0) == 100);
        return {};
      },
      {});
  CHECK(read);
  CHECK(numbers_in(*here.file).value().size() == 101);
  here.write(100, 110);  // moves the mark
  CHECK(other.count() == 111);
  CHECK(here.file->check());
}

TEST_CASE("readers, a writer that begins the log anew and another program see each other's commits", "[shared_locks]") {
  scene here;
  other_program other(here.path);
  std::atomic<bool> ending{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      std::size_t seen = 0;
      while (!ending) {
        const auto found = numbers_in(*here.file);
        if (!found || found->size() < seen) ++wrong;
        if (found) seen = found->size();
      }
    });
  }
  constexpr int rows = 1'500;
  for (int number = 0; number < rows; ++number) {
    CHECK(write_number(*here.file, number));
    if (number % 100 == 0) CHECK(other.count() == number + 1);
    if (number % 250 == 0) CHECK(other.checkpoint() >= 0);
  }
  ending = true;
  for (auto& each : readers) each.join();
  CHECK(wrong == 0);
  CHECK(numbers_in(*here.file).value().size() == rows);
  CHECK(here.file->check());
}
