// SPDX-License-Identifier: MIT
// A host of stores that have been used and now rest, with triggers that wait for their changes: it prints "zero", and
// then waits in run().

#include <dormouse/adapters/filesystem_object_store.hpp>
#include <dormouse/adapters/sqlite.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/triggers/on_change.hpp>
#include <dormouse/triggers/on_object.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  if (argc != 2) return 1;
  const std::string folder = argv[1];
  const auto file = dormouse::open_sqlite_file({.path = folder + "/data.db"}).value();
  const auto rows =
      dormouse::open_sqlite_table(file, {.schema = {.change_view = dormouse::table_change_view::keys}}).value();
  const auto books = dormouse::open_sqlite_database(file).value();
  const auto objects = dormouse::open_filesystem_object_store({.root = folder + "/objects"}).value();

  dormouse::runtime runtime({.thread_idle_timeout = 10ms});
  std::atomic<int> seen{0};
  auto count = runtime.define("count", [&](const dormouse::event&) { ++seen; }, {.idle_timeout = 10ms});
  runtime.attach(dormouse::on_change(*rows), count).value();
  runtime.attach(dormouse::on_object_created(*objects), count).value();

  books->execute("create table t(n integer)").value();
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 8; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 20; ++i) {
        const std::string name = std::to_string(writer * 100 + i);
        rows->put({name, ""}, {}).value();
        rows->get({name, ""}).value();
        books->execute("insert into t values(?)", {i}).value();
        objects->put(name, std::string(1'000 + 10'000 * static_cast<std::size_t>(i), 'x')).value();
        objects->get(name).value();
      }
    });
  }
  for (auto& each : writers) each.join();
  const bool at_zero = dormouse::testing::eventually(30s, [&] {
    const auto now = runtime.stats();
    return seen == 8 * 20 * 2 && now.instances == 0 && now.queued == 0 && now.threads <= 1;
  });
  if (!at_zero) return 2;
  std::puts("zero");
  std::fflush(stdout);
  return runtime.run({.stop_on = {SIGTERM}}) ? 0 : 3;
}
