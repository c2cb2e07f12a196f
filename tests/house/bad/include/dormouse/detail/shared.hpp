// SPDX-License-Identifier: MIT
#pragma once
#include <dormouse/functions/registry.hpp>
