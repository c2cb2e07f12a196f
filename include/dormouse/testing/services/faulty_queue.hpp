// SPDX-License-Identifier: MIT
#pragma once

// A queue with the faults of a plan: see service_faults.hpp.
// Threads: any. Blocking, Errors: as the inner one; and what the plan says. The inner one and the plan must outlive it.

#include <dormouse/detail/forwarding_queue.hpp>
#include <dormouse/services/queue.hpp>
#include <dormouse/testing/services/service_faults.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

class faulty_queue final : public detail::forwarding_queue<service_faults> {
 public:
  faulty_queue(queue& inner, service_fault_plan& plan) : forwarding_queue(inner, plan) {}
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
