// SPDX-License-Identifier: MIT
#pragma once

// How a runtime as a whole behaves, and what close() says about work it left behind.

#include <dormouse/clock.hpp>
#include <dormouse/functions/report.hpp>
#include <dormouse/log.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <memory_resource>
#include <string>
#include <thread>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class executor;

// Starts a library thread: returns a joinable one that runs `body` once, or throws, which refuses it. `name` is what
// the library calls that thread (it sets the name itself). Called from any thread, library locks may be held: it must
// not call the runtime and must not block. The library joins the thread.
using spawn_hook = std::function<std::thread(const char* name, std::function<void()> body)>;

// Whose threads a runtime runs on.
enum class drive_mode : std::uint8_t {
  threads = 1,  // its own, which exist only while there is work
  host,         // none: the host calls runtime::poll() from a loop of its own
};

// runtime's constructor throws std::invalid_argument, naming the field and its bounds, for a value outside them.
struct runtime_options {
  // Behaviour -------------------------------------------------------------
  // Called once for each ended invocation; empty: costs a branch.
  invocation_observer observer{};
  // Where ctx.log() goes; empty: nowhere.
  log_sink log{};
  // The time everything is decided by; must outlive the runtime, and any handler that close() has said is still
  // running.
  // Null: the system's clock.
  const clock* time = nullptr;
  // Calls in a chain, the outermost included, 1 .. 1,000. Beyond: recursion_limit (depth).
  unsigned depth_max = 16;
  // Makes the library's threads: with a stack, a priority, an affinity of the host's liking. Empty: std::thread.
  spawn_hook spawn{};
  // With drive_mode::host `spawn` is never called, and there can be no `executor`.
  drive_mode drive = drive_mode::threads;
  // drive_mode::host only: what is ready is run in an order drawn from `seed`, one event a turn. For tests: the same
  // seed gives the same order on every machine.
  bool shuffle = false;
  // Runs the handlers of posted and submitted events on threads of the host (runtime/executor.hpp). Null: on workers of
  // the runtime. With one, the two options below do not matter for them: its concurrency() is the ceiling.
  std::shared_ptr<dormouse::executor> executor{};
  // What jitter is drawn from. Zero: from the system's clock.
  std::uint64_t seed = 0;
  // For how many ended events status() still knows how they ended, 0 .. 10,000,000; those that have not ended come on
  // top. Zero: status() knows none, and nothing is spent on it.
  std::size_t status_count_max = 0;

  // Bounds ----------------------------------------------------------------
  // Instances of all functions together, 1 .. 10,000,000. At the bound an idle instance of another function makes room;
  // when there is none, callers and events wait as they do at their function's own instances_max.
  std::size_t instances_max = 10'000;
  // Dead letters, 1 .. 100,000,000, and bytes of their data, 1 .. 1 TiB. At either, post() fails: limit_exceeded
  // (dead_letters).
  std::size_t dead_letters_max = 10'000;
  std::size_t dead_letter_bytes_max = std::size_t{64} << 20U;

  // Performance -----------------------------------------------------------
  // Ceiling of compute workers, 1 .. 1,024. Zero: the processors this process may use, at least 2.
  std::size_t compute_workers_max = 0;
  // Ceiling of the workers for functions of kind blocking, and of compute workers that are inside ctx.blocking() and
  // have been replaced, each 1 .. 4,096.
  std::size_t blocking_workers_max = 256;
  // How long a worker stays without work before it ends, 0 .. 1 h. Zero: ends at once, and the next event starts one.
  std::chrono::nanoseconds thread_idle_timeout{std::chrono::seconds{10}};
  // Where the library's memory for events, instances, functions and dead letters comes from; must outlive the runtime,
  // every pending<T> of it, and any handler that close() has said is still running. Null: new and delete. Called from
  // any thread, under the library's locks: it must not call the runtime. When it throws, what needed the memory fails
  // with out_of_memory, as it does when new throws. Not from it: threads, their lists and timers, attached triggers,
  // status(), handlers and their instances' objects, and whatever standard strings, functions and vectors hold (text
  // of failures, payloads, what members return).
  std::pmr::memory_resource* memory = nullptr;
};

struct run_options {
  // Signals that end run(); installed when it begins, put back when it returns. Empty: none.
  std::vector<int> stop_on{};
  // How long queued events may still run after the stop, 0 .. 24 h.
  std::chrono::nanoseconds drain_for{std::chrono::seconds{30}};
};

// Where an invocation was when close() stopped waiting for it.
enum class unfinished_state : std::uint8_t {
  queued = 1,  // never started, ended with shutting_down
  running,     // its handler has not returned; what it touches stays alive until it does
  waiting,     // for its next attempt or its destination; not waited for
};

struct unfinished {
  std::uint64_t invocation = 0;  // 0 for a call on a caller's thread that never asked for its id
  std::string function{};
  unfinished_state state = unfinished_state::queued;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
