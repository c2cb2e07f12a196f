#include "reference_digests.hpp"

#include "temporary_folder.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

namespace watch_folder {

namespace {

std::string quoted_for_shell(const std::string& text) {
  std::string quoted = "'";
  for (const char each : text) {
    if (each == '\'')
      quoted += "'\\''";
    else
      quoted += each;
  }
  return quoted + "'";
}

// One line of it: "digest  ./path".
void add_line(std::string_view line, digests_by_file& digests) {
  constexpr std::size_t digits = 64;
  constexpr std::string_view between = "  ./";
  if (line.size() <= digits + between.size() || line.substr(digits, between.size()) != between) return;
  digests.emplace(line.substr(digits + between.size()), line.substr(0, digits));
}

}  // namespace

digests_by_file run_sha256sum(const std::filesystem::path& folder, const digests_by_file& files) {
  const temporary_folder place;
  const auto answer = place.path() / "answer";
  // NUL between names: a name may hold anything else.
  const std::string command =
      "cd " + quoted_for_shell(folder.string()) + " && xargs -0 -r sha256sum -z >" + quoted_for_shell(answer.string());
  if (std::FILE* const pipe = ::popen(command.c_str(), "we")) {
    for (const auto& [path, digest] : files) fmt::print(pipe, "./{}{}", path, '\0');
    ::pclose(pipe);
  }
  digests_by_file digests;
  std::ifstream lines(answer, std::ios::binary);
  for (std::string line; std::getline(lines, line, '\0');) add_line(line, digests);
  return digests;
}

std::size_t count_equal(const digests_by_file& ours, const digests_by_file& theirs) {
  std::size_t equal = 0;
  for (const auto& [path, digest] : ours) {
    const auto found = theirs.find(path);
    if (found != theirs.end() && found->second == digest) ++equal;
  }
  return equal;
}

}  // namespace watch_folder
