// SPDX-License-Identifier: MIT
#pragma once

// A table with the faults of a plan: see service_faults.hpp.
// Threads: any. Blocking, Errors: as the inner one; and what the plan says. The inner one and the plan must outlive it.

#include <dormouse/detail/forwarding_table.hpp>
#include <dormouse/services/table.hpp>
#include <dormouse/testing/services/service_faults.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

class faulty_table final : public detail::forwarding_table<service_faults> {
 public:
  faulty_table(table& inner, service_fault_plan& plan) : forwarding_table(inner, plan) {}
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
