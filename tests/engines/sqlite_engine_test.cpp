// Writing and reading through the engine: who shares a commit, and what becomes of a piece of it that fails.

#include "support/catch.hpp"
#include "support/numbered_rows.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;
using support::add;
using support::numbers_in;
using support::write_number;

namespace {

// The engine under its own roof.
struct scene {
  explicit scene(const dormouse::clock* time = nullptr, std::size_t readers_max = 8) {
    auto options = support::numbered_rows_at(folder / "rows.db");
    options.file.time = time;
    options.file.readers_max = readers_max;
    file = sqlite::open_engine(options).value();
  }
  support::temporary_folder folder{};
  std::shared_ptr<sqlite::engine> file{};
};

// Lets others come to a place, and holds them there until told.
class barrier_once {
 public:
  void pass() {
    reached_ = true;
    open_.wait(false);
  }
  [[nodiscard]] bool reached() const { return reached_; }
  void open() {
    open_ = true;
    open_.notify_all();
  }

 private:
  std::atomic<bool> reached_{false};
  std::atomic<bool> open_{false};
};

failure refusal() {
  return {.code = errc::condition_failed, .effect = effect_kind::not_applied, .detail = "not this one"};
}

}  // namespace

TEST_CASE("eight threads lose no row and share their commits", "[sqlite_engine]") {
  scene here;
  constexpr int threads = 8;
  constexpr int each = 50;
  const auto before = here.file->commits();
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> writers;
    for (int thread = 0; thread < threads; ++thread)
      writers.emplace_back([&, thread] {
        for (int i = 0; i < each; ++i)
          if (!write_number(*here.file, thread * each + i)) ++failed;
      });
  }
  CHECK(failed == 0);
  CHECK(numbers_in(*here.file).value().size() == threads * each);
  CHECK(here.file->commits() - before < threads * each / 2);
  CHECK(here.file->check());
}

TEST_CASE("pieces that wait together are committed together, and those that fail are undone alone", "[sqlite_engine]") {
  scene here;
  const auto before = here.file->commits();
  barrier_once gate;
  std::vector<std::optional<result<void>>> outcomes(6);
  std::atomic<int> thrown{0};
  {
    std::jthread first([&] {
      outcomes[0] = here.file->write(
          [&](sqlite::connection& on) {
            gate.pass();
            return add(on, 0);
          },
          {});
    });
    REQUIRE(eventually(10s, [&] { return gate.reached(); }));
    std::vector<std::jthread> others;
    std::atomic<int> started{0};
    for (int i = 1; i < 6; ++i)
      others.emplace_back([&, i] {
        ++started;
        try {
          outcomes[static_cast<std::size_t>(i)] = here.file->write(
              [&](sqlite::connection& on) -> result<void> {
                auto done = add(on, i);
                if (i == 2) return refusal();
                if (i == 3) throw std::runtime_error("a bug of the caller's");
                if (i == 4) return add(on, i);  // a second time
                return done;
              },
              {});
        } catch (const std::runtime_error&) {
          ++thrown;
        }
      });
    REQUIRE(eventually(10s, [&] { return started == 5; }));
    gate.open();
  }
  CHECK(thrown == 1);
  CHECK(outcomes[0]->has_value());
  CHECK(outcomes[1]->has_value());
  CHECK(outcomes[2]->error() == refusal());
  CHECK(outcomes[4]->error().code == errc::already_exists);
  CHECK(outcomes[4]->error().effect == effect_kind::not_applied);
  CHECK(outcomes[5]->has_value());
  CHECK(numbers_in(*here.file).value() == std::set<std::int64_t>{0, 1, 5});
  CHECK(here.file->commits() - before <= 3);
}

TEST_CASE("a lone piece that fails or throws leaves nothing, and nothing open", "[sqlite_engine]") {
  scene here;
  CHECK(here.file
            ->write(
                [&](sqlite::connection& on) -> result<void> {
                  if (auto done = add(on, 1); !done) return done;
                  return refusal();
                },
                {})
            .error() == refusal());
  CHECK_THROWS_AS(here.file->write(
                      [&](sqlite::connection& on) -> result<void> {
                        if (auto done = add(on, 2); !done) return done;
                        throw std::runtime_error("a bug of the caller's");
                      },
                      {}),
                  std::runtime_error);
  REQUIRE(write_number(*here.file, 3));
  CHECK(numbers_in(*here.file).value() == std::set<std::int64_t>{3});
}

TEST_CASE("a foreign key that is checked late fails the piece that broke it, not the commit of all",
          "[sqlite_engine]") {
  scene here;
  REQUIRE(here.file->write(
      [](sqlite::connection& on) {
        return on.execute("CREATE TABLE child (of INTEGER REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)");
      },
      {}));
  barrier_once gate;
  result<void> innocent;
  result<void> orphan;
  {
    std::jthread first([&] {
      innocent = here.file->write(
          [&](sqlite::connection& on) {
            gate.pass();
            return add(on, 1);
          },
          {});
    });
    REQUIRE(eventually(10s, [&] { return gate.reached(); }));
    std::atomic<bool> started{false};
    std::jthread second([&] {
      started = true;
      orphan = here.file->write(
          [](sqlite::connection& on) { return support::run(on, "INSERT INTO child VALUES (?)", 404); }, {});
    });
    REQUIRE(eventually(10s, [&] { return started.load(); }));
    gate.open();
  }
  CHECK(innocent);
  REQUIRE(!orphan);
  CHECK(orphan.error().code == errc::invalid_argument);
  CHECK(orphan.error().effect == effect_kind::not_applied);
  CHECK(numbers_in(*here.file).value() == std::set<std::int64_t>{1});
  CHECK(write_number(*here.file, 404));
  CHECK(here.file->write([](sqlite::connection& on) { return support::run(on, "INSERT INTO child VALUES (?)", 404); },
                         {}));
}

TEST_CASE("constraints are told apart, by SQLite's own words", "[sqlite_engine]") {
  scene here;
  const auto outcome = [&](const char* sql) {
    return here.file->write([&](sqlite::connection& on) { return on.execute(sql); }, {}).error();
  };
  REQUIRE(here.file->write(
      [](sqlite::connection& on) {
        return on.execute(
            "CREATE TABLE strict_one (a INTEGER PRIMARY KEY, b TEXT UNIQUE NOT NULL, c INTEGER CHECK (c > 0),"
            " d INTEGER REFERENCES numbers) STRICT; INSERT INTO strict_one VALUES (1, 'x', 1, NULL)");
      },
      {}));
  CHECK(outcome("INSERT INTO strict_one VALUES (1, 'y', 1, NULL)").code == errc::already_exists);
  const auto unique = outcome("INSERT INTO strict_one VALUES (2, 'x', 1, NULL)");
  CHECK(unique.code == errc::already_exists);
  CHECK(unique.detail.find("strict_one.b") != std::string::npos);
  CHECK(unique.native_code == SQLITE_CONSTRAINT_UNIQUE);
  CHECK(outcome("INSERT INTO strict_one VALUES (2, NULL, 1, NULL)").code == errc::invalid_argument);
  CHECK(outcome("INSERT INTO strict_one VALUES (2, 'y', 0, NULL)").code == errc::invalid_argument);
  CHECK(outcome("INSERT INTO strict_one VALUES (2, 'y', 1, 404)").code == errc::invalid_argument);
  CHECK(outcome("INSERT INTO strict_one VALUES (2, 'y', 'one', NULL)").code == errc::invalid_argument);
  CHECK(outcome("INSERT INTO nowhere VALUES (1)").code == errc::invalid_argument);
  CHECK(outcome("SELECT zeroblob(64 * 1024 * 1024 + 1)").code == errc::too_large);
  CHECK(outcome("ATTACH ':memory:' AS other").code == errc::invalid_argument);
}

TEST_CASE("a read sees one state, with every commit that has returned", "[sqlite_engine]") {
  scene here;
  REQUIRE(write_number(*here.file, 1));
  const auto count = [](sqlite::connection& on) {
    auto asked = on.prepare("SELECT count(*) FROM numbers");
    REQUIRE(asked);
    REQUIRE(asked->step().value());
    return asked->int64(0);
  };
  std::int64_t first = 0;
  std::int64_t second = 0;
  REQUIRE(here.file->read(
      [&](sqlite::connection& on) -> result<void> {
        first = count(on);
        REQUIRE(write_number(*here.file, 2));
        second = count(on);
        return {};
      },
      {}));
  CHECK(first == 1);
  CHECK(second == 1);
  CHECK(numbers_in(*here.file).value().size() == 2);
}

TEST_CASE("a connection that reads cannot write", "[sqlite_engine]") {
  scene here;
  const auto tried = here.file->read([](sqlite::connection& on) { return add(on, 1); }, {});
  REQUIRE(!tried);
  CHECK(tried.error().code == errc::permission_denied);
}

TEST_CASE("a deadline that passes while another writes is told, and nothing was done", "[sqlite_engine]") {
  testing::manual_clock manual;
  const dormouse::clock real;
  const bool by_hand = GENERATE(true, false);
  const dormouse::clock& time = by_hand ? static_cast<const dormouse::clock&>(manual) : real;
  scene here(&time);
  barrier_once gate;
  std::jthread writer([&] {
    CHECK_NOTHROW(static_cast<void>(here.file->write(
        [&](sqlite::connection& on) {
          gate.pass();
          return add(on, 1);
        },
        {})));
  });
  REQUIRE(eventually(10s, [&] { return gate.reached(); }));
  std::atomic<bool> returned{false};
  result<void> outcome;
  std::jthread late([&] {
    outcome = write_number(*here.file, 2, time.now() + 20ms);
    returned = true;
  });
  const bool in_time = eventually(10s, [&] {
    if (by_hand) manual.advance(1ms);
    return returned.load();
  });
  gate.open();
  writer.join();
  late.join();
  REQUIRE(in_time);
  REQUIRE(!outcome);
  CHECK(outcome.error().code == errc::deadline_exceeded);
  CHECK(outcome.error().effect == effect_kind::not_applied);
  CHECK(numbers_in(*here.file).value() == std::set<std::int64_t>{1});
}

TEST_CASE("a read waits for a connection until its deadline, and one that takes too long is interrupted",
          "[sqlite_engine]") {
  scene here(nullptr, 1);
  const dormouse::clock& time = here.file->time();
  SECTION("waiting") {
    barrier_once gate;
    std::jthread reader([&] {
      static_cast<void>(here.file->read(
          [&](sqlite::connection&) -> result<void> {
            gate.pass();
            return {};
          },
          {}));
    });
    REQUIRE(eventually(10s, [&] { return gate.reached(); }));
    const auto outcome = here.file->read([](sqlite::connection&) { return result<void>{}; }, time.now() + 5ms);
    gate.open();
    REQUIRE(!outcome);
    CHECK(outcome.error().code == errc::deadline_exceeded);
  }
  SECTION("reading") {
    const auto endless = [](sqlite::connection& on) {
      return on.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
    };
    const auto outcome = here.file->read(endless, time.now() + 5ms);
    REQUIRE(!outcome);
    CHECK(outcome.error().code == errc::deadline_exceeded);
    CHECK(here.file->read([](sqlite::connection& on) { return on.execute("SELECT 1"); }, {}));
  }
}

TEST_CASE("the log does not outgrow its bound although somebody reads all the time", "[sqlite_engine]") {
  const support::temporary_folder folder;
  auto options = support::numbered_rows_at(folder / "rows.db");
  options.file.durability = durability_level::process;  // many megabytes
  const auto file = sqlite::open_engine(options).value();
  std::atomic<bool> enough{false};
  // Each leaves when the other has come anew, so that there is always one; or, when nobody is let in, after a while.
  std::array<std::atomic<int>, 2> entered{};
  std::vector<std::jthread> readers;
  for (std::size_t i = 0; i < 2; ++i)
    readers.emplace_back([&, i] {
      const auto overlap = [&](sqlite::connection& on) {
        auto begun = on.execute("SELECT 1 FROM numbers");
        ++entered[i];
        const int before = entered[1 - i];
        static_cast<void>(eventually(20ms, [&] { return enough || entered[1 - i] != before; }));
        return begun;
      };
      while (!enough) static_cast<void>(file->read(overlap, {}));
    });
  const auto write_megabytes = [](sqlite::connection& on) {
    return on.execute("DELETE FROM numbers; INSERT INTO numbers VALUES (1, zeroblob(8000000))");
  };
  bool all = true;
  for (int i = 0; i < 24; ++i) all = all && file->write(write_megabytes, {}).has_value();
  enough = true;
  readers.clear();
  CHECK(all);
  CHECK(std::filesystem::file_size(folder / "rows.db-wal") < 160'000'000);
}

TEST_CASE("a file in memory has the same contract, with one connection", "[sqlite_engine]") {
  const auto file = sqlite::open_engine(support::numbered_rows_at({})).value();
  CHECK(file->durability() == durability_level::memory);
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 50; ++i) {
          if (!write_number(*file, thread * 50 + i)) ++failed;
          if (!numbers_in(*file)) ++failed;
        }
      });
  }
  CHECK(failed == 0);
  CHECK(numbers_in(*file).value().size() == 200);
  CHECK(file->check());
}
