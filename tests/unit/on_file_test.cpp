// SPDX-License-Identifier: MIT
// The rules of on_file, one look at a time: nothing here runs on another thread.

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/triggers/on_file.hpp>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::manual_clock;
using support::read_file;
using support::temporary_folder;
using support::write_file;
namespace fs = std::filesystem;
using strings = std::vector<std::string>;

namespace {

// Linux is told about changes; the portable platform reads the tree again and again.
constexpr bool is_notified = DORMOUSE_PLATFORM_LINUX != 0;

// A runtime in which nothing happens unless the test says so.
class parked_port final : public trigger_port {
 public:
  result<void> post(event message, std::shared_ptr<void>) override {
    if (answer) {
      if (auto refused = answer(); !refused) return refused;
    }
    given.push_back(std::move(message));
    return {};
  }
  result<void> submit(event, std::shared_ptr<reply_receiver>) override { return {}; }
  void take_back() noexcept override {}
  result<void> wake_at(dormouse::clock::time_point when) override {
    due = when;
    return {};
  }
  result<void> wake_on(int which) override {
    descriptor = which;
    return {};
  }
  void forget(int) noexcept override {}
  bool wake_soon() noexcept override {
    due = now.now();
    return true;
  }
  const dormouse::clock& time() const noexcept override { return now; }
  bool is_readable() const {
    pollfd one{descriptor, POLLIN, 0};
    return descriptor >= 0 && ::poll(&one, 1, 0) == 1;
  }

  manual_clock now{};
  std::vector<event> given{};
  std::function<result<void>()> answer{};
  std::optional<dormouse::clock::time_point> due{};
  int descriptor = -1;
};

// How many folders the system watches for an inotify descriptor, by its own account (proc(5), fdinfo).
std::ptrdiff_t watches_of(int descriptor) {
  std::ifstream account(fmt::format("/proc/self/fdinfo/{}", descriptor));
  std::ptrdiff_t watches = 0;
  for (std::string line; std::getline(account, line);) watches += line.starts_with("inotify wd:") ? 1 : 0;
  return watches;
}

class parked_trigger {
 public:
  parked_trigger(const fs::path& root, on_file_options options) : source_(on_file(root, std::move(options))) {}
  ~parked_trigger() {
    if (started_) source_->stop();
  }
  result<void> start() {
    auto started = source_->start(port);
    started_ = started.has_value();
    return started;
  }
  // One wake(), if there is a reason; time moves on to it. False when there is none.
  bool look() {
    if (port.is_readable()) {
      port.descriptor = -1;
    } else if (port.due) {
      if (*port.due > port.now.now()) port.now.advance(*port.due - port.now.now());
      port.due.reset();
    } else {
      return false;
    }
    source_->wake();
    return true;
  }
  void look(int times) {
    for (int i = 0; i < times; ++i) look();
  }
  // Until all is quiet, which means that no timer is left. The portable platform always has one: three readings.
  void settle() {
    if (!is_notified) return look(3);
    for (int looks = 0; look(); ++looks) REQUIRE(looks < 10'000);
  }
  // "changed a/b", in order, since the last call.
  strings take() {
    strings all;
    for (const auto& each : port.given) all.push_back(each.type.substr(14) + ' ' + each.subject);
    port.given.clear();
    std::sort(all.begin(), all.end());
    return all;
  }
  strings settle_and_take() {
    settle();
    return take();
  }

  parked_port port{};

 private:
  std::unique_ptr<trigger> source_;
  bool started_ = false;
};

}  // namespace

TEST_CASE("a file that is written slowly is given once, after it was closed", "[on_file]") {
  const temporary_folder root;
  parked_trigger watch(root.path(), {});
  REQUIRE(watch.start());
  std::ofstream out(root / "slow.txt", std::ios::binary);
  for (int part = 0; part < 20; ++part) {
    out << "part " << part << '\n' << std::flush;
    watch.look(is_notified ? 5 : 1);
    CHECK(watch.port.given.empty());
  }
  out.close();
  watch.settle();
  REQUIRE(watch.port.given.size() == 1);
  const event& message = watch.port.given.front();
  CHECK(message.type == "dormouse.file.changed");
  CHECK(message.subject == "slow.txt");
  CHECK(message.data.text() == (root / "slow.txt").string());
  CHECK(read_file(root / "slow.txt").ends_with("part 19\n"));
}

TEST_CASE("a file that is moved or linked into the folder is given", "[on_file]") {
  const temporary_folder elsewhere;
  const temporary_folder root;
  parked_trigger watch(root.path(), {});
  REQUIRE(watch.start());
  write_file(elsewhere / "moved");
  fs::rename(elsewhere / "moved", root / "moved");
  CHECK(watch.settle_and_take() == strings{"changed moved"});
  write_file(elsewhere / "linked");
  fs::create_hard_link(elsewhere / "linked", root / "linked");
  CHECK(watch.settle_and_take() == strings{"changed linked"});
  fs::create_hard_link(elsewhere / "linked", root / "delivered");
  fs::remove(elsewhere / "linked");
  CHECK(watch.settle_and_take() == strings{"changed delivered"});
}

TEST_CASE("files that were there before are given only when asked for", "[on_file]") {
  const temporary_folder root;
  fs::create_directories(root / "a/b");
  write_file(root / "one");
  write_file(root / "a/b/two");
  fs::permissions(root / "a/b/two", fs::perms::none);  // whether anybody writes it cannot be asked then, but by root
  const bool existing = GENERATE(false, true);
  parked_trigger watch(root.path(), {.existing = existing});
  REQUIRE(watch.start());
  CHECK(watch.settle_and_take() == (existing ? strings{"changed a/b/two", "changed one"} : strings{}));
  write_file(root / "one", "other bytes");
  CHECK(watch.settle_and_take() == strings{"changed one"});
}

TEST_CASE("several changes between two looks make one event, a later one another", "[on_file]") {
  const temporary_folder root;
  parked_trigger watch(root.path(), {});
  REQUIRE(watch.start());
  for (int i = 0; i < 5; ++i) write_file(root / "busy", std::string(static_cast<std::size_t>(i + 1), 'x'));
  CHECK(watch.settle_and_take() == strings{"changed busy"});
  write_file(root / "busy", "longer than before");
  CHECK(watch.settle_and_take() == strings{"changed busy"});
  CHECK(watch.settle_and_take().empty());
}

TEST_CASE("files in folders made at once with them are given once each", "[on_file]") {
  const temporary_folder root;
  parked_trigger watch(root.path(), {});
  REQUIRE(watch.start());
  strings wanted;
  for (int i = 0; i < 200; ++i) {
    const auto folder = fmt::format("{}/b/c", i);
    fs::create_directories(root / folder);
    write_file(root / folder / "file");
    wanted.push_back("changed " + folder + "/file");
    if (i % 7 == 0) watch.look();
  }
  std::sort(wanted.begin(), wanted.end());
  CHECK(watch.settle_and_take() == wanted);
}

TEST_CASE("a file found in a new folder waits until its writer closes it", "[on_file]") {
  if (!is_notified) DORMOUSE_SKIP("the portable platform cannot know about writers");
  const temporary_folder root;
  parked_trigger watch(root.path(), {});
  REQUIRE(watch.start());
  fs::create_directories(root / "new/er");
  std::ofstream out(root / "new/er/file", std::ios::binary);
  out << "half" << std::flush;
  watch.look(10);  // the time of many settle_for
  CHECK(watch.port.given.empty());
  out << " and whole";
  out.close();
  CHECK(watch.settle_and_take() == strings{"changed new/er/file"});
}

TEST_CASE("a folder that is renamed keeps its files' right paths", "[on_file]") {
  const temporary_folder root;
  fs::create_directories(root / "a/sub");
  fs::create_directories(root / "a-b");
  write_file(root / "a/sub/old");
  parked_trigger watch(root.path(), {});
  REQUIRE(watch.start());
  fs::rename(root / "a", root / "z");
  write_file(root / "z/sub/new");
  fs::create_directories(root / "a/sub");
  write_file(root / "a/sub/other");
  CHECK(watch.settle_and_take() == strings{"changed a/sub/other", "changed z/sub/new", "changed z/sub/old"});
  write_file(root / "z/sub/new", "changed again");
  write_file(root / "a-b/beside");
  CHECK(watch.settle_and_take() == strings{"changed a-b/beside", "changed z/sub/new"});
}

TEST_CASE("a folder that is moved out is watched no more, one moved in is read", "[on_file]") {
  const temporary_folder elsewhere;
  const temporary_folder root;
  fs::create_directories(root / "a/b");
  write_file(root / "a/b/file");
  parked_trigger watch(root.path(), {.deleted = true});
  REQUIRE(watch.start());
  fs::rename(root / "a", elsewhere / "a");
  CHECK(watch.settle_and_take() == strings{"deleted a/b/file"});
  if (is_notified) CHECK(watches_of(watch.port.descriptor) == 1);
  write_file(elsewhere / "a/b/file", "nobody's");
  CHECK(watch.settle_and_take().empty());
  fs::rename(elsewhere / "a", root / "back");
  CHECK(watch.settle_and_take() == strings{"changed back/b/file"});
}

TEST_CASE("only files that pass the filters are given", "[on_file]") {
  const temporary_folder root;
  fs::create_directories(root / "below/.git");
  const bool hidden = GENERATE(false, true);
  const bool recursive = GENERATE(false, true);
  parked_trigger watch(root.path(), {.recursive = recursive, .suffix = ".jpg", .hidden = hidden});
  REQUIRE(watch.start());
  for (const auto* name : {"a.jpg", "a.png", ".a.jpg", "jpg", "below/b.jpg", "below/.git/c.jpg"}) {
    write_file(root / name);
  }
  strings wanted{"changed a.jpg"};
  if (hidden) wanted.push_back("changed .a.jpg");
  if (recursive) wanted.push_back("changed below/b.jpg");
  if (recursive && hidden) wanted.push_back("changed below/.git/c.jpg");
  std::sort(wanted.begin(), wanted.end());
  CHECK(watch.settle_and_take() == wanted);
}

TEST_CASE("links and pipes are not given, folders behind links not entered", "[on_file]") {
  const temporary_folder elsewhere;
  const temporary_folder root;
  parked_trigger watch(root.path(), {});
  REQUIRE(watch.start());
  write_file(elsewhere / "file");
  fs::create_symlink(elsewhere / "file", root / "link");
  fs::create_directory_symlink(elsewhere.path(), root / "folder");
  write_file(elsewhere / "another");
  CHECK(watch.settle_and_take().empty());
}

TEST_CASE("files that vanish are given when asked for, and only those that were known", "[on_file]") {
  const temporary_folder root;
  write_file(root / "before");
  const bool deleted = GENERATE(false, true);
  parked_trigger watch(root.path(), {.deleted = deleted});
  REQUIRE(watch.start());
  write_file(root / "after");
  CHECK(watch.settle_and_take() == strings{"changed after"});
  write_file(root / "unseen");
  fs::remove(root / "unseen");
  fs::remove(root / "before");
  fs::rename(root / "after", root / "renamed");
  const auto wanted =
      deleted ? strings{"changed renamed", "deleted after", "deleted before"} : strings{"changed renamed"};
  CHECK(watch.settle_and_take() == wanted);
}

TEST_CASE("a refused event is offered again until it is taken", "[on_file]") {
  const temporary_folder root;
  parked_trigger watch(root.path(), {.retry_after = 50ms});
  REQUIRE(watch.start());
  int refusals = 0;
  watch.port.answer = [&]() -> result<void> {
    if (++refusals % 3 != 0) return failure{.code = errc::throttled, .reason = failure_reason::queue_depth};
    return {};
  };
  strings wanted;
  for (int i = 10; i < 30; ++i) {
    write_file(root / std::to_string(i));
    wanted.push_back(fmt::format("changed {}", i));
  }
  if (!is_notified) watch.look(200);
  const auto before = watch.port.now.now();
  CHECK(watch.settle_and_take() == wanted);
  if (is_notified) CHECK(watch.port.now.now() - before == 40 * 50ms);
}

TEST_CASE("when the function is gone nothing is offered again", "[on_file]") {
  const temporary_folder root;
  parked_trigger watch(root.path(), {});
  REQUIRE(watch.start());
  int offers = 0;
  const auto code = GENERATE(errc::not_found, errc::shutting_down, errc::cancelled);
  watch.port.answer = [&]() -> result<void> {
    ++offers;
    return failure{.code = code};
  };
  write_file(root / "file");
  CHECK(watch.settle_and_take().empty());
  CHECK(offers == 1);
}

TEST_CASE("a wake that runs out of memory loses nothing", "[on_file]") {
  const temporary_folder root;
  parked_trigger watch(root.path(), {});
  REQUIRE(watch.start());
  bool thrown = false;
  watch.port.answer = [&]() -> result<void> {
    if (!std::exchange(thrown, true)) throw std::bad_alloc{};
    return {};
  };
  write_file(root / "one");
  write_file(root / "two");
  const auto look_until_thrown = [&] { watch.look(10); };
  CHECK_THROWS_AS(look_until_thrown(), std::bad_alloc);
  auto given = watch.settle_and_take();
  given.erase(std::unique(given.begin(), given.end()), given.end());  // read again, so perhaps given again
  CHECK(given == strings{"changed one", "changed two"});
}

TEST_CASE("an overflow of the system's queue loses no file", "[on_file]") {
  if (!is_notified) DORMOUSE_SKIP("the portable platform has no queue");
  std::size_t events_max = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> events_max;
  if (events_max == 0 || events_max > 100'000) DORMOUSE_SKIP("the system's queue is too long to fill");
  const temporary_folder elsewhere;
  const temporary_folder root;
  fs::create_directories(root / "removed");
  fs::create_directories(root / "moved");
  fs::create_directories(root / "kept");
  write_file(root / "moved/file");
  parked_trigger watch(root.path(), {.deleted = true});
  REQUIRE(watch.start());
  strings wanted{"deleted moved/file"};
  const auto files = events_max / 2 + 1'000;  // each is created and closed: two events
  for (std::size_t i = 0; i < files; ++i) {
    write_file(root / fmt::format("kept/{}", i), "");
    wanted.push_back(fmt::format("changed kept/{}", i));
  }
  fs::create_directories(root / "late");
  write_file(root / "late/file");
  wanted.emplace_back("changed late/file");
  fs::remove_all(root / "removed");
  fs::rename(root / "moved", elsewhere / "moved");
  auto given = watch.settle_and_take();
  given.erase(std::unique(given.begin(), given.end()), given.end());
  std::sort(wanted.begin(), wanted.end());
  CHECK(given.size() == wanted.size());
  CHECK(given == wanted);
  // And the watches are right again.
  write_file(root / "late/second");
  write_file(elsewhere / "moved/second");
  CHECK(watch.settle_and_take() == strings{"changed late/second"});
  CHECK(watches_of(watch.port.descriptor) == 3);
}

TEST_CASE("two thousand files in two bursts are given exactly once each", "[on_file]") {
  const temporary_folder root;
  parked_trigger watch(root.path(), {});
  REQUIRE(watch.start());
  for (int burst = 0; burst < 2; ++burst) {
    strings wanted;
    for (int i = 0; i < 1'000; ++i) {
      write_file(root / fmt::format("{}-{}", burst, i));
      wanted.push_back(fmt::format("changed {}-{}", burst, i));
    }
    std::sort(wanted.begin(), wanted.end());
    CHECK(watch.settle_and_take() == wanted);
  }
}

TEST_CASE("a root that cannot be watched is refused with its path and the reason", "[on_file]") {
  const temporary_folder root;
  SECTION("missing") {
    parked_trigger watch(root / "missing", {});
    const auto started = watch.start();
    REQUIRE(!started);
    CHECK(started.error().code == errc::not_found);
    CHECK(started.error().reason == failure_reason::path);
    CHECK(started.error().native_code == ENOENT);
    CHECK(started.error().detail.find((root / "missing").string()) != std::string::npos);
  }
  SECTION("no folder") {
    write_file(root / "file");
    parked_trigger watch(root / "file", {});
    const auto started = watch.start();
    REQUIRE(!started);
    CHECK(started.error().code == errc::invalid_argument);
    CHECK(started.error().reason == failure_reason::path);
    CHECK(started.error().native_code == ENOTDIR);
  }
  SECTION("more folders than allowed") {
    fs::create_directories(root / "a/b/c");
    parked_trigger watch(root.path(), {.folders_max = 3});
    const auto started = watch.start();
    REQUIRE(!started);
    CHECK(started.error().code == errc::limit_exceeded);
    CHECK(started.error().reason == failure_reason::descriptors);
    CHECK(started.error().detail.find("a/b/c") != std::string::npos);
  }
}

TEST_CASE("an unreadable root is refused", "[on_file]") {
  if (::geteuid() == 0) DORMOUSE_SKIP("root may read everything");
  const temporary_folder root;
  fs::create_directories(root / "closed");
  fs::permissions(root / "closed", fs::perms::none);
  parked_trigger watch(root / "closed", {});
  const auto started = watch.start();
  fs::permissions(root / "closed", fs::perms::owner_all);
  REQUIRE(!started);
  CHECK(started.error().code == errc::permission_denied);
  CHECK(started.error().reason == failure_reason::path);
  CHECK(started.error().native_code == EACCES);
}

TEST_CASE("folders that are left out later are told by one throw a look", "[on_file]") {
  const temporary_folder root;
  parked_trigger watch(root.path(), {.folders_max = 2});
  REQUIRE(watch.start());
  fs::create_directories(root / "a/b/c");
  int throws = 0;
  for (int i = 0; i < 5; ++i) {
    try {
      watch.look();
    } catch (const std::runtime_error&) {
      ++throws;
    }
  }
  CHECK(throws == 1);
  write_file(root / "a/file");
  CHECK(watch.settle_and_take() == strings{"changed a/file"});
}

TEST_CASE("a root that vanishes is watched again when it is back", "[on_file]") {
  const temporary_folder parent;
  fs::create_directories(parent / "root/sub");
  write_file(parent / "root/sub/file");
  parked_trigger watch(parent / "root/", {.deleted = true});
  REQUIRE(watch.start());
  const bool moved = GENERATE(false, true);
  if (moved)
    fs::rename(parent / "root", parent / "other");
  else
    fs::remove_all(parent / "root");
  watch.look(5);
  CHECK(watch.take() == strings{"deleted sub/file"});
  CHECK(watch.port.due.has_value());
  fs::create_directories(parent / "root/new");
  write_file(parent / "root/new/file");
  CHECK(watch.settle_and_take() == strings{"changed new/file"});
  write_file(parent / "root/new/second");
  CHECK(watch.settle_and_take() == strings{"changed new/second"});
}

TEST_CASE("an event of on_file is read as paths, any other is refused", "[on_file]") {
  const event message{.type = "dormouse.file.deleted", .subject = "a/b", .data = "/root/a/b"};
  const auto file = codec<file_event>::decode(message);
  REQUIRE(file);
  CHECK(file->path == "/root/a/b");
  CHECK(file->relative == "a/b");
  CHECK(file->change == file_change::deleted);
  const auto other = codec<file_event>::decode(event{.type = "dormouse.timer", .subject = "a", .data = "/a"});
  REQUIRE(!other);
  CHECK(other.error().code == errc::invalid_argument);
  CHECK(other.error().reason == failure_reason::payload_type);
}

TEST_CASE("options outside their bounds are named", "[on_file]") {
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(on_file(".", {.suffix = std::string(256, 'x')}), Contains("suffix"));
  CHECK_THROWS_WITH(on_file(".", {.suffix = "a/b"}), Contains("suffix"));
  CHECK_THROWS_WITH(on_file(".", {.settle_for = 0ms}), Contains("settle_for"));
  CHECK_THROWS_WITH(on_file(".", {.folders_max = 0}), Contains("folders_max"));
  CHECK_THROWS_WITH(on_file(".", {.retry_after = 2h}), Contains("retry_after"));
  CHECK_THROWS_WITH(on_file(".", {.rescan_every = 9ms}), Contains("rescan_every"));
}
