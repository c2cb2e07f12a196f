// expect: generic, overloaded or not callable
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) { host.define("f", 42); }
