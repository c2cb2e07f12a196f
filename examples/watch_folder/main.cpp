// watch_folder: a host that watches a folder. Each file dropped into it is an event; functions digest it, look at its
// text and write a row into a table. Between the events there is nothing: no thread, no instance.
//
//   example_watch_folder            feeds itself, shows what happens, checks it, ends
//   example_watch_folder FOLDER     watches yours until Ctrl-C
//   example_watch_folder --quick    feeds itself a little, as a test
//
// Where to read: host.cpp has the runtime and its functions; summary.cpp, digest.cpp and text_statistics.cpp are those.
// The rest is scenery.

#include "self_feeding.hpp"
#include "user_folder.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

int main(int count, char** arguments) {
  const std::string_view argument = count > 1 ? arguments[1] : "";
  if (count > 2 || argument == "--help") {
    fmt::print(stderr, "usage: {} [FOLDER | --quick]\n", arguments[0]);
    return argument == "--help" ? EXIT_SUCCESS : 2;
  }
  std::signal(SIGPIPE, SIG_IGN);  // who closes our output must not keep us from tidying up
  try {
    if (argument.empty() || argument == "--quick") {
      return watch_folder::feed_and_watch({.quick = !argument.empty()});
    }
    return watch_folder::watch_until_interrupted(argument, "build/demo.svg");
  } catch (const std::exception& why) {
    fmt::print(stderr, "watch_folder: {}\n", why.what());
    return EXIT_FAILURE;
  }
}
