// SPDX-License-Identifier: MIT
// The bodies of dormouse::dormouse, compiled once. The same files are inline in dormouse::header_only. Here is what
// every program needs, in one file, so that the compiler sees the paths of a call as a whole. What a linker may leave
// out is in files of its own.

#include <dormouse/detail/impl/bindings.ipp>
#include <dormouse/detail/impl/clock.ipp>
#include <dormouse/detail/impl/codec.ipp>
#include <dormouse/detail/impl/cold_start.ipp>
#include <dormouse/detail/impl/context.ipp>
#include <dormouse/detail/impl/core.ipp>
#include <dormouse/detail/impl/dead_letters.ipp>
#include <dormouse/detail/impl/deliveries.ipp>
#include <dormouse/detail/impl/dump.ipp>
#include <dormouse/detail/impl/entry.ipp>
#include <dormouse/detail/impl/event.ipp>
#include <dormouse/detail/impl/event_queue.ipp>
#include <dormouse/detail/impl/event_runs.ipp>
#include <dormouse/detail/impl/every.ipp>
#include <dormouse/detail/impl/failure.ipp>
#include <dormouse/detail/impl/functions.ipp>
#include <dormouse/detail/impl/host_driver.ipp>
#include <dormouse/detail/impl/housekeeper.ipp>
#include <dormouse/detail/impl/instance_limits.ipp>
#include <dormouse/detail/impl/instance_pool.ipp>
#include <dormouse/detail/impl/invocation.ipp>
#include <dormouse/detail/impl/keep_alive.ipp>
#include <dormouse/detail/impl/keep_alive_policies.ipp>
#include <dormouse/detail/impl/lane.ipp>
#include <dormouse/detail/impl/log.ipp>
#include <dormouse/detail/impl/outcomes.ipp>
#include <dormouse/detail/impl/reaper.ipp>
#include <dormouse/detail/impl/recycler.ipp>
#include <dormouse/detail/impl/registry.ipp>
#include <dormouse/detail/impl/runtime.ipp>
#include <dormouse/detail/impl/runtime/executor.ipp>
#include <dormouse/detail/impl/sleeper.ipp>
#include <dormouse/detail/impl/task_lane.ipp>
#include <dormouse/detail/impl/timekeeper.ipp>
#include <dormouse/detail/impl/undefine.ipp>
#include <dormouse/detail/impl/versions.ipp>
#include <dormouse/detail/impl/work_ring.ipp>
