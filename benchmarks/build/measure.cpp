// SPDX-License-Identifier: MIT
// What hello costs to compile, and how large it is. `measure CONTENDER ...`: fmt, or dormouse.

#include "common/measure.hpp"

#include "common/trials.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace {

const char* const hello_fmt = R"(#include <fmt/format.h>
int main() { fmt::print("{}\n", "hello world"); }
)";

std::string hello_dormouse(const std::string& header) {
  return "#include <" + header + R"(>
#include <cstdio>
#include <string>
int main() {
  dormouse::runtime host;
  auto greet = host.define("greet", [](const std::string& who) { return "hello " + who; });
  std::puts(greet("world").value().c_str());
}
)";
}

// Peak memory in MB of the command and its children.
double run(const std::string& command) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  ::wait4(child, &status, 0, &used);
  bench::require(WIFEXITED(status) && WEXITSTATUS(status) == 0, command.c_str());
  return static_cast<double>(used.ru_maxrss) / 1'024;
}

void compile(const std::string& text, const std::string& flags, const std::string& libraries) {
  const auto folder = std::filesystem::temp_directory_path() / ("dormouse-build-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string base = (folder / "hello").string();
  std::ofstream(base + ".cpp") << text;
  const std::string compiler = DORMOUSE_BENCH_COMPILER " ";
  const auto begun = bench::now_ns();
  const double memory = run(compiler + "-std=c++20 -O2 -DNDEBUG " + flags + " -c " + base + ".cpp -o " + base + ".o");
  bench::report("compile", "s", static_cast<double>(bench::now_ns() - begun) / 1e9);
  bench::report("peak memory", "MB", memory);
  run(compiler + base + ".o " + libraries + " -lfmt -lpthread -o " + base + " && strip " + base);
  run(base + " | grep -q '^hello world$'");
  bench::report("stripped binary", "KiB", static_cast<double>(std::filesystem::file_size(base)) / 1'024);
  std::filesystem::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string contender = argc > 1 ? argv[1] : "";
  const std::string include = "-I" DORMOUSE_SOURCE_DIR "/include ";
  const std::string all_inline = include + "-isystem " DORMOUSE_BENCH_QUEUE " -DDORMOUSE_HEADER_ONLY=1";
  std::vector<bench::trial> all;
  const auto add = [&](const char* variant, const std::string& text, const std::string& flags, const char* library,
                       unsigned rounds) {
    all.push_back({"build", variant, [=](double) { compile(text, flags, library); }, rounds});
  };
  if (contender == "fmt") {
    add("hello, -O2", hello_fmt, "", "", 2);
  } else {
    add("hello, -O2", hello_dormouse("dormouse/runtime.hpp"), include, DORMOUSE_BENCH_LIBRARY, 2);
    add("hello, -O2, umbrella", hello_dormouse("dormouse/dormouse.hpp"), include, DORMOUSE_BENCH_LIBRARY, 2);
    add("hello, -O2, header_only", hello_dormouse("dormouse/dormouse.hpp"), all_inline, "", 1);
  }
  return bench::run_trials(argc - 1, argv + 1, all);
}
