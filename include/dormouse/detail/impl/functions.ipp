// SPDX-License-Identifier: MIT
#pragma once

// The bodies of what is declared under functions/ need the whole runtime: a file that includes only one of those
// headers gets it after that header is complete. In any other order this adds nothing.

#include <dormouse/runtime.hpp>
