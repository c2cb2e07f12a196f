// SPDX-License-Identifier: MIT
#pragma once
// This line is longer than the column limit of one hundred and twenty characters, and no formatter is asked to break it up.
