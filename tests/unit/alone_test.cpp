// SPDX-License-Identifier: MIT
// A host's other source files include only what they use.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>

unsigned use_context(dormouse::context& ctx);
int use_handle(const dormouse::handle<int(int)>& function);

TEST_CASE("a source file needs to include no more than the header it uses", "[handle][context]") {
  dormouse::runtime host;
  const auto twice = host.define("twice", [](int n) { return 2 * n; });
  CHECK(use_handle(twice) == 10);
  auto depth = host.define("depth", [](dormouse::context& ctx) { return use_context(ctx); });
  CHECK(*depth() == 1);
}
