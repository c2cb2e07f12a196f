// SPDX-License-Identifier: MIT
#include "dormouse.hpp"

#include <cstdio>
#include <string>

std::string second(dormouse::runtime& runtime);

int main() {
  dormouse::runtime runtime;
  std::puts(second(runtime).c_str());
  return 0;
}
