#pragma once

// The function `summary`: one row in a table for each file. The trigger is attached to it; it asks the other two
// functions, which run beside each other when a worker is free and on its own thread when none is.

#include <dormouse/functions/handle.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/table.hpp>
#include <dormouse/triggers/on_file.hpp>

#include "text_statistics.hpp"

#include <string>

namespace watch_folder {

using digest_handle = dormouse::handle<std::string(const dormouse::file_event&)>;
using text_statistics_handle = dormouse::handle<text_counts(const dormouse::file_event&)>;

struct summary {
  digest_handle digest;
  text_statistics_handle text_statistics;
  dormouse::table& rows;  // whichever adapter the host chose

  // Stores the file's row, or erases it when the file is gone.
  dormouse::result<void> operator()(const dormouse::file_event& file) const;
};

}  // namespace watch_folder
