// SPDX-License-Identifier: MIT
#pragma once
#include <dormouse/functions/registry.hpp>
#include <sqlite3.h>
