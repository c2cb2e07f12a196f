// SPDX-License-Identifier: MIT
#include "table.hpp"
#include <concurrentqueue.h>
#include <fmt/format.h>
#include <vector>
