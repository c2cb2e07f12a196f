#pragma once

// What does standard output understand?

#include <cstddef>

namespace watch_folder {

// Lines can be drawn over: it is a terminal, and not a dumb one.
[[nodiscard]] bool can_redraw();
// By the locale's name, as the C library reads it.
[[nodiscard]] bool speaks_utf8();
// Of the terminal; 100 without one.
[[nodiscard]] std::size_t terminal_columns();

}  // namespace watch_folder
