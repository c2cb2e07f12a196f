#pragma once

// The demo with an argument: it watches that folder until Ctrl-C, then prints the closing table.

#include "row_store.hpp"

#include <filesystem>

namespace watch_folder {

// The exit status.
int watch_until_interrupted(const std::filesystem::path& folder, row_store store, const std::filesystem::path& chart);

}  // namespace watch_folder
