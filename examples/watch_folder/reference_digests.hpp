#pragma once

// What does the program `sha256sum` say about the same files?

#include "rows.hpp"

#include <cstddef>
#include <filesystem>

namespace watch_folder {

// Runs sha256sum once, over the files below the folder that have a digest of ours. Empty when it cannot be run. Throws
// std::system_error when its answer cannot be kept.
[[nodiscard]] digests_by_file run_sha256sum(const std::filesystem::path& folder, const digests_by_file& files);

// How many of `ours` has `theirs` as well, with the same digest?
[[nodiscard]] std::size_t count_equal(const digests_by_file& ours, const digests_by_file& theirs);

}  // namespace watch_folder
