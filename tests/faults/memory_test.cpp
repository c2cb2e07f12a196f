// SPDX-License-Identifier: MIT
// Memory that cannot be had: every single allocation of a scene fails once, in turn.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <string>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

#if defined(DORMOUSE_ADDRESS_SANITIZER) || defined(DORMOUSE_THREAD_SANITIZER)

TEST_CASE("memory faults", "[faults][memory]") {
  DORMOUSE_SKIP("a sanitizer brings its own operator new, and a program can have but one");
}

#else

namespace {

std::atomic<long> allocations_left{-1};  // negative: none fails
std::atomic<int> fired{0};

void* allocate(std::size_t size, std::size_t alignment) {
  if (allocations_left.load() >= 0 && allocations_left.fetch_sub(1) == 0) {
    ++fired;
    throw std::bad_alloc{};
  }
  void* memory = alignment == 0 ? std::malloc(size)
                                : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}

// Not inlined: g++ would take the pair for a mismatch of new and free.
[[gnu::noinline]] void release(void* memory) noexcept { std::free(memory); }

// The n-th allocation of any thread fails while it lives, and no other.
struct failing {
  explicit failing(long n) { allocations_left = n; }
  ~failing() { allocations_left = -1; }
};

}  // namespace

void* operator new(std::size_t size) { return allocate(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }

namespace {

constexpr const char* long_text = "long enough to be on the heap, so that copies of it may fail as well";

struct scene {
  std::atomic<int> good{0};
  runtime host{{.status_count_max = 100, .thread_idle_timeout = 0ns}};
  handle<std::string(const std::string&)> work =
      host.define("work",
                  [this](const std::string& text, context& ctx) {
                    if (ctx.attempt() == 1 && text.size() % 2 == 0) throw 1;
                    std::string reply(100, 'x');
                    ++good;
                    return reply;
                  },
                  {.idle_timeout = 1ms, .retry = {.delay_first = 0ns, .budget_per_second_min = 1'000'000}});
  handle<void(int)> hopeless =
      host.define("hopeless", [](int) { throw 1; }, {.retry = {.attempts_max = 2, .delay_first = 0ns}});

  int posts = 0;
  int bad_posts = 0;
  int replies = 0;
  int lost_replies = 0;

  void note(const result<acceptance>& posted) {
    if (posted) {
      ++posts;
    } else if (posted.error().code != errc::out_of_memory && posted.error().code != errc::unavailable) {
      ++bad_posts;
    }
  }
  // What the caller's own side allocates may throw on the caller's side: see handle.hpp.
  template <class F>
  void attempt(F&& step) {
    try {
      step();
    } catch (const std::bad_alloc&) {}
  }
  void play() {
    attempt([&] { note(work.post(std::string(long_text))); });
    attempt([&] { note(work.post(std::string(long_text).append("!"))); });
    attempt([&] { note(host.post("work", {.type = "t", .data = long_text})); });
    attempt([&] { note(hopeless.post(1)); });
    attempt([&] {
      auto later = work.submit(std::string(long_text).append("!"));
      if (!later) return;
      ++replies;
      const auto got = later->get();
      const bool typed = got || got.error().code == errc::function_failed || got.error().code == errc::init_failed ||
                         got.error().code == errc::out_of_memory;
      if (!typed) ++lost_replies;
    });
    attempt([&] { [[maybe_unused]] const auto called = work(std::string(long_text).append("!")); });
    [[maybe_unused]] const bool rests = eventually(300ms, [&] { return host.stats().queued == 0; });
  }
};

}  // namespace

TEST_CASE("each allocation of accepting, running, retrying and dying fails once: nothing accepted is lost",
          "[faults][memory]") {
  int planned = 0;
  int survived = 0;
  for (long n = 0; n < 400; ++n) {
    const int before = fired;
    {
      scene now;
      {
        const failing here(n);
        now.play();
      }
      // Whatever could not be armed for want of memory is armed by the next event.
      if (!now.work.post("odd")) FAIL("does not recover");
      ++now.posts;
      const bool rests = eventually(5s, [&] { return now.host.stats().queued == 0; });
      const auto letters = now.host.dead_letters();
      if (!rests) {
        now.host.dump(stderr);
        FAIL("something is stuck after allocation " << n);
      }
      // Every accepted post has either ended well or is a dead letter; the calls and submits are not posts.
      const auto sums = now.work.stats();
      const auto ended = static_cast<int>(sums.invocations - sums.function_failures - sums.timeouts);
      if (now.bad_posts != 0 || now.lost_replies != 0) FAIL("an untyped refusal after allocation " << n);
      if (ended + static_cast<int>(letters.size()) < now.posts) FAIL("lost after allocation " << n);
      for (const auto& letter : letters) {
        if (letter.attempts.empty() && letter.why.code == errc::internal) FAIL("a letter that says nothing");
      }
      CHECK(now.host.redrive({.function = "hopeless"}) <= 1);
    }
    if (fired == before) break;  // the scene has no n-th allocation
    ++planned;
    ++survived;
  }
  CHECK(planned > 30);
  CHECK(survived == planned);
}

TEST_CASE("each allocation of defining, replacing and undefining fails once: all or nothing", "[faults][memory]") {
  int planned = 0;
  for (long n = 0; n < 100; ++n) {
    runtime host;
    const int before = fired;
    int step = 0;
    std::optional<handle<int()>> made;
    try {
      const failing here(n);
      made = host.define("work", [big = std::string(long_text)] { return static_cast<int>(big.size()); });
      step = 1;
      if (!host.replace(*made, [big = std::string(long_text)] { return 2; })) step = -1;
      if (step == 1) step = 2;
    } catch (const std::bad_alloc&) {}
    if (step == 0) {
      CHECK(host.stats().functions == 0);
      made = host.define("work", [] { return 1; });
    }
    CHECK((*made)().has_value());
    if (step == 2) CHECK((*made)().value() == 2);
    result<std::size_t> left = std::size_t{0};
    {
      const failing here(n);
      left = host.undefine(*made, 1s);
    }
    if (!left) {
      CHECK(left.error().code == errc::out_of_memory);
      left = host.undefine(*made, 1s);
    }
    CHECK(left.value() == 0);
    CHECK((*made)().error().code == errc::not_found);
    if (fired == before) break;
    ++planned;
  }
  CHECK(planned > 5);
}

#endif
