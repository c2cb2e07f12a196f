// A disk that refuses: which failure a caller sees, what is still there, and what works afterwards.

#include "support/catch.hpp"
#include "support/faulty_vfs.hpp"
#include "support/numbered_rows.hpp"
#include "support/temporary_folder.hpp"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

using namespace dormouse;
using support::faulty_vfs;
using support::numbers_in;
using support::write_number;

namespace {

struct scene {
  scene() {
    options.vfs = faulty_vfs::name;
    file = sqlite::open_engine(options).value();
    REQUIRE(write_number(*file, 1));
  }
  // What the next program finds, on a disk that works.
  std::set<std::int64_t> found_later() {
    file.reset();
    options.vfs.clear();
    const auto next = sqlite::open_engine(options).value();
    CHECK(next->check());
    return numbers_in(*next).value();
  }
  support::temporary_folder folder{};
  faulty_vfs disk{};
  sqlite::engine_options options = support::numbered_rows_at(folder / "rows.db");
  std::shared_ptr<sqlite::engine> file{};
};

}  // namespace

TEST_CASE("a sync that fails is the end of writing, and not of reading", "[storage]") {
  scene here;
  here.disk.fail(faulty_vfs::fault::sync_fails, 1);
  const auto lost = write_number(*here.file, 2);
  REQUIRE(here.disk.fired() == 1);
  REQUIRE(!lost);
  CHECK(lost.error().code == errc::unavailable);
  CHECK(lost.error().effect == effect_kind::unknown);
  CHECK(lost.error().native_code == SQLITE_IOERR_FSYNC);
  const auto later = write_number(*here.file, 3);
  REQUIRE(!later);
  CHECK(later.error().code == errc::unavailable);
  CHECK(later.error().effect == effect_kind::not_applied);
  const auto alone = here.file->begin({}, std::chrono::minutes(1));
  REQUIRE(!alone);
  CHECK(alone.error().code == errc::unavailable);
  CHECK(numbers_in(*here.file).value() == std::set<std::int64_t>{1});
  const auto found = here.found_later();
  CHECK(found.contains(1));
  CHECK(!found.contains(3));
}

TEST_CASE("a write of a commit that fails is the end of writing as well", "[storage]") {
  scene here;
  here.disk.fail(GENERATE(faulty_vfs::fault::write_fails, faulty_vfs::fault::write_is_short), 1);
  const auto lost = write_number(*here.file, 2);
  REQUIRE(here.disk.fired() == 1);
  REQUIRE(!lost);
  CHECK(lost.error().effect == effect_kind::unknown);
  const auto later = write_number(*here.file, 3);
  REQUIRE(!later);
  CHECK(later.error().code == errc::unavailable);
  CHECK(here.found_later() == std::set<std::int64_t>{1});
}

TEST_CASE("a sync that fails in a checkpoint ends writing before the log is given up", "[storage]") {
  scene here;
  // The log is synced by each commit, the file by the checkpoint alone.
  here.disk.fail(faulty_vfs::fault::sync_fails, 1, false, "rows.db");
  std::int64_t number = 1;
  result<void> last;
  const auto add_large = [&](sqlite::connection& on) {
    return support::run(on, "INSERT INTO numbers VALUES (?, zeroblob(200000))", number);
  };
  while (last && number < 100) {
    ++number;
    last = here.file->write(add_large, {});
  }
  REQUIRE(here.disk.fired() == 1);
  REQUIRE(!last);
  CHECK(last.error().code == errc::unavailable);
  CHECK(last.error().effect == effect_kind::not_applied);
  const auto found = here.found_later();
  CHECK(found.size() == static_cast<std::size_t>(number - 1));
}

TEST_CASE("a full disk fails what does not fit, keeps the rest, and later writes succeed", "[storage]") {
  scene here;
  const bool alone = GENERATE(false, true);
  here.disk.fail(faulty_vfs::fault::disk_is_full, 1, true);
  result<void> refused;
  if (alone) {
    auto open = here.file->begin({}, std::chrono::minutes(1)).value();
    REQUIRE(open->use([](sqlite::connection& on) { return support::add(on, 2); }));
    refused = open->commit();
  } else {
    refused = write_number(*here.file, 2);
  }
  REQUIRE(here.disk.fired() >= 1);
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::limit_exceeded);
  CHECK(refused.error().reason == failure_reason::store_full);
  CHECK(refused.error().effect == effect_kind::not_applied);
  CHECK(numbers_in(*here.file).value() == std::set<std::int64_t>{1});
  here.disk.heal();
  CHECK(write_number(*here.file, 3));
  CHECK(here.found_later() == std::set<std::int64_t>{1, 3});
}

TEST_CASE("whoever shares a commit that fails is told so, and nobody of success", "[storage]") {
  const auto kind = GENERATE(faulty_vfs::fault::disk_is_full, faulty_vfs::fault::sync_fails);
  scene here;
  constexpr int threads = 8;
  here.disk.fail(kind, 20);
  std::vector<std::vector<std::int64_t>> told(threads);
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> writers;
    for (int thread = 0; thread < threads; ++thread)
      writers.emplace_back([&, thread] {
        for (int i = 0; i < 40; ++i) {
          const std::int64_t number = 100 + thread * 100 + i;
          if (write_number(*here.file, number)) {
            told[static_cast<std::size_t>(thread)].push_back(number);
          } else {
            ++failed;
          }
        }
      });
  }
  REQUIRE(here.disk.fired() == 1);
  CHECK(failed > 0);
  const auto found = here.found_later();
  std::size_t missing = 0;
  for (const auto& each : told)
    for (const std::int64_t number : each) missing += found.contains(number) ? 0U : 1U;
  CHECK(missing == 0);
}

TEST_CASE("a transaction too large for the cache that the disk has no room for is undone whole", "[storage]") {
  scene here;
  here.disk.fail(faulty_vfs::fault::disk_is_full, 50, true);
  const auto refused = here.file->write(
      [](sqlite::connection& on) {
        return on.execute(
            "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
            " INSERT INTO numbers SELECT i, printf('%.*c', 2000, 'x') FROM n");
      },
      {});
  REQUIRE(here.disk.fired() >= 1);
  REQUIRE(!refused);
  CHECK(refused.error().reason == failure_reason::store_full);
  CHECK(refused.error().effect == effect_kind::not_applied);
  here.disk.heal();
  CHECK(write_number(*here.file, 30'000));
  CHECK(here.found_later() == std::set<std::int64_t>{1, 30'000});
}
