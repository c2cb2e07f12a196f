#pragma once

// The host application: a table, a runtime, three functions. Nothing runs before something is attached.

#include <dormouse/functions/handle.hpp>
#include <dormouse/result.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/services/table.hpp>
#include <dormouse/triggers/on_file.hpp>

#include "live_view.hpp"
#include "measurements.hpp"
#include "meter.hpp"

#include <chrono>
#include <filesystem>
#include <memory>

namespace watch_folder {

struct host_options {
  // How long instances and threads stay without work. Short, so that one sees them go.
  std::chrono::milliseconds idle_timeout{500};
};

class host {
 public:
  host(std::filesystem::path folder, std::unique_ptr<dormouse::table> rows, const host_options& options);

  // Files that are there already are events, too. Fails when the folder cannot be watched.
  dormouse::result<dormouse::binding> watch();
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

  // Services first: they outlive the runtime, whose handlers use them.
  const std::unique_ptr<dormouse::table> rows;
  measurements measured{};
  dormouse::runtime runtime;

 private:
  std::filesystem::path folder_;
  dormouse::handle<void(const dormouse::file_event&)> summary_;
};

}  // namespace watch_folder
