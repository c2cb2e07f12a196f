// SPDX-License-Identifier: MIT
// Bodies of the services and of their adapters in memory. See dormouse.cpp.

#include <dormouse/detail/impl/adapters/memory_object_store.ipp>
#include <dormouse/detail/impl/adapters/memory_table.ipp>
#include <dormouse/detail/impl/services/object_store.ipp>
#include <dormouse/detail/impl/services/object_stream.ipp>
#include <dormouse/detail/impl/services/table.ipp>
