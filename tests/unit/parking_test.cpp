// SPDX-License-Identifier: MIT
// parking_word: what a submitter has to do, on both protocols, and the fall back from one to the other.

#include "support/catch.hpp"

#include <dormouse/detail/platform/parking.hpp>

#include <cstddef>
#include <thread>

#if DORMOUSE_PLATFORM_LINUX
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cerrno>
#endif

using namespace dormouse::detail;
using duty = parking_word::duty;

namespace {
// A worker that was started and has found something to run.
void add_busy(parking_word& word, std::uint32_t workers_max) {
  REQUIRE(word.after_publish(workers_max) == duty::spawn_one);
  word.end_search();
}
// ... or has found nothing.
void add_parked(parking_word& word, std::uint32_t workers_max) {
  REQUIRE(word.after_publish(workers_max) == duty::spawn_one);
  word.park();
}
}  // namespace

TEST_CASE("a submitter starts or wakes one worker, and only when nobody awake can take the work", "[parking]") {
  parking_word word(GENERATE(parking_protocol::symmetric, parking_protocol::asymmetric));
  CHECK(word.after_publish(2) == duty::spawn_one);
  CHECK(word.after_publish(2) == duty::searched);
  word.end_search();
  CHECK(word.after_publish(2) == duty::spawn_one);
  CHECK(word.after_publish(2) == duty::searched);
  word.end_search();
  CHECK(word.after_publish(2) == duty::none);
  word.start_search();
  CHECK(word.after_publish(2) == duty::searched);
  word.park();
  word.before_second_look();
  CHECK(word.after_publish(2) == duty::wake_one);
  CHECK(word.after_publish(2) == duty::searched);
  CHECK(word.alive() == 2);
  CHECK(word.searching() == 1);
  CHECK(word.parked() == 0);
}

TEST_CASE("while every worker is awake, an asymmetric submitter changes nothing", "[parking]") {
  if (!has_membarrier()) DORMOUSE_SKIP("this kernel refuses membarrier");
  parking_word word(parking_protocol::asymmetric);
  add_busy(word, 2);
  add_busy(word, 2);
  const auto before = word.rounds();
  CHECK(word.after_publish(2) == duty::none);
  word.start_search();
  CHECK(word.after_publish(2) == duty::searched);
  CHECK(word.rounds() == before);
  SECTION("with a worker in reserve it does, since the searcher looks again without a barrier") {
    CHECK(word.after_publish(3) == duty::searched);
    CHECK(word.rounds() != before);
  }
  SECTION("with a parked worker, too") {
    word.start_search();
    word.park();
    CHECK(word.after_publish(2) == duty::searched);
    CHECK(word.rounds() != before);
  }
}

TEST_CASE("a symmetric submitter always changes the word", "[parking]") {
  parking_word word(parking_protocol::symmetric);
  add_busy(word, 1);
  const auto before = word.rounds();
  CHECK(word.after_publish(1) == duty::none);
  CHECK(word.rounds() != before);
}

TEST_CASE("a failed start takes the worker back, and says whether another lives", "[parking]") {
  parking_word word(GENERATE(parking_protocol::symmetric, parking_protocol::asymmetric));
  REQUIRE(word.after_publish(2) == duty::spawn_one);
  CHECK(!word.spawn_failed());
  CHECK(word.alive() == 0);
  CHECK(word.searching() == 0);
  add_busy(word, 2);
  REQUIRE(word.after_publish(2) == duty::spawn_one);
  CHECK(word.spawn_failed());
  CHECK(word.alive() == 1);
}

TEST_CASE("a parked worker is claimed or retires, never both", "[parking]") {
  parking_word word(GENERATE(parking_protocol::symmetric, parking_protocol::asymmetric));
  CHECK(!word.claim_parked());
  CHECK(!word.retire_parked());
  add_parked(word, 1);
  SECTION("claimed, it counts as searching") {
    CHECK(word.claim_parked());
    CHECK(!word.claim_parked());
    CHECK(!word.retire_parked());
    CHECK(word.searching() == 1);
    CHECK(word.alive() == 1);
    word.retire_searching();
    CHECK(word.searching() == 0);
  }
  SECTION("retired, it is gone, and the next submitter starts another") {
    CHECK(word.retire_parked());
    CHECK(!word.claim_parked());
    CHECK(word.after_publish(1) == duty::spawn_one);
    CHECK(word.spawn_failed() == false);
  }
  CHECK(word.alive() == 0);
}

#if DORMOUSE_PLATFORM_LINUX
namespace {
// From now on the kernel refuses membarrier to this thread. False where seccomp itself is refused.
bool forbid_membarrier(unsigned error) {
  const unsigned refuse = SECCOMP_RET_ERRNO | (error & SECCOMP_RET_DATA);
  sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, refuse),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = std::size(steps), .filter = steps};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}
}  // namespace

TEST_CASE("where the kernel refuses membarrier, parking is symmetric", "[parking]") {
  const unsigned error = GENERATE(unsigned{EPERM}, unsigned{ENOSYS});
  bool forbidden = false;
  bool registered = true;
  bool before = false;
  bool after = true;
  const bool known = has_membarrier();
  std::thread([&] {  // a filter holds for its thread only
    parking_word word(parking_protocol::asymmetric);
    before = word.is_asymmetric();
    forbidden = forbid_membarrier(error);
    registered = register_membarrier();
    word.before_second_look();
    after = word.is_asymmetric();
  })
      .join();
  if (!forbidden) DORMOUSE_SKIP("this system has no seccomp filters");
  CHECK(!registered);
  CHECK(before == known);
  CHECK(!after);
  CHECK(!parking_word(parking_protocol::symmetric).is_asymmetric());
}
#endif
