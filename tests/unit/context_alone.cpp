// SPDX-License-Identifier: MIT
// Includes nothing but the context: that must be enough to use one, in either flavour. See alone_test.cpp.

#include <dormouse/functions/context.hpp>

unsigned use_context(dormouse::context& ctx);

unsigned use_context(dormouse::context& ctx) {
  ctx.log(dormouse::log_level::info, "{}", ctx.lineage());
  return ctx.stop_requested() ? 0 : ctx.depth();
}
