// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;

namespace {
class temporary_file {
 public:
  std::FILE* get() const { return file_.get(); }
  std::string written() const {
    std::rewind(file_.get());
    std::string text;
    char block[4096];
    while (const std::size_t got = std::fread(block, 1, sizeof block, file_.get())) text.append(block, got);
    return text;
  }

 private:
  struct closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, closer> file_{std::tmpfile()};
};

std::string written(log_sink (*make)(std::FILE*), const log_record& record) {
  const temporary_file file;
  make(file.get())(record);
  return file.written();
}
std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}
std::string every_byte_below(int end) {
  std::string all;
  for (int byte = 0; byte < end; ++byte) all.push_back(static_cast<char>(byte));
  return all;
}
// 2026-11-23T12:00:00.007Z
const std::chrono::system_clock::time_point noon{1'795'435'200s + 7ms};
const log_record plain{.level = log_level::warning,
                       .time = noon,
                       .function = "resize",
                       .invocation = 42,
                       .attempt = 2,
                       .lineage = "import > resize",
                       .message = "too large"};
}  // namespace

TEST_CASE("a record is one line of text", "[log]") {
  CHECK(written(&text_log, plain) == "2026-11-23T12:00:00.007Z warning resize #42.2 [import > resize] too large\n");
}

TEST_CASE("a record is one line of JSON", "[log]") {
  const std::string text = written(&json_log, plain);
  CHECK(text.back() == '\n');
  const auto json = nlohmann::json::parse(text);
  CHECK(json.size() == 7);
  CHECK(json["time"] == "2026-11-23T12:00:00.007Z");
  CHECK(json["level"] == "warning");
  CHECK(json["function"] == "resize");
  CHECK(json["invocation"] == 42);
  CHECK(json["attempt"] == 2);
  CHECK(json["lineage"] == "import > resize");
  CHECK(json["message"] == "too large");
}

TEST_CASE("every level has a name of its own", "[log]") {
  std::set<std::string_view> names;
  for (const auto level : {log_level::debug, log_level::info, log_level::warning, log_level::error}) {
    names.insert(to_string(level));
  }
  CHECK(names == std::set<std::string_view>{"debug", "info", "warning", "error"});
  CHECK(to_string(log_level{}) == "unknown");
}

TEST_CASE("a message cannot forge a line or reach the terminal", "[log]") {
  log_record record = plain;
  const std::string message =
      "x\n2026-11-23T12:00:00.007Z error resize #1.1 [] forged\r\n\x1b[31mred\x1b[0m\b\x7f" + every_byte_below(0x20);
  record.message = message;
  for (log_sink (*make)(std::FILE*) : {&text_log, &json_log}) {
    const std::string text = written(make, record);
    INFO(text);
    REQUIRE(text.back() == '\n');
    CHECK(lines_of(text).size() == 1);
    CHECK(std::none_of(text.begin(), text.end() - 1, [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte < 0x20 || byte == 0x7f;
    }));
  }
}

// U+009B begins an escape sequence as ESC [ does, on terminals that take C1 controls in UTF-8.
TEST_CASE("control characters beyond ASCII do not reach the terminal either", "[log]") {
  log_record record = plain;
  record.message =
      "\xc2\x9b"
      "31mred";
  CHECK(written(&text_log, record).find("\xc2\x9b") == std::string::npos);
  record.message =
      "\x9b"
      "31mred";
  CHECK(written(&text_log, record).find('\x9b') == std::string::npos);
}

TEST_CASE("text beyond ASCII is written as it is", "[log]") {
  log_record record = plain;
  record.message = "gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\xad";
  CHECK(written(&text_log, record).find(record.message) != std::string::npos);
  CHECK(nlohmann::json::parse(written(&json_log, record))["message"] == std::string(record.message));
}

TEST_CASE("a JSON line parses whatever the message, and gives it back", "[log]") {
  log_record record = plain;
  const std::string message = every_byte_below(0x80) + R"("\",{}:[]\\u0041)";
  record.message = message;
  CHECK(nlohmann::json::parse(written(&json_log, record))["message"] == message);
  const std::string lineage = "a\"b\\";
  record.lineage = lineage;
  record.message = {};
  CHECK(nlohmann::json::parse(written(&json_log, record))["lineage"] == lineage);
}

// A file name need not be UTF-8, and handlers log file names.
TEST_CASE("a JSON line parses even if the message is not UTF-8", "[log]") {
  log_record record = plain;
  record.message =
      GENERATE(as<std::string_view>{}, "caf\xe9", "\xff\xfe", "cut \xf0\x9f\x90", "\xc0\xaf", "\xed\xa0\x80");
  const std::string text = written(&json_log, record);
  CHECK_NOTHROW(nlohmann::json::parse(text));
}

TEST_CASE("lines of many threads do not mix", "[log]") {
  const temporary_file file;
  const log_sink sink = json_log(file.get());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&sink, t] {
        const std::string message(200, static_cast<char>('a' + t));
        for (int i = 0; i < 500; ++i) {
          log_record record = plain;
          record.message = message;
          sink(record);
        }
      });
    }
  }
  const auto lines = lines_of(file.written());
  CHECK(lines.size() == 2'000);
  CHECK(std::all_of(lines.begin(), lines.end(), [](const std::string& line) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) return false;
    const auto message = json["message"].get<std::string>();
    return message.size() == 200 && message.find_first_not_of(message.front()) == std::string::npos;
  }));
}

TEST_CASE("ctx.log says who speaks: function, invocation, attempt, chain and time", "[log]") {
  testing::manual_clock time(noon);
  const temporary_file file;
  std::uint64_t id = 0;
  runtime host({.log = json_log(file.get()), .time = &time});
  host.define("inner", [&id](context& ctx) {
    id = ctx.invocation();
    ctx.log(log_level::info, "{} and {}", 1, "two");
  });
  auto outer = host.define("outer", [](context& ctx) { REQUIRE(ctx.invoke("inner", {.type = "t"})); });
  REQUIRE(outer());
  const auto json = nlohmann::json::parse(file.written());
  CHECK(json["function"] == "inner");
  CHECK(json["lineage"] == "outer > inner");
  CHECK(json["invocation"] == id);
  CHECK(json["attempt"] == 1);
  CHECK(json["level"] == "info");
  CHECK(json["message"] == "1 and two");
  CHECK(json["time"] == "2026-11-23T12:00:00.007Z");
}

namespace {
// Counts how often it is formatted.
struct counted {
  int* times;
};
}  // namespace
template <>
struct fmt::formatter<counted> : fmt::formatter<int> {
  auto format(const counted& what, format_context& ctx) const { return formatter<int>::format(++*what.times, ctx); }
};

TEST_CASE("without a sink nothing is even formatted", "[log]") {
  int formatted = 0;
  std::string heard;
  runtime silent;
  runtime heeded({.log = [&heard](const log_record& record) { heard = record.message; }});
  const auto speak = [&formatted](context& ctx) { ctx.log(log_level::info, "{}", counted{&formatted}); };
  REQUIRE(silent.define("quiet", speak)());
  CHECK(formatted == 0);
  REQUIRE(heeded.define("loud", speak)());
  CHECK(formatted == 1);
  CHECK(heard == "1");
}

TEST_CASE("what a sink throws is dropped and counted, and the handler goes on", "[log]") {
  runtime host({.log = [](const log_record&) { throw 1; }});
  auto talk = host.define("talk", [](context& ctx) {
    ctx.log(log_level::error, "a");
    ctx.log(log_level::error, "b");
    return 7;
  });
  CHECK(*talk() == 7);
  CHECK(host.stats().observer_failures == 2);
}
