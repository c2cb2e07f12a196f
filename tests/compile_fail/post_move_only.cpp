// expect: it must be copyable
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) {
  auto f = host.define("f", [](std::unique_ptr<int> value) { return *value; });
  (void)f.post(std::make_unique<int>(1));
}
