// SPDX-License-Identifier: MIT
#include <dormouse/dormouse.hpp>
