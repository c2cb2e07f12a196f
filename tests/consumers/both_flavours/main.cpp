// SPDX-License-Identifier: MIT
#include <cstdio>
#include <string>
#include <string_view>

std::string left(std::string_view who);
std::string right(std::string_view who);

int main() {
  const std::string said = left("consumer");
  if (said != right("consumer")) return 1;
  std::puts(said.c_str());
  return 0;
}
