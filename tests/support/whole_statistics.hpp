// SPDX-License-Identifier: MIT
#pragma once

// A function gets memory for histograms and uncommon counts with the first that needs them: for tests that compare
// memory, that is done here, by a refused call.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>

namespace support {

template <class Handle, class... Arguments>
void make_statistics_whole(dormouse::runtime& host, const Handle& function, const Arguments&... arguments) {
  REQUIRE(host.pause(function));
  CHECK(!function(arguments...));
  REQUIRE(host.resume(function));
}

}  // namespace support
