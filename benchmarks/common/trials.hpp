// SPDX-License-Identifier: MIT
#pragma once

// What a program of the suite can be asked: the driver lists its trials, then runs one a process.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

namespace bench {

struct trial {
  const char* question;
  const char* variant;
  std::function<void(double effort)> run;
  unsigned rounds_max = 0;  // for trials that take long; 0: as many as are wanted
};

// program --list | program QUESTION VARIANT EFFORT. The list has a trial a line: question, tab, variant, tab, rounds.
inline int run_trials(int argc, char** argv, const std::vector<trial>& trials) {
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    for (const auto& each : trials) std::printf("%s\t%s\t%u\n", each.question, each.variant, each.rounds_max);
    return 0;
  }
  for (const auto& each : trials) {
    if (argc != 4 || std::strcmp(argv[1], each.question) != 0 || std::strcmp(argv[2], each.variant) != 0) continue;
    each.run(std::strtod(argv[3], nullptr));
    return 0;
  }
  std::fprintf(stderr, "usage: %s --list | QUESTION VARIANT EFFORT\n", argv[0]);
  return 2;
}

}  // namespace bench
