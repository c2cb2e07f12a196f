// SPDX-License-Identifier: MIT
// Events as lines of JSON: what is written is what is read; what is wrong is named, with its line.

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/codec.hpp>
#include <dormouse/testing/event_log.hpp>
#include <dormouse/testing/events.hpp>
#include <dormouse/testing/simulation.hpp>
#include <dormouse/triggers/on_file.hpp>
#include <dormouse/triggers/on_schedule.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <vector>

using namespace dormouse;
using namespace dormouse::testing;
using namespace std::chrono_literals;

namespace {

bool same(const event& a, const event& b) {
  auto sorted = [](auto list) {
    std::sort(list.begin(), list.end());
    return list;
  };
  return a.type == b.type && a.source == b.source && a.subject == b.subject && a.id == b.id && a.time == b.time &&
         a.datacontenttype == b.datacontenttype && a.data.text() == b.data.text() &&
         sorted(a.extensions) == sorted(b.extensions);
}

}  // namespace

TEST_CASE("what is written is read back byte for byte", "[event_log]") {
  std::vector<event> all;
  all.push_back(make_event());
  all.push_back(make_event({.type = "t", .source = "s", .subject = "\u00fcber/\"q\"", .id = "x"}));
  all.push_back(make_event({.datacontenttype = "application/json", .data = R"({"a":[1,2.5,"\u00e4"],"b":null})"}));
  all.push_back(
      make_event({.datacontenttype = "application/json", .data = R"({ "b" : 1, "a" : 2 })"}));  // not ours to sort
  all.push_back(make_event({.datacontenttype = "application/json", .data = "{broken"}));
  all.push_back(
      make_event({.datacontenttype = "application/vnd.x+json; charset=utf-8", .data = "18446744073709551615"}));
  all.push_back(make_event({.datacontenttype = "text/plain", .data = "plain \n text"}));
  all.push_back(make_event({.datacontenttype = "text/plain", .data = std::string("\xff\xfe\x00z", 4)}));
  all.push_back(make_event({.data = "no type"}));
  all.push_back(make_event({.time = test_time + 1ns, .extensions = {{"traceparent", "00-ab"}, {"n", "7"}}}));
  all.push_back(make_event({.time = test_time - 24h * 365 * 60 + 120ms}));
  std::mt19937 random(1);
  for (int size = 0; size < 70; ++size) {
    std::string bytes;
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(random() % 256);
    all.push_back(make_event({.datacontenttype = size % 2 == 0 ? "" : "image/png", .data = bytes}));
  }
  std::stringstream file;
  event_recorder recorder(file);
  for (const event& each : all) CHECK(recorder.record(each));
  CHECK(recorder.recorded() == all.size());
  const auto read = read_events(file).value();
  REQUIRE(read.size() == all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO(i);
    CHECK(same(all[i], read[i]));
  }
}

TEST_CASE("lines as others write them", "[event_log]") {
  const auto read =
      event_from_json(R"({"specversion":"1.0","type":"a","source":"/b","id":"1","time":"2018-04-05T17:31:00.5+02:00",)"
                      R"("flag":true,"count":12,"gone":null,"datacontenttype":"text/xml","data":"<x/>"})")
          .value();
  CHECK(read.time == std::chrono::sys_days{std::chrono::year{2018} / 4 / 5} + 15h + 31min + 500ms);
  CHECK(*find_extension(read, "flag") == "true");
  CHECK(*find_extension(read, "count") == "12");
  CHECK(find_extension(read, "gone") == nullptr);
  CHECK(read.data.text() == "<x/>");
  CHECK(event_from_json(R"({"specversion":"1.0","type":"a","source":"b","id":"1","data":{"x":1}})")->data.text() ==
        R"({"x":1})");
}

TEST_CASE("what is wrong with a line is said, with its number", "[event_log]") {
  const auto wrong = [](const std::string& line) { return event_from_json(line).error().detail; };
  CHECK(wrong("[]") == "no JSON object");
  CHECK(wrong("{}") == "specversion must be \"1.0\"");
  CHECK(wrong(R"({"specversion":"1.0","source":"b","id":"1"})") == "event: `type` is required and is empty");
  CHECK(wrong(R"({"specversion":"1.0","type":5,"source":"b","id":"1"})") == "type: no string");
  CHECK(wrong(R"({"specversion":"1.0","type":"a","source":"b","id":"1","time":"yesterday"})")
            .starts_with("time: not as"));
  CHECK(wrong(R"({"specversion":"1.0","type":"a","source":"b","id":"1","time":"2026-13-01T00:00:00Z"})")
            .starts_with("time: not as"));
  CHECK(wrong(R"({"specversion":"1.0","type":"a","source":"b","id":"1","data":1,"data_base64":"AA=="})")
            .starts_with("data and data_base64"));
  for (const char* const bad : {"A", "A===", "AA==AAAA", "A!==", "=AAA"}) {
    INFO(bad);
    CHECK(!event_from_json(R"({"specversion":"1.0","type":"a","source":"b","id":"1","data_base64":")" +
                           std::string(bad) + "\"}"));
  }
  CHECK(wrong(R"({"specversion":"1.0","type":"a","source":"b","id":"1","Upper":"x"})").find("Upper") !=
        std::string::npos);
  CHECK(wrong(R"({"specversion":"1.0","type":"a","source":"b","id":"1","list":[1]})") ==
        "extension list: no string, boolean or integer");
  std::istringstream file("\n{\"specversion\":\"1.0\",\"type\":\"a\",\"source\":\"b\",\"id\":\"1\"}\n\nnonsense\n");
  CHECK(read_events(file).error().detail.starts_with("line 4: "));
  CHECK(!event_to_json(event{}));
  CHECK(!event_to_json(make_event({.subject = "\xff"})));
}

TEST_CASE("what a function was given is recorded and played again, at its times", "[event_log]") {
  std::stringstream file;
  {
    event_recorder recorder(file);
    simulation sim(1);
    auto work = sim.host().define("work", recorder.around([](const event&) {}));
    sim.host().attach(every(90s), work).value();
    sim.advance(5min);
    CHECK(recorder.recorded() == 3);
  }
  const auto log = read_events(file).value();
  std::vector<std::chrono::nanoseconds> at;
  std::vector<std::string> ids;
  simulation sim(2);
  const auto begun = sim.time().now();
  sim.host().define("again", [&](const event& each) {
    at.push_back(sim.time().now() - begun);
    ids.push_back(each.id);
  });
  const auto sums = replay(sim.host(), "again", log, [&](auto length) { sim.advance(length); });
  sim.run_ready();
  CHECK(sums.accepted == 3);
  CHECK(at == std::vector<std::chrono::nanoseconds>{0s, 90s, 180s});
  CHECK(ids == std::vector<std::string>{log[0].id, log[1].id, log[2].id});
  const auto refused = replay(sim.host(), "nobody", log);
  CHECK(refused.refused == 3);
  CHECK(refused.last_refusal.code == errc::not_found);
}

namespace {

// Everything but the id, which is the library's own.
bool alike(event made, const event& real) {
  made.id = real.id;
  return same(made, real);
}

}  // namespace

TEST_CASE("an event of the factories is what its trigger gives", "[events]") {
  std::vector<event> got;
  support::temporary_folder folder;
  manual_clock time;
  runtime host{{.time = &time, .drive = drive_mode::host}};
  auto keep = host.define("keep", [&got](const event& each) { got.push_back(each); });
  host.attach(every(90s), keep).value();
  time.advance(90s);
  host.poll();
  REQUIRE(got.size() == 1);
  CHECK(alike(make_timer_event(test_time + 90s), got[0]));
  host.attach(on_schedule("@every 5s"), keep).value();
  time.advance(5s);
  host.poll();
  REQUIRE(got.size() == 2);
  CHECK(alike(make_schedule_event(test_time + 95s, "@every 5s"), got[1]));
}

TEST_CASE("the file event of the factories is what on_file gives", "[events]") {
  std::vector<event> got;
  support::temporary_folder folder;
  support::write_file(folder.path() / "a.txt", "x");
  manual_clock time;
  runtime host{{.time = &time, .drive = drive_mode::host}};
  auto keep = host.define("keep", [&got](const event& each) { got.push_back(each); });
  host.attach(on_file(folder.path(), {.existing = true, .settle_for = 1ms, .rescan_every = 10ms}), keep).value();
  for (int i = 0; i < 100 && got.empty(); ++i) {
    time.advance(20ms);
    host.poll();
  }
  REQUIRE(got.size() == 1);
  event real = got[0];
  real.time = test_time;  // of its own: when it was seen
  CHECK(alike(make_file_event(folder.path().string(), "a.txt"), real));
}

TEST_CASE("the factories make what the triggers make", "[events]") {
  CHECK(validate(make_event()));
  CHECK(validate(make_timer_event()));
  const auto file = codec<file_event>::decode(make_file_event("/in", "a/b.txt")).value();
  CHECK(file.path == "/in/a/b.txt");
  CHECK(file.relative == "a/b.txt");
  CHECK(codec<file_event>::decode(make_file_event("/in", "a", true))->change == file_change::deleted);
  const auto run = codec<schedule_event>::decode(make_schedule_event(test_time, "@daily", true)).value();
  CHECK(run.nominal == test_time);
  CHECK(run.text == "@daily");
  CHECK(run.past_due);
  const event full = make_full_event();
  CHECK(validate(full));
  CHECK(same(event_from_json(event_to_json(full).value()).value(), full));
  const auto many = make_events(3, {.type = "order"});
  CHECK(many[2].id == "3");
  CHECK(many[2].time == test_time + 2s);
  CHECK(many[2].type == "order");
  manual_clock time;
  CHECK(time.wall() == test_time);
}

TEST_CASE("a wrong line costs that line", "[event_log]") {
  const std::string good = event_to_json(make_event()).value();
  std::istringstream file("nonsense\n\n" + good + "\r\n" + std::string(300, 'x') + "\n{\n" + good);
  event_reader reader(file, 200);
  const auto refusal = [&reader] { return reader.next().error(); };
  CHECK(refusal().detail.starts_with("line 1: "));
  CHECK(reader.next().value()->id == "1");
  CHECK(reader.line() == 3);
  const failure long_one = refusal();
  CHECK(long_one.code == errc::too_large);
  CHECK(long_one.detail == "line 4: longer than 200 bytes");
  CHECK(refusal().detail.find("column") != std::string::npos);
  CHECK(reader.next().value()->id == "1");
  CHECK(!reader.next().value());
  CHECK(!reader.next().value());
  CHECK_THROWS_AS(event_reader(file, 0), std::invalid_argument);
}

namespace {

// A line without an end: what a reader without a bound would fill the memory with.
struct endless_line final : std::streambuf {
  explicit endless_line(std::size_t bytes) : left(bytes) {}
  int_type underflow() override {
    if (left == 0) throw std::ios_base::failure("the disk is gone");
    const std::size_t now = std::min(left, sizeof piece);
    left -= now;
    std::fill_n(piece, now, 'x');
    setg(piece, piece, piece + now);
    return 'x';
  }
  char piece[4096]{};
  std::size_t left;
};

}  // namespace

TEST_CASE("a line longer than the bound is not kept in memory", "[event_log]") {
  endless_line source(std::size_t{8} << 20U);
  std::istream file(&source);
  event_reader reader(file, 1'000);
  const auto before = support::bytes_allocated();
  CHECK(reader.next().error().code == errc::unavailable);
  CHECK(support::bytes_allocated() - before < 100'000);
  CHECK(!reader.next().value());
}

TEST_CASE("a stream that cannot be read is no empty log", "[event_log]") {
  std::ifstream missing("no such file");
  CHECK(read_events(missing).error().code == errc::unavailable);
  std::istringstream broken("x");
  broken.setstate(std::ios::badbit);
  CHECK(read_events(broken).error().detail == "line 1: the stream cannot be read");
  std::istringstream empty;
  CHECK(read_events(empty).value().empty());
}

TEST_CASE("an event that cannot be recorded is not run", "[event_log]") {
  std::ostringstream file;
  event_recorder recorder(file);
  int ran = 0;
  manual_clock time;
  runtime host{{.time = &time, .drive = drive_mode::host}};
  host.define("work", recorder.around([&ran](const event& each, context& ctx) -> result<std::string> {
    ++ran;
    return fmt::format("{} {}", each.id, ctx.attempt());
  }));
  CHECK(host.invoke("work", {.type = "t", .id = "7"})->data.text() == "7 1");
  CHECK(recorder.recorded() == 1);
  file.setstate(std::ios::badbit);
  CHECK(host.invoke("work", {.type = "t"}).error().cause == errc::unavailable);
  CHECK(ran == 1);
  CHECK(recorder.recorded() == 1);
}

TEST_CASE("recorded documents are carried as they are", "[event_log][cases]") {
  const auto folder = std::filesystem::path(DORMOUSE_CASES_DIR) / "events" / "aws-lambda-go" / "testdata";
  if (!exists(folder)) {
    WARN("SKIPPED: no recorded documents at " << folder.string());
    return;
  }
  std::size_t there = 0;
  std::size_t ran = 0;
  for (const auto& each : std::filesystem::directory_iterator(folder)) {
    if (each.path().extension() != ".json") continue;
    ++there;
    std::stringstream bytes;
    bytes << std::ifstream(each.path(), std::ios::binary).rdbuf();
    const event whole = make_event({.datacontenttype = "application/json", .data = bytes.str()});
    const auto line = event_to_json(whole);
    INFO(each.path().filename().string());
    REQUIRE(line);
    CHECK(same(event_from_json(*line).value(), whole));
    ++ran;
  }
  WARN(ran << " of " << there << " documents");
  CHECK(ran == there);
  CHECK(there > 50);
}
