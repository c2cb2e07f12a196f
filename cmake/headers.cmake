# Which files are the library? Written out, not globbed: a build must not depend on what happens to lie around.
# tests/house compares these lists with the disk, so a forgotten file fails.

# What users include. Each compiles alone (scripts/check-headers).
set(DORMOUSE_PUBLIC_HEADERS
    include/dormouse/adapters/memory_table.hpp
    include/dormouse/clock.hpp
    include/dormouse/codec.hpp
    include/dormouse/dormouse.hpp
    include/dormouse/event.hpp
    include/dormouse/failure.hpp
    include/dormouse/functions/acceptance.hpp
    include/dormouse/functions/attempt_record.hpp
    include/dormouse/functions/context.hpp
    include/dormouse/functions/destination.hpp
    include/dormouse/functions/function_options.hpp
    include/dormouse/functions/handle.hpp
    include/dormouse/functions/handler.hpp
    include/dormouse/functions/histogram.hpp
    include/dormouse/functions/invocation_status.hpp
    include/dormouse/functions/pending.hpp
    include/dormouse/functions/reply.hpp
    include/dormouse/functions/report.hpp
    include/dormouse/functions/retry_policy.hpp
    include/dormouse/log.hpp
    include/dormouse/payload.hpp
    include/dormouse/result.hpp
    include/dormouse/runtime.hpp
    include/dormouse/runtime/dead_letter.hpp
    include/dormouse/runtime/executor.hpp
    include/dormouse/runtime/runtime_options.hpp
    include/dormouse/runtime/trigger.hpp
    include/dormouse/services/table.hpp
    include/dormouse/testing/eventually.hpp
    include/dormouse/testing/manual_clock.hpp
    include/dormouse/triggers/on_file.hpp
)

# Conformance suites: installed, but they need the user's Catch2 before them, so they do not compile alone.
set(DORMOUSE_CONFORMANCE_HEADERS
    include/dormouse/testing/services/table_conformance.hpp
)

# Needs nlohmann-json; belongs to dormouse::json.
set(DORMOUSE_JSON_HEADERS
    include/dormouse/json.hpp
)

# Not API.
set(DORMOUSE_DETAIL_HEADERS
    include/dormouse/detail/bindings.hpp
    include/dormouse/detail/bodies.hpp
    include/dormouse/detail/config.hpp
    include/dormouse/detail/core.hpp
    include/dormouse/detail/delayed_events.hpp
    include/dormouse/detail/entry.hpp
    include/dormouse/detail/event_queue.hpp
    include/dormouse/detail/function_activity.hpp
    include/dormouse/detail/function_record.hpp
    include/dormouse/detail/handler_adapter.hpp
    include/dormouse/detail/handler_ops.hpp
    include/dormouse/detail/instance_pool.hpp
    include/dormouse/detail/invocation.hpp
    include/dormouse/detail/lane.hpp
    include/dormouse/detail/lease.hpp
    include/dormouse/detail/outcomes.hpp
    include/dormouse/detail/platform/cycle_counter.hpp
    include/dormouse/detail/platform/directory_watch.hpp
    include/dormouse/detail/platform/gate.hpp
    include/dormouse/detail/platform/membarrier.hpp
    include/dormouse/detail/platform/parking.hpp
    include/dormouse/detail/platform/signals.hpp
    include/dormouse/detail/platform/sleeper.hpp
    include/dormouse/detail/platform/thread.hpp
    include/dormouse/detail/registry.hpp
    include/dormouse/detail/retry_budget.hpp
    include/dormouse/detail/spinner.hpp
    include/dormouse/detail/status_board.hpp
    include/dormouse/detail/task_lane.hpp
    include/dormouse/detail/task_state.hpp
    include/dormouse/detail/thread_shelf.hpp
    include/dormouse/detail/timekeeper.hpp
    include/dormouse/detail/waiting.hpp
    include/dormouse/detail/work_item.hpp
    include/dormouse/detail/worker_pool.hpp
)

# Bodies: inline in dormouse::header_only, compiled once by src/dormouse.cpp in dormouse::dormouse.
set(DORMOUSE_BODIES
    include/dormouse/detail/impl/adapters/memory_table.ipp
    include/dormouse/detail/impl/bindings.ipp
    include/dormouse/detail/impl/clock.ipp
    include/dormouse/detail/impl/codec.ipp
    include/dormouse/detail/impl/cold_start.ipp
    include/dormouse/detail/impl/context.ipp
    include/dormouse/detail/impl/core.ipp
    include/dormouse/detail/impl/dead_letters.ipp
    include/dormouse/detail/impl/deliveries.ipp
    include/dormouse/detail/impl/directory_scan.ipp
    include/dormouse/detail/impl/directory_watch.ipp
    include/dormouse/detail/impl/dump.ipp
    include/dormouse/detail/impl/entry.ipp
    include/dormouse/detail/impl/event.ipp
    include/dormouse/detail/impl/event_queue.ipp
    include/dormouse/detail/impl/every.ipp
    include/dormouse/detail/impl/failure.ipp
    include/dormouse/detail/impl/functions.ipp
    include/dormouse/detail/impl/housekeeper.ipp
    include/dormouse/detail/impl/instance_limits.ipp
    include/dormouse/detail/impl/versions.ipp
    include/dormouse/detail/impl/instance_pool.ipp
    include/dormouse/detail/impl/invocation.ipp
    include/dormouse/detail/impl/lane.ipp
    include/dormouse/detail/impl/log.ipp
    include/dormouse/detail/impl/outcomes.ipp
    include/dormouse/detail/impl/reaper.ipp
    include/dormouse/detail/impl/registry.ipp
    include/dormouse/detail/impl/runtime.ipp
    include/dormouse/detail/impl/runtime/executor.ipp
    include/dormouse/detail/impl/services/table.ipp
    include/dormouse/detail/impl/sleeper.ipp
    include/dormouse/detail/impl/task_lane.ipp
    include/dormouse/detail/impl/timekeeper.ipp
    include/dormouse/detail/impl/triggers/on_file.ipp
    include/dormouse/detail/impl/undefine.ipp
    include/dormouse/detail/impl/unsure_files.ipp
    include/dormouse/detail/impl/work_ring.ipp
)
