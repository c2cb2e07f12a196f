// SPDX-License-Identifier: MIT
#pragma once
#include <dormouse/detail/shared.hpp>
