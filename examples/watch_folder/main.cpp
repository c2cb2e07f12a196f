// watch_folder: a host that watches a folder. Each file dropped into it is an event; functions digest it, look at its
// text and write a row into a table. Between the events there is nothing: no thread, no instance.
//
//   example_watch_folder            feeds itself, shows what happens, checks it, ends
//   example_watch_folder FOLDER     watches yours until Ctrl-C
//   example_watch_folder --quick    feeds itself a little, as a test
//   ... --store=sqlite              keeps the rows in a file of SQLite's instead of in memory; no handler knows
//
// Where to read: host.cpp has the runtime and its functions; summary.cpp, digest.cpp and text_statistics.cpp are those.
// The rest is scenery.

#include "row_store.hpp"
#include "self_feeding.hpp"
#include "user_folder.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string_view>

int main(int count, char** arguments) {
  constexpr std::string_view store_option = "--store=";
  auto store = std::optional(watch_folder::row_store::memory);
  if (count > 1 && std::string_view(arguments[count - 1]).starts_with(store_option)) {
    store = watch_folder::row_store_named(std::string_view(arguments[--count]).substr(store_option.size()));
  }
  const std::string_view argument = count > 1 ? arguments[1] : "";
  if (count > 2 || !store || argument == "--help") {
    fmt::print(stderr, "usage: {} [FOLDER | --quick] [--store=memory | --store=sqlite]\n", arguments[0]);
    return argument == "--help" ? EXIT_SUCCESS : 2;
  }
  std::signal(SIGPIPE, SIG_IGN);  // who closes our output must not keep us from tidying up
  try {
    if (argument.empty() || argument == "--quick") {
      return watch_folder::feed_and_watch({.quick = !argument.empty(), .store = *store});
    }
    return watch_folder::watch_until_interrupted(argument, *store, "build/demo.svg");
  } catch (const std::exception& why) {
    fmt::print(stderr, "watch_folder: {}\n", why.what());
    return EXIT_FAILURE;
  }
}
