// The writing connection for one caller alone: what users' transactions are made of.

#include "support/catch.hpp"
#include "support/numbered_rows.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;
using support::add;
using support::numbers_in;
using support::write_number;

namespace {

struct scene {
  explicit scene(const dormouse::clock* time = nullptr) {
    auto options = support::numbered_rows_at(folder / "rows.db");
    options.file.time = time;
    file = sqlite::open_engine(options).value();
  }
  result<void> add_in(sqlite::exclusive_write& open, std::int64_t number) {
    return open.use([&](sqlite::connection& on) { return add(on, number); });
  }
  support::temporary_folder folder{};
  std::shared_ptr<sqlite::engine> file{};
};

}  // namespace

TEST_CASE("what one caller wrote alone is there after commit(), and not without", "[sqlite_exclusive]") {
  scene here;
  {
    auto open = here.file->begin({}, 1min).value();
    REQUIRE(here.add_in(*open, 1));
    CHECK(numbers_in(*here.file).value().empty());
    REQUIRE(here.add_in(*open, 2));
    REQUIRE(open->commit());
    CHECK(here.add_in(*open, 3).error().code == errc::expired);
    CHECK(open->commit().error().code == errc::expired);
  }
  {
    auto open = here.file->begin({}, 1min).value();
    REQUIRE(here.add_in(*open, 4));
  }
  REQUIRE(write_number(*here.file, 5));
  CHECK(numbers_in(*here.file).value() == std::set<std::int64_t>{1, 2, 5});
}

TEST_CASE("a failed statement leaves the transaction open, and a deferred key fails its commit", "[sqlite_exclusive]") {
  scene here;
  REQUIRE(here.file->write(
      [](sqlite::connection& on) {
        return on.execute("CREATE TABLE child (of INTEGER REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)");
      },
      {}));
  auto open = here.file->begin({}, 1min).value();
  REQUIRE(here.add_in(*open, 1));
  CHECK(here.add_in(*open, 1).error().code == errc::already_exists);
  REQUIRE(here.add_in(*open, 2));
  REQUIRE(open->use([](sqlite::connection& on) { return support::run(on, "INSERT INTO child VALUES (?)", 404); }));
  const auto committed = open->commit();
  REQUIRE(!committed);
  CHECK(committed.error().code == errc::invalid_argument);
  CHECK(committed.error().effect == effect_kind::not_applied);
  CHECK(numbers_in(*here.file).value().empty());
  CHECK(write_number(*here.file, 3));
}

TEST_CASE("others wait while one writes alone, and go on when it has ended", "[sqlite_exclusive]") {
  scene here;
  auto open = here.file->begin({}, 1min).value();
  std::atomic<int> done{0};
  std::atomic<int> started{0};
  std::vector<std::jthread> others;
  for (int i = 0; i < 4; ++i)
    others.emplace_back([&, i] {
      ++started;
      if (i == 2) {
        auto mine = here.file->begin({}, 1min);
        if (mine && here.add_in(**mine, 10 + i) && (*mine)->commit()) ++done;
      } else if (write_number(*here.file, 10 + i)) {
        ++done;
      }
    });
  REQUIRE(eventually(10s, [&] { return started == 4; }));
  REQUIRE(here.add_in(*open, 1));
  CHECK(done == 0);
  REQUIRE(open->commit());
  others.clear();
  CHECK(done == 4);
  CHECK(numbers_in(*here.file).value() == std::set<std::int64_t>{1, 10, 11, 12, 13});
}

TEST_CASE("who rests for too long is rolled back by whoever waits, and by nobody else", "[sqlite_exclusive]") {
  testing::manual_clock time;
  scene here(&time);
  auto open = here.file->begin({}, 1min).value();
  REQUIRE(here.add_in(*open, 1));
  time.advance(2min);
  SECTION("nobody waits") {
    CHECK(here.add_in(*open, 2));
    CHECK(open->commit());
    CHECK(numbers_in(*here.file).value() == std::set<std::int64_t>{1, 2});
  }
  SECTION("one who comes later") {
    REQUIRE(write_number(*here.file, 3));
    CHECK(here.add_in(*open, 2).error().code == errc::expired);
    CHECK(open->commit().error().code == errc::expired);
    CHECK(numbers_in(*here.file).value() == std::set<std::int64_t>{3});
  }
  SECTION("one who was waiting already, after another use") {
    REQUIRE(here.add_in(*open, 2));
    std::atomic<bool> written{false};
    std::jthread waiting([&] { written = write_number(*here.file, 3).has_value(); });
    REQUIRE(eventually(10s, [&] {
      time.advance(10s);
      return written.load();
    }));
    CHECK(open->commit().error().code == errc::expired);
    CHECK(numbers_in(*here.file).value() == std::set<std::int64_t>{3});
  }
}

TEST_CASE("with the system's clock as well, who waits rolls back who rests", "[sqlite_exclusive]") {
  scene here;
  auto open = here.file->begin({}, 5ms).value();
  REQUIRE(here.add_in(*open, 1));
  CHECK(write_number(*here.file, 2));
  CHECK(open->commit().error().code == errc::expired);
  CHECK(numbers_in(*here.file).value() == std::set<std::int64_t>{2});
}

TEST_CASE("the wait for the right to write alone ends at its deadline", "[sqlite_exclusive]") {
  scene here;
  auto open = here.file->begin({}, 1min).value();
  const auto second = here.file->begin(here.file->time().now() + 5ms, 1min);
  REQUIRE(!second);
  CHECK(second.error().code == errc::deadline_exceeded);
  CHECK(second.error().effect == effect_kind::not_applied);
}

// Who was told while it was just about to look was once left waiting for ever.
TEST_CASE("eight threads write alone or together in turns, again and again, and none is forgotten",
          "[sqlite_exclusive]") {
  auto options = support::numbered_rows_at({});
  const auto file = sqlite::open_engine(options).value();  // in memory: turns change as fast as they can
  constexpr int threads = 8;
  constexpr int rounds = 300;
  std::atomic<int> failed{0};
  std::vector<std::thread> all;
  for (int who = 0; who < threads; ++who) {
    all.emplace_back([&, who] {
      for (int i = 0; i < rounds; ++i) {
        const std::int64_t number = who * rounds + i;
        if (i % 3 == 2) {
          failed += write_number(*file, number) ? 0 : 1;
          continue;
        }
        auto open = file->begin({}, 1min);
        const bool done =
            open && (*open)->use([&](sqlite::connection& on) { return add(on, number); }) && (*open)->commit();
        failed += done ? 0 : 1;
      }
    });
  }
  for (auto& each : all) each.join();
  CHECK(failed == 0);
  CHECK(numbers_in(*file).value().size() == threads * rounds);
}
