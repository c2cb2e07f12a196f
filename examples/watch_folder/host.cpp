#include "host.hpp"

#include <dormouse/functions/handler.hpp>

#include "digest.hpp"
#include "summary.hpp"
#include "text_statistics.hpp"

#include <utility>

namespace watch_folder {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t workers = 4;  // more than processors, perhaps: reading a file waits for the disk

dormouse::runtime_options runtime_options_for(measurements& measured, const host_options& options) {
  return {.observer = [&measured](const dormouse::invocation_report& report) { measured.add(report); },
          .compute_workers_max = workers,
          .thread_idle_timeout = options.idle_timeout};
}

auto define_functions(dormouse::runtime& runtime, dormouse::table& rows, const host_options& options) {
  const dormouse::function_options limits{
      .timeout = 1h,  // a file may be large
      .instances_max = workers,
      .idle_timeout = options.idle_timeout,
  };
  const auto hash = runtime.define("digest", dormouse::per_instance([] { return digest{}; }), limits);
  const auto counts = runtime.define("text_statistics", &text_statistics, limits);
  return runtime.define("summary", summary{hash, counts, rows}, limits);
}

}  // namespace

host::host(std::filesystem::path folder, std::unique_ptr<dormouse::table> rows_to_use, const host_options& options)
    : rows(std::move(rows_to_use)),
      runtime(runtime_options_for(measured, options)),
      folder_(std::move(folder)),
      summary_(define_functions(runtime, *rows, options)) {}

dormouse::result<dormouse::binding> host::watch() {
  return runtime.attach(dormouse::on_file(folder_, {.existing = true, .deleted = true}), summary_);
}

}  // namespace watch_folder
