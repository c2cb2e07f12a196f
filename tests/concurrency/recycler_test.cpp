// SPDX-License-Identifier: MIT
// Blocks that go from thread to thread while workers, and with them all that is kept, come and go.

#include "support/catch.hpp"
#include "support/counting_memory.hpp"

#include <dormouse/detail/recycler.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {

#if defined(DORMOUSE_ADDRESS_SANITIZER) || defined(DORMOUSE_THREAD_SANITIZER)
constexpr std::size_t slowness = 8;
#else
constexpr std::size_t slowness = 1;
#endif

// Items on their way from submitters to workers.
class hand_over {
 public:
  void push(void* item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(item);
  }
  std::vector<void*> take_all() {
    const std::lock_guard lock(mutex_);
    return std::exchange(items_, {});
  }

 private:
  std::mutex mutex_{};
  std::vector<void*> items_{};
};

// Each item is written whole and read whole: two owners of one block would be seen.
struct stamp {
  std::size_t bytes;
  unsigned char value;
};
void write(void* item, std::size_t bytes, unsigned char value) {
  std::memset(item, value, bytes);
  const stamp mark{bytes, value};
  std::memcpy(item, &mark, sizeof(mark));
}
bool intact(const void* item) {
  stamp mark{};
  std::memcpy(&mark, item, sizeof(mark));
  const auto* const at = static_cast<const unsigned char*>(item);
  for (std::size_t i = sizeof(mark); i < mark.bytes; ++i) {
    if (at[i] != mark.value) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a block has one owner, and none is kept when the last worker has trimmed", "[recycler]") {
  support::counting_memory memory;
  constexpr std::size_t submitters = 4;
  constexpr std::size_t workers = 3;
  const std::size_t events = 30'000 / slowness;
  std::atomic<std::size_t> torn{0};
  std::atomic<std::size_t> trims{0};
  const std::size_t trims_wanted = 200 / slowness;
  hand_over kept_across;
  {
    const detail::recycler_owner items(&detail::recycler::make(memory));
    for (unsigned round = 0; round < 6; ++round) {
      const bool trimming = round % 2 == 0;  // else one long life of each worker
      hand_over queue;
      std::atomic<std::size_t> submitting{submitters};
      std::vector<std::thread> threads;
      for (std::size_t s = 0; s < submitters; ++s) {
        threads.emplace_back([&, s] {
          const std::array<std::size_t, 4> sizes{300, 456, 656, 2'000};
          // A busy machine may leave the workers few turns: then the last trimming round goes on until they had them.
          const auto short_of_turns = [&] { return round == 4 && trims <= trims_wanted; };
          for (std::size_t i = 0; i < events || (short_of_turns() && i < 100 * events); ++i) {
            if (i >= events) std::this_thread::yield();
            const std::size_t bytes = sizes[(i / 64) % sizes.size()];
            void* const item = items->take(bytes, 8);
            write(item, bytes, static_cast<unsigned char>(s * 60 + i % 60));
            (i % 1'000 == s ? kept_across : queue).push(item);
          }
          --submitting;
        });
      }
      for (std::size_t w = 0; w < workers; ++w) {
        threads.emplace_back([&, w] {
          std::mt19937 random(static_cast<unsigned>(w));
          for (bool last = false; !last;) {  // each turn is the life of a worker
            last = submitting == 0;
            if (!trimming && !last) items->keep();
            for (auto pieces = random() % 3; pieces > 0 || last; --pieces) {
              const auto found = queue.take_all();
              if (found.empty() && last) break;
              items->keep();
              for (void* each : found) {
                if (!intact(each)) ++torn;
                detail::recycler::give(each);
              }
            }
            if (!trimming && !last) continue;
            items->trim();
            ++trims;
          }
        });
      }
      for (auto& each : threads) each.join();
      for (void* each : queue.take_all()) detail::recycler::give(each);
      const auto across = kept_across.take_all();
      CHECK(items->blocks() == across.size());
      for (std::size_t i = 0; i < across.size(); ++i) {
        i % 2 == 0 ? detail::recycler::give(across[i]) : kept_across.push(across[i]);
      }
    }
  }
  const auto across = kept_across.take_all();
  CHECK(!across.empty());
  CHECK(memory.blocks() == across.size() + 1);
  for (void* each : across) {
    if (!intact(each)) ++torn;
    detail::recycler::give(each);
  }
  CHECK(memory.bytes() == 0);
  CHECK(torn == 0);
  CHECK(trims > trims_wanted);
}

// The last worker ends while somebody else gives back what he kept.
TEST_CASE("what is given back while the last worker trims is not kept", "[recycler][zero]") {
  support::counting_memory memory;
  const detail::recycler_owner items(&detail::recycler::make(memory));
  const std::size_t at_rest = memory.bytes();
  constexpr std::size_t count = 50;  // opens a depot
  std::vector<void*> kept(count);
  std::atomic<unsigned> turn{0};
  std::atomic<unsigned> given{0};
  const unsigned turns = 20'000 / slowness;
  std::thread holder([&] {
    for (unsigned i = 1; i <= turns; ++i) {
      while (turn.load() != i) std::this_thread::yield();
      for (void* each : kept) detail::recycler::give(each);
      given = i;
    }
  });
  std::size_t left = 0;
  for (unsigned i = 1; i <= turns; ++i) {
    for (void*& each : kept) each = items->take(100, 8);
    items->keep();
    turn = i;
    for (unsigned pause = i % 64; pause > 0; --pause) [[maybe_unused]] const unsigned looked = given.load();
    items->trim();
    while (given.load() != i) std::this_thread::yield();
    if (items->blocks() != 0 || memory.bytes() != at_rest) ++left;
  }
  holder.join();
  CHECK(left == 0);
}

TEST_CASE("through zero thousands of times, with replies kept across, all memory comes back", "[recycler][zero]") {
  support::counting_memory memory;
  std::size_t started = 0;
  std::atomic<std::size_t> wrong{0};
  const std::size_t wanted = 12'000 / slowness;
  for (unsigned round = 0; started < wanted; ++round) {
    const std::array<std::chrono::microseconds, 4> times{0us, 50us, 300us, 2'000us};
    const auto idle = times[round % times.size()];
    std::vector<pending<std::size_t>> outlive;
    std::mutex outliving;
    {
      runtime host{{.compute_workers_max = 1 + round % 3, .thread_idle_timeout = idle, .memory = &memory}};
      auto work = host.define("work", [](std::size_t i) { return i; }, {.idle_timeout = idle});
      std::vector<std::thread> producers;
      for (unsigned p = 0; p < 4; ++p) {
        producers.emplace_back([&, p] {
          std::mt19937 random(round * 4 + p);
          std::vector<pending<std::size_t>> kept;
          for (std::size_t i = 0; i < 300; ++i) {
            auto later = work.submit(i);
            while (!later) later = work.submit(i);
            if (random() % 4 == 0) {
              kept.push_back(std::move(*later));
            } else if (later->get().value() != i) {
              ++wrong;
            }
            if (!work.post(i)) ++wrong;
            if (kept.size() > 8) kept.erase(kept.begin(), kept.begin() + 4);
            const auto pause = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 60);
            while (std::chrono::steady_clock::now() < pause) {}
          }
          const std::lock_guard lock(outliving);
          for (auto& each : kept) outlive.push_back(std::move(each));
        });
      }
      for (auto& each : producers) each.join();
      REQUIRE(eventually(10s, [&] { return host.stats().threads == 0 && host.stats().instances == 0; }));
      started += host.stats().threads_started;
    }
    CHECK(memory.blocks() == outlive.size() + 1);
    for (auto& each : outlive) {
      if (!each.get()) ++wrong;
    }
    outlive.clear();
    REQUIRE(memory.bytes() == 0);
  }
  CHECK(wrong == 0);
}
