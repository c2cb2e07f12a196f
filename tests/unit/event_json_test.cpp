// SPDX-License-Identifier: MIT
// What others write as CloudEvents in JSON is taken as they wrote it; what is no CloudEvent is refused.

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/event_json.hpp>
#include <dormouse/testing/events.hpp>

#include <chrono>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::make_event;

namespace {

// A line with these members beside those that are required.
std::string line_with(const std::string& members) {
  return R"({"specversion":"1.0","type":"a","source":"b","id":"1",)" + members + "}";
}

// What a reader makes of data written so.
std::string data_of(const std::string& members) {
  const auto read = event_from_json(line_with(members));
  return read ? std::string(read->data.text()) : "refused: " + read.error().detail;
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

// One document of the conformance files, whose layout is always the same: "name: value", and literal blocks.
struct yaml_document {
  event message{};
  std::string specversion{};
};

// The lines of a literal block from `at` on, without their indentation. The line break behind the last is part of it.
std::string take_block(const std::vector<std::string>& lines, std::size_t& at) {
  std::string block;
  const auto indent = lines[at].find_first_not_of(' ');
  for (; at < lines.size() && lines[at].find_first_not_of(' ') >= indent && trimmed(lines[at]) != "---"; ++at) {
    block += lines[at].substr(indent) + "\n";
  }
  return block;
}

void take_field(yaml_document& to, const std::string& key, std::string value) {
  if (value.size() > 1 && value.front() == '"') value = value.substr(1, value.size() - 2);
  if (key == "specversion") to.specversion = value;
  if (key == "type") to.message.type = value;
  if (key == "id") to.message.id = value;
  if (key == "source") to.message.source = value;
  if (key == "datacontenttype") to.message.datacontenttype = value;
  if (key == "time") to.message.time = detail::from_time(value).value();
  if (key == "Data") to.message.data = value;
  // An attribute holds no line break, which the block in the file ends with.
  if (key.starts_with("comexampleext")) to.message.extensions.emplace_back(key, trimmed(value));
}

std::vector<yaml_document> read_documents(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  std::istringstream text(support::read_file(file));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  std::vector<yaml_document> all(1);
  for (std::size_t at = 0; at < lines.size();) {
    const std::string line = lines[at++];
    if (line == "---") all.emplace_back();
    const auto colon = line.find(':');
    if (line.starts_with('#') || colon == std::string::npos) continue;
    std::string value = trimmed(std::string_view(line).substr(colon + 1));
    if (value == "|") value = take_block(lines, at);
    take_field(all.back(), trimmed(line.substr(0, colon)), std::move(value));
  }
  return all;
}

}  // namespace

TEST_CASE("JSON data is taken as it was written", "[event_json]") {
  CHECK(data_of(R"("data":{"z":123456789012345678901234567890,"a":1.10})") ==
        R"({"z":123456789012345678901234567890,"a":1.10})");
  CHECK(data_of(R"("data" : [ 1 , "]}\"" ,{"data":2}] )") == R"([ 1 , "]}\"" ,{"data":2}])");
  CHECK(data_of(R"("x":{"data":1},"data":3)").starts_with("refused"));
  CHECK(data_of(R"("data":-0.0)") == "-0.0");
  CHECK(data_of(R"("data":1,"data":2)") == "2");
  CHECK(data_of(R"("d\u0061ta":7)") == "7");
  CHECK(data_of(R"("data":8,"d\u0061ta":9)") == "9");
  CHECK(data_of(R"("data":null)").empty());
  CHECK(data_of(R"("data":"text")") == R"("text")");
  CHECK(data_of(R"("datacontenttype":"text/plain","data":"t\u0000\n")") == std::string("t\0\n", 3));
}

TEST_CASE("a media type is the same in capitals", "[event_json]") {
  CHECK(data_of(R"("datacontenttype":"Application/JSON ; charset=utf-8","data":"x")") == R"("x")");
  CHECK(data_of(R"("datacontenttype":"application/jsonl","data":"x")") == "x");
}

TEST_CASE("a time that is not RFC 3339 is refused", "[event_json]") {
  const std::string_view zero("2020-01-01T00:00:00Z\0", 21);
  CHECK(!detail::from_time(zero));
  for (const char* const bad :
       {"", "2020-01-01", "2020-01-01T00:00:00", "2020-01-01T00:00:00.Z", "2020-01-01T00:00:00.5",
        "2020-01-01 00:00:00Z", "2020-01-01T 1: 2: 3Z", "2020-01-01T00:00:00+99:99", "2020-01-01T00:00:00++1:00",
        "2020-01-01T00:00:00+1:00", "+201-01-01T00:00:00Z", "2020-02-30T00:00:00Z", "2020-01-01T24:00:00Z",
        "2020-01-01T00:60:00Z", "2020-01-01T00:00:61Z", "1699-12-31T00:00:00Z", "2262-01-01T00:00:00Z",
        "2020-01-01T00:00:00ZZ"}) {
    INFO(bad);
    CHECK(!detail::from_time(bad));
  }
}

TEST_CASE("a time is read with any offset and fraction", "[event_json]") {
  const auto base = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};
  CHECK(detail::from_time("2020-01-01t00:00:00z").value() == base);
  CHECK(detail::from_time("2020-01-01T05:30:00+05:30").value() == base);
  CHECK(detail::from_time("2019-12-31T22:00:00.000000001-02:00").value() == base + 1ns);
  CHECK(detail::from_time("2020-01-01T00:00:00.1234567899Z").value() == base + 123'456'789ns);
  CHECK(detail::from_time("2019-12-31T23:59:60Z").value() == base);
}

TEST_CASE("an extension cannot take the place of the data", "[event_json]") {
  CHECK(!event_to_json(make_event({.extensions = {{"data", "x"}}})));
}

TEST_CASE("JSONTestSuite: each text that must parse is carried as data, as it stands", "[event_json][cases]") {
  const auto folder = std::filesystem::path(DORMOUSE_CASES_DIR) / "json" / "JSONTestSuite" / "test_parsing";
  if (!exists(folder)) DORMOUSE_SKIP("the shared cases are not here (json/JSONTestSuite)");
  int total = 0;
  int ran = 0;
  for (const auto& each : std::filesystem::directory_iterator(folder)) {
    if (!each.path().filename().string().starts_with("y_")) continue;
    ++total;
    const std::string text = support::read_file(each.path());
    const std::string wanted = trimmed(text) == "null" ? "" : trimmed(text);
    INFO(each.path().filename().string());
    CHECK(data_of("\"data\":" + text) == wanted);
    CHECK(data_of("\"data\":" + text + ",\"after\":\"x\"") == wanted);
    ++ran;
  }
  WARN("JSONTestSuite as data: " << ran << " of " << total << " executed");
  CHECK(total == 95);
  CHECK(ran == total);
}

TEST_CASE("the conformance documents are carried, and those of version 0.3 refused", "[event_json][cases]") {
  const auto folder = std::filesystem::path(DORMOUSE_CASES_DIR) / "cloudevents" / "conformance" / "yaml";
  if (!exists(folder)) DORMOUSE_SKIP("the shared cases are not here (cloudevents/conformance)");
  int carried = 0;
  int refused = 0;
  int total = 0;
  for (const char* const file : {"v1.yaml", "v03.yaml", "v1.0/v1_minimum.yaml", "v0.3/v03_minimum.yaml"}) {
    for (const yaml_document& each : read_documents(folder / file)) {
      INFO(file << ' ' << each.message.id);
      ++total;
      const auto line = event_to_json(each.message);
      REQUIRE(line);
      if (each.specversion == "1.0") {
        const auto read = event_from_json(*line);
        REQUIRE(read);
        CHECK(read->id == each.message.id);
        CHECK(read->source == each.message.source);
        CHECK(read->datacontenttype == each.message.datacontenttype);
        CHECK(read->time == each.message.time);
        CHECK(read->extensions == each.message.extensions);
        CHECK(read->data.text() == each.message.data.text());
        CHECK(!read->data.empty());
        ++carried;
        continue;
      }
      std::string old = *line;
      old.replace(old.find("\"1.0\""), 5, "\"0.3\"");
      CHECK(event_from_json(old).error().detail == "specversion must be \"1.0\"");
      ++refused;
    }
  }
  WARN("CloudEvents conformance: " << carried + refused << " of " << total << " documents executed, " << refused
                                   << " of them refused as version 0.3");
  CHECK(carried == 8);
  CHECK(refused == 7);
}

TEST_CASE("the structured requests of the conformance features are read", "[event_json][cases]") {
  const auto folder = std::filesystem::path(DORMOUSE_CASES_DIR) / "cloudevents" / "conformance" / "features";
  if (!exists(folder)) DORMOUSE_SKIP("the shared cases are not here (cloudevents/conformance)");
  int ran = 0;
  for (const char* const file : {"http-protocol-binding.feature", "kafka-protocol-binding.feature"}) {
    INFO(file);
    const std::string text = support::read_file(folder / file);
    const auto version = text.find("\"specversion\"");
    const auto begin = text.rfind('{', version);
    const auto end = text.find("\"\"\"", version);
    REQUIRE(end != std::string::npos);
    const auto read = event_from_json(text.substr(begin, end - begin));
    REQUIRE(read);
    CHECK(read->type == "com.example.someevent");
    CHECK(read->id == "1234-1234-1234");
    CHECK(read->time == std::chrono::sys_days{std::chrono::year{2018} / 4 / 5} + 3h + 56min + 24s);
    CHECK(nlohmann::json::parse(read->data.text()) == nlohmann::json::parse(R"({"message": "Hello World!"})"));
    ++ran;
  }
  WARN("CloudEvents features: " << ran << " of 2 structured documents executed");
  CHECK(ran == 2);
}
