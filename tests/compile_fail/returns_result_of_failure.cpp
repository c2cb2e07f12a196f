// expect: not a failure
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) {
  host.define("f", []() -> dormouse::result<dormouse::failure> { return {}; });
}
