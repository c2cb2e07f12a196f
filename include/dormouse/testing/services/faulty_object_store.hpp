// SPDX-License-Identifier: MIT
#pragma once

// An object store with the faults of a plan: see service_faults.hpp.
// Threads: any. Blocking, Errors: as the inner one; and what the plan says. The inner one and the plan must outlive it.

#include <dormouse/detail/forwarding_object_store.hpp>
#include <dormouse/services/object_store.hpp>
#include <dormouse/testing/services/service_faults.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

class faulty_object_store final : public detail::forwarding_object_store<service_faults> {
 public:
  faulty_object_store(object_store& inner, service_fault_plan& plan) : forwarding_object_store(inner, plan) {}
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
