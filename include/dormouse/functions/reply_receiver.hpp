// SPDX-License-Identifier: MIT
#pragma once

// Who is told how an event of trigger_port::submit() ended.

#include <dormouse/detail/config.hpp>
#include <dormouse/functions/reply.hpp>
#include <dormouse/result.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class reply_receiver {
 public:
  virtual ~reply_receiver() = default;
  reply_receiver(const reply_receiver&) = delete;
  reply_receiver& operator=(const reply_receiver&) = delete;

  // Called once for each event that was accepted, on the thread that ended it, which may be inside submit() and after
  // the trigger's stop(); the event counts as running until it returns. The reply of the handler, or why there is none:
  // function_failed and the like as of any call; and, not_applied, when no handler has seen the event: not_found
  // (undefined), shutting_down, cancelled by take_back().
  // Must not block before stop() has returned, and may call nothing of the port but wake_soon(), nor that afterwards.
  virtual void ended(result<reply>&& outcome) noexcept = 0;

 protected:
  reply_receiver() = default;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
