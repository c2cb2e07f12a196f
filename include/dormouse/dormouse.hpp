// SPDX-License-Identifier: MIT
#pragma once

// The core in one include: vocabulary, functions, runtime, services with their memory adapters.
// Triggers, JSON and testing have their own headers.

#include <dormouse/adapters/memory_object_store.hpp>
#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/adapters/memory_topic.hpp>
#include <dormouse/clock.hpp>
#include <dormouse/codec.hpp>
#include <dormouse/event.hpp>
#include <dormouse/failure.hpp>
#include <dormouse/functions/context.hpp>
#include <dormouse/functions/handle.hpp>
#include <dormouse/functions/handler.hpp>
#include <dormouse/functions/pending.hpp>
#include <dormouse/functions/report.hpp>
#include <dormouse/log.hpp>
#include <dormouse/payload.hpp>
#include <dormouse/result.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/runtime/executor.hpp>
#include <dormouse/runtime/trigger.hpp>
#include <dormouse/services/message_event.hpp>
#include <dormouse/services/object_store.hpp>
#include <dormouse/services/table.hpp>
#include <dormouse/services/topic.hpp>
