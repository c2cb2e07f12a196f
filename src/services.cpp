// SPDX-License-Identifier: MIT
// Bodies of the services and of their adapters in memory. See dormouse.cpp.

#include <dormouse/detail/impl/adapters/memory_object_store.ipp>
#include <dormouse/detail/impl/adapters/memory_queue.ipp>
#include <dormouse/detail/impl/adapters/memory_queue_deliveries.ipp>
#include <dormouse/detail/impl/adapters/memory_queue_letters.ipp>
#include <dormouse/detail/impl/adapters/memory_table.ipp>
#include <dormouse/detail/impl/adapters/memory_table_changes.ipp>
#include <dormouse/detail/impl/adapters/memory_table_reads.ipp>
#include <dormouse/detail/impl/adapters/memory_topic.ipp>
#include <dormouse/detail/impl/adapters/metered.ipp>
#include <dormouse/detail/impl/adapters/prefixed_object_store.ipp>
#include <dormouse/detail/impl/adapters/prefixed_table.ipp>
#include <dormouse/detail/impl/adapters/retrying.ipp>
#include <dormouse/detail/impl/adapters/retrying_object_store.ipp>
#include <dormouse/detail/impl/services/condition.ipp>
#include <dormouse/detail/impl/services/database.ipp>
#include <dormouse/detail/impl/services/message_event.ipp>
#include <dormouse/detail/impl/services/migration.ipp>
#include <dormouse/detail/impl/services/object_store.ipp>
#include <dormouse/detail/impl/services/object_stream.ipp>
#include <dormouse/detail/impl/services/queue.ipp>
#include <dormouse/detail/impl/services/sql_value.ipp>
#include <dormouse/detail/impl/services/table.ipp>
#include <dormouse/detail/impl/services/table_checks.ipp>
#include <dormouse/detail/impl/services/table_fingerprint.ipp>
#include <dormouse/detail/impl/services/table_types.ipp>
#include <dormouse/detail/impl/services/table_update.ipp>
#include <dormouse/detail/impl/services/topic.ipp>
