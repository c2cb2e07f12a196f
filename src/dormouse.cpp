// SPDX-License-Identifier: MIT
// The bodies of dormouse::dormouse, compiled once. The same files are inline in dormouse::header_only.

#include <dormouse/detail/impl/adapters/memory_table.ipp>
#include <dormouse/detail/impl/bindings.ipp>
#include <dormouse/detail/impl/clock.ipp>
#include <dormouse/detail/impl/codec.ipp>
#include <dormouse/detail/impl/cold_start.ipp>
#include <dormouse/detail/impl/context.ipp>
#include <dormouse/detail/impl/core.ipp>
#include <dormouse/detail/impl/directory_scan.ipp>
#include <dormouse/detail/impl/directory_watch.ipp>
#include <dormouse/detail/impl/entry.ipp>
#include <dormouse/detail/impl/event.ipp>
#include <dormouse/detail/impl/event_queue.ipp>
#include <dormouse/detail/impl/every.ipp>
#include <dormouse/detail/impl/failure.ipp>
#include <dormouse/detail/impl/functions.ipp>
#include <dormouse/detail/impl/housekeeper.ipp>
#include <dormouse/detail/impl/instance_pool.ipp>
#include <dormouse/detail/impl/invocation.ipp>
#include <dormouse/detail/impl/lane.ipp>
#include <dormouse/detail/impl/log.ipp>
#include <dormouse/detail/impl/reaper.ipp>
#include <dormouse/detail/impl/registry.ipp>
#include <dormouse/detail/impl/runtime.ipp>
#include <dormouse/detail/impl/runtime/executor.ipp>
#include <dormouse/detail/impl/services/table.ipp>
#include <dormouse/detail/impl/sleeper.ipp>
#include <dormouse/detail/impl/task_lane.ipp>
#include <dormouse/detail/impl/timekeeper.ipp>
#include <dormouse/detail/impl/triggers/on_file.ipp>
#include <dormouse/detail/impl/unsure_files.ipp>
