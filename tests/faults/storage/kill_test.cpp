// SPDX-License-Identifier: MIT
// A worker writes into table, database and object store, and is killed at a random moment, or at a place in the code;
// again and again. Whatever it was told to be stored must be there; what it was not told of may be, as a whole.

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/testing/eventually.hpp>

#include "engines/failpoint.hpp"
#include "ledger.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

using steady = std::chrono::steady_clock;

class worker {
 public:
  worker(const std::filesystem::path& folder, std::int64_t first, const std::string& failpoint = {}) {
    int ends[2] = {};
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    const std::string number = std::to_string(first);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      if (!failpoint.empty()) ::setenv("DORMOUSE_FAILPOINT", failpoint.c_str(), 1);
      ::execl(DORMOUSE_STORAGE_WORKER, DORMOUSE_STORAGE_WORKER, folder.c_str(), number.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    from_ = ends[0];
  }
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker() {
    end();
    ::close(from_);
  }

  // Reads what it says for so long. False: it has ended.
  bool listen(std::chrono::milliseconds length) {
    const auto until = steady::now() + length;
    for (auto left = length; left > 0ms;
         left = std::chrono::duration_cast<std::chrono::milliseconds>(until - steady::now())) {
      pollfd ready{from_, POLLIN, 0};
      if (::poll(&ready, 1, static_cast<int>(left.count())) > 0 && !take()) return false;
    }
    return true;
  }
  bool is_ready() const { return said_.starts_with("ready\n"); }
  // Kills it, which changes nothing if it has ended, and reads to the end.
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
    pid_ = 0;
    while (take()) {}
  }
  // Did it end by the signal, and by nothing of its own?
  bool was_killed() const { return WIFSIGNALED(status_) && WTERMSIG(status_) == SIGKILL; }
  const std::string& said() const { return said_; }

 private:
  bool take() {
    char buffer[65'536];
    const auto got = ::read(from_, buffer, sizeof buffer);
    if (got > 0) said_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  pid_t pid_ = 0;
  int from_ = -1;
  int status_ = 0;
  std::string said_{};
};

struct totals {
  int rounds = 0;
  int fired = 0;  // killed while it was writing
  std::vector<double> recovery_ms{};
};

// Opens what the killed worker left, as its next owner would.
void recover(const std::filesystem::path& folder, storage::ledger& known, totals& so_far) {
  const auto begun = steady::now();
  auto opened = storage::open_stores(folder);
  so_far.recovery_ms.push_back(std::chrono::duration<double, std::milli>(steady::now() - begun).count());
  if (!opened) FAIL("the stores cannot be opened any more: " << to_string(opened.error()));
  known.compare(*opened);
  for (const auto& each : known.complaints()) UNSCOPED_INFO(each);
  REQUIRE(known.complaints().empty());
}

void report(const char* test, unsigned seed, const storage::ledger& known, totals& all) {
  std::sort(all.recovery_ms.begin(), all.recovery_ms.end());
  const auto p99 = all.recovery_ms[(all.recovery_ms.size() - 1) * 99 / 100];
  WARN(fmt::format(
      "{}: seed {}, faults planned {}, fired {}, accepted {}, in flight {}, lost 0, recovery p99 {:.1f} ms, "
      "max {:.1f} ms",
      test, seed, all.rounds, all.fired, known.acknowledged(), known.in_flight(), p99, all.recovery_ms.back()));
}

int rounds_wanted() {
  const char* const asked = std::getenv("DORMOUSE_KILL_ROUNDS");
  return asked != nullptr ? std::max(1, std::atoi(asked)) : 50;
}

unsigned seed_wanted() {
  const char* const asked = std::getenv("DORMOUSE_KILL_SEED");
  return asked != nullptr ? static_cast<unsigned>(std::atoi(asked)) : std::random_device{}();
}

constexpr std::int64_t numbers_a_round = 1'000'000;

}  // namespace

TEST_CASE("a process that is killed at any moment loses nothing it was told is stored", "[faults][storage]") {
  const support::temporary_folder folder;
  const unsigned seed = seed_wanted();
  INFO("DORMOUSE_KILL_SEED=" << seed);
  std::mt19937 random(seed);
  storage::ledger known;
  totals all;
  while (all.rounds < rounds_wanted()) {
    worker victim(folder.path(), ++all.rounds * numbers_a_round);
    REQUIRE(dormouse::testing::eventually(60s, [&] {
      victim.listen(1ms);
      return victim.is_ready();
    }));
    const auto before = known.acknowledged();
    victim.listen(std::chrono::milliseconds(1 + random() % 50));
    victim.end();
    REQUIRE(victim.was_killed());
    known.read(victim.said());
    all.fired += known.acknowledged() > before ? 1 : 0;
    recover(folder.path(), known, all);
  }
  REQUIRE(all.fired * 2 > all.rounds);  // most were killed in the midst of it
  report("kill at a random moment", seed, known, all);
}

TEST_CASE("a process that ends at any failpoint loses nothing it was told is stored", "[faults][storage]") {
  const support::temporary_folder folder;
  storage::ledger known;
  totals all;
  for (const std::string_view name : dormouse::failpoint_names) {
    for (const int passes : {1, 2, 7}) {
      worker victim(folder.path(), ++all.rounds * numbers_a_round, fmt::format("{}:{}", name, passes));
      INFO("at " << name << ", pass " << passes);
      // Ends by itself: 60 s is the end of patience, not a delay.
      REQUIRE(dormouse::testing::eventually(60s, [&] { return !victim.listen(10ms); }));
      victim.end();
      REQUIRE(victim.was_killed());
      known.read(victim.said());
      ++all.fired;
      recover(folder.path(), known, all);
    }
  }
  REQUIRE(all.fired == static_cast<int>(dormouse::failpoint_names.size()) * 3);
  report("kill at every failpoint", 0, known, all);
}
