// SPDX-License-Identifier: MIT
#pragma once

// The contenders' programs, and one run of one of them.

#include "driver/results.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace bench {

// One question, in one variant, to one contender.
struct task {
  std::string question;
  std::string variant;
  std::string contender;
  std::vector<std::string> command;
  std::size_t rounds_max = 0;  // 0: as many as there are; long ones say less
};

struct missing_contender {
  std::string name;
  std::string package;
};

struct suite {
  std::vector<task> tasks;
  std::vector<missing_contender> missing;
};

// Reads the manifest of the build and asks each program what it can be asked. Throws std::runtime_error.
[[nodiscard]] suite read_suite(const std::string& manifest);

struct found_figure {
  std::string metric;
  std::string unit;
  figure value;
};
// Runs it in a process of its own, for at most two minutes. Throws std::runtime_error when it fails, by itself or
// because its work was wrong.
[[nodiscard]] std::vector<found_figure> run_task(const task& what, double effort);

}  // namespace bench
