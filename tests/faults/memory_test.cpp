// SPDX-License-Identifier: MIT
// Memory that cannot be had: every single allocation of a scene fails once, in turn.

#include "support/catch.hpp"

#include <dormouse/adapters/memory_queue.hpp>
#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/adapters/memory_topic.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/services/table_update.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/service_harness.hpp>
#include <dormouse/triggers/on_message.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;
using dormouse::testing::refused;

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

TEST_CASE("each allocation of an update fails once: the item is as it was", "[faults][memory]") {
  const std::string text(100, 'x');
  const table_item before{
      {"name", text}, {"list", attribute_list{text}}, {"map", attribute_map{{"in", attribute_list{text}}}}};
  const table_update update = table_update()
                                  .append(field("list"), {text})
                                  .set(field("map")["in"][0], text + "y")
                                  .set(field("map")["a name that is not short enough to lie inside"], text_set{text})
                                  .remove(field("name"))
                                  .set(field("another name that is not short enough to lie inside"), text);
  int planned = 0;
  for (long n = 0; n < 200; ++n) {
    table_item item = before;
    const int fired_before = fired;
    bool done = false;
    try {
      const failing here(n);
      done = update.apply(item).has_value();
    } catch (const std::bad_alloc&) {}
    if (done) {
      CHECK(fired == fired_before);
      CHECK((item.size() == 3 && std::get<attribute_list>(item.at("list")).size() == 2));
      break;
    }
    CHECK(item == before);
    ++planned;
  }
  CHECK(planned > 10);
}

namespace {

const table_key kept{"kept", "a sort that is long enough to be on the heap"};
const table_key gone{"gone", ""};
const table_key fresh{"fresh", "another sort that is long enough to be on the heap"};

// A table that uses all it has, with two items.
std::unique_ptr<memory_table> full_table(const testing::manual_clock& time) {
  auto store = std::make_unique<memory_table>(
      memory_table_options{.schema = {.indexes = {{"by_state", "state", "", {}}, {"by_name", "name", "state", {}}},
                                      .change_view = table_change_view::both},
                           .time = &time});
  const table_write_options brief{.expires_at = time.wall() + 1s};
  REQUIRE(store->put(kept, {{"state", "open"}, {"name", long_text}, {"n", 1}}, brief));
  REQUIRE(store->put(gone, {{"state", long_text}, {"name", "b"}}, brief));
  return store;
}

// All that can be seen of it.
std::string seen(table& store) {
  std::string text = std::to_string(store.last_change().value());
  const auto changes = store.changes(0).value();
  for (const auto& each : changes) text += " " + std::to_string(static_cast<int>(each.kind));
  const auto add = [&](const table_page& page) {
    text += "\n";
    for (const auto& each : page.entries) {
      text += each.key.partition + ":" + std::to_string(each.version) + ":" + std::to_string(each.item.size()) + " ";
    }
  };
  add(store.scan().value());
  for (const char* state : {"open", "paid", long_text})
    add(store.query({.partition = state, .index = "by_state"}).value());
  for (const char* name : {"b", long_text}) add(store.query({.partition = name, .index = "by_name"}).value());
  return text;
}

std::vector<table_write> changes_of_all(const testing::manual_clock& time) {
  auto put = put_write(fresh, {{"state", "paid"}, {"name", long_text}});
  put.expires_at = time.wall() + 1h;
  auto update = update_write(kept, table_update().set(field("state"), long_text).increment(field("n"), 1));
  update.expires_at = time.wall() + 2h;
  return {put, update, erase_write(gone)};
}

}  // namespace

TEST_CASE("each allocation of a table's transaction fails once: all of it is done, or nothing", "[faults][memory]") {
  const testing::manual_clock time;
  int planned = 0;
  for (long n = 0; n < 1'000; ++n) {
    const auto store = full_table(time);
    const std::string before = seen(*store);
    const table_transaction_options once{.token = "a token that is long enough to be on the heap"};
    auto writes = changes_of_all(time);
    const int fired_before = fired;
    const auto done = [&] {
      const failing here(n);
      return store->transact(std::move(writes), once);
    }();
    if (done) {
      CHECK(fired == fired_before);
      break;
    }
    ++planned;
    CHECK((done.error().code == errc::out_of_memory && done.error().effect == effect_kind::not_applied));
    CHECK(seen(*store) == before);
    REQUIRE(store->transact(changes_of_all(time), once));
    CHECK(store->size() == 2);
    CHECK(store->last_change().value() == 5);
  }
  CHECK(planned > 40);
}

TEST_CASE("each allocation of taking away what has expired fails once: it leaves as a whole, or stays",
          "[faults][memory]") {
  int planned = 0;
  for (long n = 0; n < 1'000; ++n) {
    testing::manual_clock time;
    const auto store = full_table(time);
    time.advance(1s);
    const int fired_before = fired;
    const auto done = [&] {
      const failing here(n);
      return store->remove_expired();
    }();
    if (done) {
      CHECK(fired == fired_before);
      break;
    }
    ++planned;
    CHECK((done.error().code == errc::out_of_memory && done.error().effect == effect_kind::not_applied));
    CHECK(store->size() == 4 - store->last_change().value());
    CHECK(store->remove_expired().value() == std::nullopt);
    CHECK((store->size() == 0 && store->last_change().value() == 4));
    CHECK(store->query({.partition = "open", .index = "by_state"}).value().entries.empty());
  }
  CHECK(planned > 5);
}

namespace {

const std::string long_name = "a name that is long enough to be on the heap";

// A message in flight, two behind each other in a group, and a dead letter of another group.
struct full_queue {
  testing::manual_clock time{};
  memory_queue work{{.settings = {.deliveries_max = 1}, .time = &time}};
  std::string receipt{};
  full_queue() {
    // So many ids that libstdc++'s deque of them needs memory for the next one.
    for (int at = 0; at < 63; ++at) work.send({.dedup_id = std::to_string(at)}).value();
    work.purge().value();
    work.send({.data = "dead", .group = long_name + " 2"}).value();
    work.reject(work.receive().value().at(0).receipt, long_name).value();
    work.send({.data = "held"}).value();
    receipt = work.receive().value().at(0).receipt;
    for (const char* each : {"b", "c"}) {
      work.send({.data = each, .attributes = {{"a", long_name}}, .group = long_name}).value();
    }
  }
  // All that can be asked without a change.
  std::string seen() {
    const auto now = work.counts().value();
    const auto dead = work.dead_letters().value().letters;
    std::string text;
    for (const std::size_t each : {now.visible, now.waiting, now.in_flight, now.dead, dead.size()}) {
      text += std::to_string(each) + ' ';
    }
    for (const auto& each : dead) text += each.id + ' ' + each.error + ' ' + each.group;
    return text;
  }
};

// Each allocation of a call fails once: then it has changed nothing, and done again it does all. How many there are.
// `prepare` makes the call, whose arguments are there already.
template <class Prepare, class After>
int fail_each_allocation(Prepare&& prepare, After&& after) {
  int failures = 0;
  for (long n = 0; n < 1'000; ++n) {
    full_queue at;
    const std::string before = at.seen();
    auto call = prepare(at);
    const int fired_before = fired;
    const auto done = [&] {
      const failing here(n);
      return call();
    }();
    if (fired == fired_before) {
      CHECK(done);
      break;
    }
    ++failures;
    CHECK(refused(done, errc::out_of_memory));
    CHECK(at.seen() == before);
    CHECK(prepare(at)());
    after(at);
  }
  return failures;
}

}  // namespace

TEST_CASE("each allocation of a queue's calls fails once: all of a call is done, or nothing", "[faults][memory]") {
  const auto send = [](full_queue& at) {
    queue_message fresh{
        .data = long_name, .attributes = {{"a", "b"}}, .group = long_name + " 3", .dedup_id = long_name};
    return [&at, fresh]() mutable { return at.work.send(std::move(fresh)); };
  };
  CHECK(fail_each_allocation(send, [&](full_queue& at) {
          CHECK(send(at)().value().duplicate);
          CHECK(at.work.counts().value().visible == 2);
        }) > 8);
  const auto receive = [](full_queue& at) { return [&at] { return at.work.receive(); }; };
  CHECK(fail_each_allocation(receive, [](full_queue& at) {
          CHECK(at.work.counts().value().in_flight == 2);
          CHECK(at.work.receive().value().empty());
        }) > 3);
  const auto redrive = [](full_queue& at) { return [&at] { return at.work.redrive(1); }; };
  CHECK(fail_each_allocation(redrive,
                             [](full_queue& at) { CHECK(at.work.receive({.count = 9}).value().size() == 2); }) > 1);
  const auto purge = [](full_queue& at) { return [&at] { return at.work.purge(); }; };
  CHECK(fail_each_allocation(purge, [](full_queue& at) { CHECK(at.work.counts().value().dead == 1); }) == 1);
  for (const auto kind : {settlement_kind::ack, settlement_kind::nack, settlement_kind::dead_letter}) {
    const auto settle = [kind](full_queue& at) {
      std::vector<queue_settlement> all{{at.receipt, kind, 0s, long_name}};
      return [&at, all]() mutable { return at.work.settle(std::move(all)); };
    };
    CHECK(fail_each_allocation(settle, [](full_queue& at) { CHECK(at.work.counts().value().in_flight == 0); }) > 1);
  }
}

TEST_CASE("a message of a batch for which there is no memory fails alone", "[faults][memory]") {
  int alone = 0;
  for (long n = 0; n < 1'000; ++n) {
    memory_queue work;
    std::vector<queue_message> batch(3);
    for (auto& each : batch) each = {.data = long_name, .group = long_name, .dedup_id = {}};
    const int fired_before = fired;
    const auto sent = [&] {
      const failing here(n);
      return work.send_batch(std::move(batch));
    }();
    std::size_t stored = 0;
    if (sent)
      stored = static_cast<std::size_t>(std::count_if(sent->begin(), sent->end(), [](auto& each) { return !!each; }));
    const auto counts = work.counts().value();
    CHECK(counts.visible + counts.waiting == stored);
    if (fired == fired_before) {
      CHECK(stored == 3);
      break;
    }
    alone += sent ? 1 : 0;
    CHECK((sent ? stored == 2 : refused(sent, errc::out_of_memory)));
  }
  CHECK(alone > 10);  // what each message is made of, and its place in its group
}

namespace {

// Three subscriptions, the last of which has an order.
struct full_topic {
  memory_topic events{};
  std::unique_ptr<queue> queues[3] = {
      events.subscribe({.name = "a"}).value(), events.subscribe({.name = "b"}).value(),
      events.subscribe({.name = "c", .order_by = subscription_settings::grouping::subject}).value()};

  // In each of the queues; -1: not in all of them as many.
  [[nodiscard]] long published() const {
    const auto first = queues[0]->counts().value().visible;
    for (const auto& each : queues) {
      if (each->counts().value().visible != first) return -1;
    }
    return static_cast<long>(first);
  }
};

}  // namespace

TEST_CASE("each allocation of publishing an event fails once: it is in all queues, or in none", "[faults][memory]") {
  int failures = 0;
  for (long n = 0; n < 1'000; ++n) {
    full_topic at;
    event sent{.type = long_name, .subject = long_name, .data = long_name, .extensions = {{"a", long_name}}};
    const int fired_before = fired;
    const auto got = [&] {
      const failing here(n);
      return at.events.publish(std::move(sent));
    }();
    CHECK(at.published() == (got ? 1 : 0));
    if (fired == fired_before) break;
    ++failures;
    CHECK(refused(got, errc::out_of_memory));
    CHECK(at.events.publish({.type = "t", .subject = long_name}).value().subscriptions == 3);
    CHECK(at.published() == 1);
  }
  CHECK(failures > 40);
}

TEST_CASE("each allocation of subscribing and of ending it fails once: it is done, or nothing", "[faults][memory]") {
  int failures = 0;
  const auto each_fails = [&](auto change, std::size_t before, std::size_t after) {
    for (long n = 0; n < 1'000; ++n) {
      full_topic at;
      REQUIRE(at.events.publish({.type = "t"}));
      const int fired_before = fired;
      const auto got = [&] {
        const failing here(n);
        return change(at.events);
      }();
      CHECK(at.events.subscriptions().value().size() == (got ? after : before));
      CHECK(at.queues[1]->counts().value().visible == (got && after < before ? 0 : 1));
      if (fired == fired_before) break;
      ++failures;
      CHECK((got.error().code == errc::out_of_memory && got.error().effect == effect_kind::not_applied));
    }
  };
  const subscription_settings fresh{.name = std::string(64, 'x')};
  const subscription_settings changed{.name = "b", .queue = {.deliveries_max = 7}};
  each_fails([&](topic& of) { return of.subscribe(fresh); }, 3, 4);
  each_fails([&](topic& of) { return of.subscribe(changed); }, 3, 3);
  each_fails([](topic& of) { return of.unsubscribe("b"); }, 3, 2);
  CHECK(failures > 15);
}

TEST_CASE("each allocation of a queue's trigger fails once: no message is lost", "[faults][memory]") {
  int failures = 0;
  for (long n = 0; n < 5'000; ++n) {
    dormouse::testing::manual_clock time;
    memory_queue work({.settings = {.visibility = 10s, .deliveries_max = 100}, .time = &time});
    int calls = 0;
    runtime host({.time = &time, .drive = drive_mode::host});
    host.define<batch_outcome(const message_batch&)>("all", [&](const message_batch& batch) {
      batch_outcome outcome;
      if (++calls == 1) outcome.fail(batch[0], long_name, 1s);
      return outcome;
    });
    host.define("one", [&](std::string_view) { ++calls; });
    const auto pass = [&](std::chrono::seconds by) {
      const auto end = time.now() + by;
      host.poll();
      for (auto next = host.next_deadline(); next && *next <= end; next = host.next_deadline()) {
        if (*next > time.now()) time.advance(*next - time.now());
        host.poll();
      }
    };
    for (int i = 0; i < 5; ++i) work.send({.data = long_name, .attributes = {{"a", long_name}}}).value();
    const int fired_before = fired;
    const bool batches = n % 2 == 0;
    host.attach(batches ? on_message_batch(work, {.each = {.in_flight_max = 1}, .batch_max = 2, .batch_window = 1s})
                        : on_message(work, {.in_flight_max = 1}),
                batches ? std::string_view("all") : std::string_view("one"))
        .value();
    {
      const failing here(n / 2);
      pass(2s);
    }
    pass(3'600s);
    const auto counts = work.counts().value();
    INFO("allocation " << n / 2 << (batches ? " of batches" : ""));
    REQUIRE(counts.visible + counts.waiting + counts.in_flight == 0);
    REQUIRE(counts.dead == 0);
    REQUIRE(!host.next_deadline().has_value());
    if (fired == fired_before && n % 2 != 0) break;
    failures += fired - fired_before;
  }
  CHECK(failures > 50);
}

#endif
