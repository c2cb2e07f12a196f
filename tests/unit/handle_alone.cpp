// SPDX-License-Identifier: MIT
// Includes nothing but the handle: that must be enough to call through one, in either flavour. See alone_test.cpp.

#include <dormouse/functions/handle.hpp>

int use_handle(const dormouse::handle<int(int)>& function);

int use_handle(const dormouse::handle<int(int)>& function) {
  return function(2).value() + function.submit(3)->get().value();
}
