// SPDX-License-Identifier: MIT
// Every system call of the file system store on an object's file made to fail, to move too little, or to be the last
// one of its process. The index has its own tests of this kind.

#include "support/catch.hpp"

#include <dormouse/testing/services/service_harness.hpp>

#include "adapters/filesystem_fixture.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

using namespace dormouse;
using support::blobs_of;
using support::faulty_file_io;
using support::patterned;
using testing::refused;

namespace {

constexpr std::size_t large = 600'000;  // three blocks of a file

result<std::unique_ptr<object_store>> open_store(const std::filesystem::path& root, faulty_file_io& io) {
  return dormouse::filesystem::open_filesystem_object_store({.root = root}, io);
}

bool is_one_of(object_store& store, std::string_view key, const std::string& one, const std::string& other) {
  const auto got = store.get(key);
  return got && (got->data.text() == one || got->data.text() == other);
}

errc expected_code(int error) {
  if (error == ENOSPC || error == EDQUOT || error == EMFILE) return errc::limit_exceeded;
  return error == EACCES ? errc::permission_denied : errc::unavailable;
}

}  // namespace

TEST_CASE("a put whose n-th system call fails is a typed failure, and the former object is still there",
          "[filesystem][object_store]") {
  const int error = GENERATE(ENOSPC, EIO, EDQUOT, EMFILE, EACCES);
  const support::temporary_folder folder;
  const auto root = folder / "root";
  faulty_file_io io;
  auto store = open_store(root, io).value();
  auto former = patterned(large, 0);
  REQUIRE(store->put("k", former));
  int fired = 0;
  int failed = 0;
  for (int n = 1; n < 100; ++n) {
    const auto fresh = patterned(large, static_cast<unsigned>(n));
    io.arm(n, error);
    const auto put = store->put("k", fresh);
    io.disarm();
    if (!io.fired()) break;
    ++fired;
    INFO("call " << n << ": " << io.fired_at());
    if (put) {
      CHECK((io.fired_at() == "remove" || io.fired_at() == "open"));  // of the former file, when all was done
      former = fresh;
      store.reset();
      store = open_store(root, io).value();
    } else {
      ++failed;
      CHECK(put.error().code == expected_code(error));
      CHECK(put.error().effect == effect_kind::not_applied);
      CHECK(put.error().native_code == error);
      if (error == ENOSPC) CHECK(put.error().reason == failure_reason::store_full);
    }
    CHECK(blobs_of(root).size() == 1);
    CHECK((store->get("k").value().data.text() == former));
  }
  CHECK(failed >= 7);  // folder, file, three writes, two syncs, rename
  CHECK(fired < 99);
  REQUIRE(store->put("k", "small"));
  CHECK(blobs_of(root).empty());
}

TEST_CASE("bytes are on the disk before their name, and both before the index says so", "[filesystem][object_store]") {
  const auto durability = GENERATE(durability_level::power, durability_level::process);
  const support::temporary_folder folder;
  faulty_file_io io;
  const auto store =
      dormouse::filesystem::open_filesystem_object_store({.root = folder / "root", .durability = durability}, io)
          .value();
  REQUIRE(store->put("k", "former"));
  std::vector<std::string> calls;
  bool seen_too_early = false;
  io.before = [&](std::string_view what) {
    calls.emplace_back(what);
    seen_too_early = seen_too_early || store->last_change().value() != 1;
  };
  REQUIRE(store->put("k", patterned(large, 0)));
  io.before = nullptr;
  CHECK(!seen_too_early);
  CHECK(store->last_change().value() == 2);
  if (durability == durability_level::power) {
    CHECK((calls == std::vector<std::string>{"make_folder", "open", "sync_folder", "open", "write", "write", "write",
                                             "sync", "rename", "sync_folder"}));
  } else {
    CHECK((calls == std::vector<std::string>{"make_folder", "open", "open", "write", "write", "write", "rename"}));
  }
}

TEST_CASE("a call that is interrupted or moves one byte is no failure", "[filesystem][object_store]") {
  const bool interrupted = GENERATE(true, false);
  const support::temporary_folder folder;
  const auto root = folder / "root";
  faulty_file_io io;
  const auto store = open_store(root, io).value();
  int fired = 0;
  int missed = 0;
  for (int n = 1; missed < 8; ++n) {
    const auto fresh = patterned(large, static_cast<unsigned>(n));
    io.arm(n, EINTR, interrupted ? faulty_file_io::fault::error : faulty_file_io::fault::cut_short);
    auto put = store->put("k", fresh);
    const bool in_put = io.fired();
    if (in_put && io.fired_at() != "remove") CHECK(put);
    io.arm(n, EINTR, interrupted ? faulty_file_io::fault::error : faulty_file_io::fault::cut_short);
    const auto got = store->get("k");
    if (io.fired_at() != "status") CHECK((got && got->data.text() == fresh));
    if (in_put || io.fired()) {
      ++fired;
      missed = 0;
    } else {
      ++missed;
    }
    io.disarm();
  }
  CHECK(fired >= 3);
}

TEST_CASE("a read whose n-th system call fails is a typed failure, and the next one succeeds",
          "[filesystem][object_store]") {
  const int error = GENERATE(EIO, EMFILE, EACCES);
  const support::temporary_folder folder;
  faulty_file_io io;
  const auto store = open_store(folder / "root", io).value();
  const auto bytes = patterned(large, 0);
  REQUIRE(store->put("k", bytes));
  int fired = 0;
  for (int n = 1; n < 100; ++n) {
    io.arm(n, error);
    const auto got = store->get("k");
    io.disarm();
    if (!io.fired()) break;
    ++fired;
    CHECK(refused(got, expected_code(error), error == EMFILE ? failure_reason::descriptors : failure_reason::none));
    CHECK((store->get("k").value().data.text() == bytes));
  }
  CHECK(fired == 6);  // folder, file, status, three blocks
}

TEST_CASE("an opening whose n-th system call fails is a typed failure or done, the store can be opened then",
          "[filesystem][object_store]") {
  const support::temporary_folder folder;
  int fired = 0;
  for (int n = 1; n < 2'000; n += n < 12 ? 1 : 37) {  // most of them look into folders that are not there
    const auto root = folder / std::to_string(n);
    faulty_file_io io;
    io.arm(n, EIO);
    const auto opened = open_store(root, io);
    io.disarm();
    if (!io.fired()) break;
    ++fired;
    if (!opened) {
      CHECK(opened.error().code == errc::unavailable);
      CHECK(opened.error().effect == effect_kind::not_applied);
      CHECK(open_store(root, io).value()->put("k", patterned(large, 0)));
    } else {
      CHECK((*opened)->put("k", patterned(large, 0)));
    }
  }
  CHECK(fired > 10);
}

TEST_CASE("a process that dies before the n-th system call of a put leaves the former object or the new one",
          "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const auto root = folder / "root";
  auto former = patterned(large, 0);
  faulty_file_io io;
  REQUIRE(open_store(root, io).value()->put("k", former));
  int killed = 0;
  for (int n = 1; n < 100; ++n) {
    const auto fresh = patterned(large, static_cast<unsigned>(n));
    const pid_t child = ::fork();
    if (child == 0) {
      faulty_file_io dying;
      auto store = open_store(root, dying);
      if (!store) ::_exit(1);
      dying.arm(n, 0, faulty_file_io::fault::killed);
      ::_exit((*store)->put("k", fresh) ? 0 : 2);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    const auto store = open_store(root, io).value();
    CHECK(blobs_of(root).size() == 1);
    if (WEXITSTATUS(status) == 0) {
      CHECK((store->get("k").value().data.text() == fresh));
      break;
    }
    REQUIRE(WEXITSTATUS(status) == 9);
    ++killed;
    CHECK(is_one_of(*store, "k", former, fresh));
    if (store->get("k").value().data.text() == fresh) former = fresh;
  }
  CHECK(killed >= 9);
}

// In a child: it gets a file system of its own.
TEST_CASE("a full disk is store_full, and nothing is lost, with room again the store goes on",
          "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const auto root = folder / "disk" / "root";
  std::filesystem::create_directory(folder / "disk");
  const auto full = [](const auto& got) { return refused(got, errc::limit_exceeded, failure_reason::store_full); };
  const auto work = [&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
    if (::mount("tmpfs", (folder / "disk").c_str(), "tmpfs", 0, "size=4m") != 0) return 77;
    for (const std::size_t size : {std::size_t{1'000}, std::size_t{30'000}, std::size_t{300'000}}) {
      auto store = open_filesystem_object_store({.root = root}).value();
      int stored = 0;
      for (;; ++stored) {
        const auto put = store->put(std::to_string(stored), patterned(size, static_cast<unsigned>(stored)));
        if (!put && !full(put)) return 1;
        if (!put) break;
      }
      if (stored < 3) return 2;
      for (int i = 0; i < stored; ++i) {
        const auto got = store->get(std::to_string(i));
        if (!got || got->data.text() != patterned(size, static_cast<unsigned>(i))) return 3;
      }
      store.reset();
      std::filesystem::remove_all(root);
    }
    return 0;
  };
  const pid_t child = ::fork();
  if (child == 0) {
    int said = 255;
    try {
      said = work();
    } catch (...) {}
    ::_exit(said);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) DORMOUSE_SKIP("mounting a small file system needs root");
  CHECK(WEXITSTATUS(status) == 0);
}
