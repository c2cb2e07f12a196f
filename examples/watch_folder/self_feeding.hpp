#pragma once

// The demo without an argument: it makes a folder, drops files into it in two bursts with a pause, and checks all that
// it claims.

#include "row_store.hpp"

#include <filesystem>

namespace watch_folder {

struct self_feeding_options {
  bool quick = false;  // a few small files, for the test
  std::filesystem::path chart = "build/demo.svg";
  row_store store = row_store::memory;
};

// The exit status. Throws what the file system refuses.
int feed_and_watch(const self_feeding_options& options);

}  // namespace watch_folder
