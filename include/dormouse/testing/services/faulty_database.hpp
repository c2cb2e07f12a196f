// SPDX-License-Identifier: MIT
#pragma once

// A database with the faults of a plan: see service_faults.hpp.
// Threads: any. Blocking, Errors: as the inner one; and what the plan says. The inner one and the plan must outlive it.

#include <dormouse/detail/forwarding_database.hpp>
#include <dormouse/services/database.hpp>
#include <dormouse/testing/services/service_faults.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

class faulty_database final : public detail::forwarding_database<service_faults> {
 public:
  faulty_database(database& inner, service_fault_plan& plan) : forwarding_database(inner, plan) {}
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
