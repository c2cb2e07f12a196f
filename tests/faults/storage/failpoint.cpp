// SPDX-License-Identifier: MIT
// DORMOUSE_FAILPOINT=name:n in the environment: the process is gone as it passes that place for the n-th time.

#include "engines/failpoint.hpp"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace {

struct wanted {
  std::string_view name{};
  int passes = 0;
};

wanted read_wanted() noexcept {
  const char* const text = std::getenv("DORMOUSE_FAILPOINT");
  const std::string_view all = text != nullptr ? text : "";
  const auto colon = all.find(':');
  if (colon == std::string_view::npos) return {};
  return {all.substr(0, colon), std::atoi(all.data() + colon + 1)};
}

}  // namespace

void pass(failpoint at) noexcept {
  static const wanted here = read_wanted();
  static std::atomic<int> passes{0};
  if (failpoint_names[static_cast<std::size_t>(at)] != here.name) return;
  if (++passes == here.passes) ::kill(::getpid(), SIGKILL);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
