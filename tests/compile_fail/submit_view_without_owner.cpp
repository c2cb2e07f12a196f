// expect: has no owner
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

#include <span>
void wire(dormouse::runtime& host) {
  auto f = host.define("f", [](std::span<const int> values) { return values.size(); });
  int one[1] = {1};
  (void)f.submit(std::span<const int>(one));
}
