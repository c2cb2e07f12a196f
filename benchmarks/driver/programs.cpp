// SPDX-License-Identifier: MIT
#include "driver/programs.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace bench {

namespace {

constexpr unsigned seconds_max = 120;

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, '\t');) fields.push_back(field);
  return fields;
}

void keep_one_processor() {
  cpu_set_t allowed;
  ::sched_getaffinity(0, sizeof(allowed), &allowed);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ::sched_setaffinity(0, sizeof(one), &one);
    return;
  }
}

[[noreturn]] void become(const std::vector<std::string>& command, bool one_processor) {
  ::alarm(seconds_max);  // survives exec; its default ends the program
  if (one_processor) keep_one_processor();
  std::vector<char*> argv;
  for (const auto& each : command) argv.push_back(const_cast<char*>(each.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

// What the command prints.
std::string output_of(const std::vector<std::string>& command, bool one_processor) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    become(command, one_processor);
  }
  ::close(ends[1]);
  std::string text;
  std::array<char, 4'096> buffer{};
  for (ssize_t got = 0; (got = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  throw std::runtime_error(WIFSIGNALED(status) ? fmt::format("ended by signal {}", WTERMSIG(status))
                                               : fmt::format("ended with {}", WEXITSTATUS(status)));
}

void add_trials(suite& all, const std::string& contender, const std::vector<std::string>& command) {
  auto list = command;
  list.emplace_back("--list");
  std::istringstream listed(output_of(list, false));
  for (std::string trial; std::getline(listed, trial);) {
    const auto parts = split(trial);
    all.tasks.push_back({.question = parts.at(0),
                         .variant = parts.at(1),
                         .contender = contender,
                         .command = command,
                         .rounds_max = std::stoul(parts.at(2))});
  }
}

}  // namespace

suite read_suite(const std::string& manifest) {
  std::ifstream in(manifest);
  if (!in) throw std::runtime_error("cannot read " + manifest);
  suite all;
  for (std::string line; std::getline(in, line);) {
    const auto fields = split(line);
    if (fields.size() < 3) throw std::runtime_error(manifest + ": \"" + line + "\"");
    if (fields[0] == "missing") {
      all.missing.push_back({fields[1], fields[2]});
    } else {
      add_trials(all, fields[1], {fields.begin() + 2, fields.end()});
    }
  }
  return all;
}

std::vector<found_figure> run_task(const task& what, double effort) {
  auto command = what.command;
  command.push_back(what.question);
  command.push_back(what.variant);
  command.push_back(fmt::format("{}", effort));
  std::vector<found_figure> found;
  try {
    std::istringstream out(output_of(command, what.question == "one-cpu"));
    for (std::string line; std::getline(out, line);) {
      const auto parts = split(line);
      if (parts.size() < 3) throw std::runtime_error("printed \"" + line + "\"");
      figure value{.value = std::stod(parts[2])};
      if (parts.size() > 3) value.p99 = std::stod(parts[3]);
      found.push_back({parts[0], parts[1], value});
    }
  } catch (const std::exception& why) {
    throw std::runtime_error(fmt::format("{} / {} / {}: {}", what.question, what.variant, what.contender, why.what()));
  }
  return found;
}

}  // namespace bench
