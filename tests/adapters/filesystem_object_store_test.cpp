// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/testing/services/service_harness.hpp>

#include "adapters/filesystem_fixture.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace dormouse;
using support::blobs_of;
using support::patterned;
using testing::refused;

namespace {

using store_pointer = std::unique_ptr<object_store>;

constexpr std::size_t large = 600'000;  // three blocks of a file

store_pointer open_store(const std::filesystem::path& root) {
  return open_filesystem_object_store({.root = root, .durability = durability_level::process}).value();
}

std::string bytes_of(object_store& store, std::string_view key, const object_range& range = {}) {
  return std::string(store.get(key, {.range = range}).value().data.text());
}

// The only file of an object.
std::filesystem::path blob_in(const std::filesystem::path& root) {
  const auto all = blobs_of(root);
  REQUIRE(all.size() == 1);
  return root / "blobs" / all[0];
}

void flip(std::string& bytes, std::size_t at, unsigned bit) {
  bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << bit));
}

// What the child's work says, 0 .. 255; the child does nothing else.
template <class F>
int in_child(F&& work) {
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
  return WEXITSTATUS(status);
}

}  // namespace

// ---- names ----------------------------------------------------------------------------------------------------------

TEST_CASE("no key of an object leads out of the root, or names a file in it", "[filesystem][object_store]") {
  const support::temporary_folder folder;
  support::write_file(folder / "canary", "alive");
  const auto root = folder / "root";
  const auto store = open_store(root);
  const std::vector<std::string> keys{".",
                                      "..",
                                      "../../etc/passwd",
                                      "../canary",
                                      "/etc/passwd",
                                      folder / "canary",
                                      "a",
                                      "a/",
                                      "a/b",
                                      "A",
                                      "A/B",
                                      "//",
                                      "./a",
                                      "a\\b",
                                      "con",
                                      "index.db",
                                      "blobs",
                                      "blobs/../../canary",
                                      "\x01\x7f",
                                      "\xc3\xa9",
                                      "e\xcc\x81",
                                      std::string(1'024, 'n'),
                                      std::string(511, 'd') + "/" + std::string(512, 'f'),
                                      "%2e%2e%2f",
                                      "a\nb",
                                      "*",
                                      "'; DROP TABLE objects; --"};
  const auto small = [](const std::string& key) { return "small " + key; };
  const auto big = [](const std::string& key) { return patterned(70'000 + key.size(), 1) + key; };
  for (const auto& key : keys) {
    REQUIRE(store->put(key, small(key)));
    CHECK(bytes_of(*store, key) == small(key));
    REQUIRE(store->put(key, big(key)));
    for (const auto& each : support::files_below(root)) CHECK(support::is_ours(each));
    CHECK((support::files_below(folder.path()).size() == support::files_below(root).size() + 1));
  }
  for (const auto& key : keys) CHECK(bytes_of(*store, key) == big(key));
  CHECK(blobs_of(root).size() == keys.size());
  CHECK(store->list().value().objects.size() == keys.size());
  for (const std::string& bad : {std::string("a\0b", 3), std::string(1'025, 'k'), std::string("\xff"), std::string()}) {
    CHECK(!store->put(bad, "x"));
    CHECK(!store->get(bad));
  }
  for (const auto& key : keys) CHECK(store->erase(key).value());
  CHECK(blobs_of(root).empty());
  CHECK(support::read_file(folder / "canary") == "alive");
}

TEST_CASE("files of a store are its owner's alone", "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const mode_t before = ::umask(0);
  const auto store = open_store(folder / "root");
  REQUIRE(store->put("k", patterned(large, 1)));
  ::umask(before);
  CHECK((std::filesystem::status(folder / "root").permissions() == std::filesystem::perms::owner_all));
  for (const auto& each : std::filesystem::recursive_directory_iterator(folder / "root")) {
    const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
    CHECK(((each.status().permissions() & others) == std::filesystem::perms::none));
  }
}

TEST_CASE("a symbolic link in the place of a folder or a file is not followed", "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const auto root = folder / "root";
  const auto victim = folder / "victim";
  std::filesystem::create_directory(victim);
  support::faulty_file_io io;
  const auto open = [&] {
    return dormouse::filesystem::open_filesystem_object_store({.root = root, .durability = durability_level::process},
                                                              io);
  };
  const auto bytes = patterned(large, 1);
  SECTION("a folder that is swapped while a file is being written in it") {
    const auto store = open().value();
    REQUIRE(store->put("k", "former"));
    bool swapped = false;
    io.before = [&](std::string_view what) {
      if (what != "rename" || swapped) return;
      swapped = true;
      const auto inside = blobs_of(root);
      const auto fan = root / "blobs" / inside.at(0).substr(0, 2);
      std::filesystem::rename(fan, folder / "moved");
      std::filesystem::create_directory_symlink(victim, fan);
    };
    const auto put = store->put("k", bytes);
    CHECK(swapped);
    CHECK(support::files_below(victim).empty());
    REQUIRE(put);  // in the folder that was there when it began
    for (const auto& each : support::files_below(folder / "moved")) {
      std::filesystem::copy_file(folder / "moved" / each, victim / each);
    }
    CHECK(refused(store->get("k"), errc::corruption));  // not what lies behind the link
    CHECK(store->erase("k").value());
    CHECK(support::files_below(victim).size() == 1);
  }
  SECTION("every folder, before a put") {
    const auto store = open().value();
    for (int i = 0; i < 256; ++i) {
      std::filesystem::create_directory_symlink(victim, root / "blobs" / fmt::format("{:02x}", i));
    }
    const auto put = store->put("k", bytes);
    CHECK(refused(put, errc::unavailable, failure_reason::path));
    CHECK(support::files_below(victim).empty());
    CHECK(refused(store->head("k"), errc::not_found));
  }
  SECTION("every folder, when it is opened") {
    open().value();
    const std::string file(32, 'a');
    support::write_file(victim / file);
    for (int i = 0; i < 256; ++i) {
      std::filesystem::create_directory_symlink(victim, root / "blobs" / fmt::format("{:02x}", i));
    }
    REQUIRE(open());
    CHECK(support::files_below(victim) == std::vector<std::string>{file});  // it looks like one of ours
  }
  SECTION("the file of an object") {
    const auto store = open().value();
    REQUIRE(store->put("k", bytes));
    const auto blob = blob_in(root);
    std::filesystem::rename(blob, victim / "same");
    std::filesystem::create_symlink(victim / "same", blob);
    CHECK(refused(store->get("k"), errc::corruption));
  }
  SECTION("the folder of them all") {
    std::filesystem::create_directory(root);
    std::filesystem::create_directory_symlink(victim, root / "blobs");
    CHECK(refused(open(), errc::invalid_argument, failure_reason::path));
    CHECK(support::files_below(victim).empty());
  }
  SECTION("the index, and what lies beside it") {
    std::filesystem::create_directory(root);
    for (const char* name : {"index.db", "index.db-lock", "index.db-wal", "index.db-shm"}) {
      std::filesystem::create_symlink(victim / name, root / name);
      CHECK(refused(open(), errc::invalid_argument, failure_reason::path));
      std::filesystem::remove(root / name);
    }
    CHECK(support::files_below(victim).empty());
  }
  SECTION("but the root may be one") {
    std::filesystem::create_directory_symlink(victim, root);
    REQUIRE(open().value()->put("k", bytes));
    CHECK(support::blobs_of(victim).size() == 1);
  }
}

TEST_CASE("folders that turn into links again and again while objects are put lead nowhere",
          "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const auto root = folder / "root";
  const auto victim = folder / "victim";
  std::filesystem::create_directory(victim);
  const auto store = open_store(root);
  std::atomic<bool> over{false};
  std::atomic<int> swaps{0};
  std::thread swapper([&] {
    for (int i = 0; !over; i = (i + 1) % 256) {
      std::error_code ignored;
      const auto fan = root / "blobs" / fmt::format("{:02x}", i);
      const auto aside = folder / fmt::format("aside-{:02x}", i);
      std::filesystem::rename(fan, aside, ignored);
      std::filesystem::create_directory_symlink(victim, fan, ignored);
      ++swaps;
      std::filesystem::remove(fan, ignored);
      std::filesystem::rename(aside, fan, ignored);
    }
  });
  int failed = 0;
  for (int i = 0; i < 300; ++i) {
    const auto put = store->put("k", patterned(70'000, static_cast<unsigned>(i)));
    if (!put) ++failed;
  }
  over = true;
  swapper.join();
  CHECK(swaps > 0);
  CHECK(failed < 300);
  CHECK(support::files_below(victim).empty());
}

// ---- opening --------------------------------------------------------------------------------------------------------

TEST_CASE("a root that cannot be used is refused when it is opened", "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const auto open = [&](const std::filesystem::path& root) { return open_filesystem_object_store({.root = root}); };
  CHECK(refused(open(folder / "no" / "root"), errc::not_found, failure_reason::path));
  support::write_file(folder / "file");
  CHECK(refused(open(folder / "file"), errc::invalid_argument, failure_reason::path));
  CHECK_THROWS_AS(open(""), std::invalid_argument);
  CHECK_THROWS_AS(open_filesystem_object_store({.root = folder / "r", .bytes_max = 0}), std::invalid_argument);
  CHECK_THROWS_AS(open_filesystem_object_store({.root = folder / "r", .changes_max = 0}), std::invalid_argument);
  CHECK_THROWS_AS(open_filesystem_object_store({.root = folder / "r", .durability = durability_level::memory}),
                  std::invalid_argument);
  const auto root = folder / "root";
  REQUIRE(open(root));
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  std::filesystem::permissions(root, std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec |
                                         std::filesystem::perms::others_read | std::filesystem::perms::others_exec);
  // Who may do anything becomes somebody else for this.
  const int said = in_child([&] {
    if (::geteuid() == 0 && ::seteuid(65'534) != 0) return 2;
    return refused(open(root), errc::permission_denied) ? 0 : 1;
  });
  CHECK(said == 0);
  std::filesystem::permissions(root, std::filesystem::perms::owner_all);
  CHECK(open(root));
}

TEST_CASE("a folder has one owner at a time", "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const auto open = [&] { return open_filesystem_object_store({.root = folder / "root"}); };
  const auto owned = [&] { return refused(open(), errc::unavailable, failure_reason::owned_elsewhere); };
  auto store = open().value();
  REQUIRE(store->put("k", "x"));
  CHECK(owned());
  CHECK(in_child([&] { return owned() ? 0 : 1; }) == 0);
  REQUIRE(store->put("k", "y"));
  store.reset();
  CHECK(in_child([&] { return bytes_of(*open().value(), "k") == "y" ? 0 : 1; }) == 0);
  CHECK(bytes_of(*open().value(), "k") == "y");
}

TEST_CASE("what an interrupted put left behind is removed at the next opening, files of others stay",
          "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const auto root = folder / "root";
  open_store(root)->put("k", patterned(large, 1)).value();
  const auto known = blobs_of(root);
  const auto fan = root / "blobs" / known.at(0).substr(0, 2);
  const std::string digits = known.at(0).substr(3, 2);
  support::write_file(fan / (digits + std::string(30, '0')));
  support::write_file(fan / (digits + std::string(30, '1') + ".part"));
  std::filesystem::create_directory(root / "blobs" / "zz");
  const std::vector<std::filesystem::path> foreign{root / "notes.txt",
                                                   root / "blobs" / "README",
                                                   fan / "README",
                                                   fan / (digits + std::string(29, '0')),
                                                   fan / (digits + std::string(30, '0') + ".bak"),
                                                   root / "blobs" / "zz" / std::string(32, 'z')};
  for (const auto& each : foreign) support::write_file(each, "mine");
  std::filesystem::create_directory(fan / (digits + std::string(30, '2')));
  CHECK(blobs_of(root).size() == known.size() + 2 + foreign.size() - 1);
  const auto store = open_store(root);
  CHECK(blobs_of(root).size() == known.size() + foreign.size() - 1);
  for (const auto& each : foreign) CHECK(support::read_file(each) == "mine");
  CHECK(std::filesystem::is_directory(fan / (digits + std::string(30, '2'))));
  CHECK(bytes_of(*store, "k") == patterned(large, 1));
}

// ---- bounds ---------------------------------------------------------------------------------------------------------

TEST_CASE("a file system store is bounded, and a put beyond the bound changes nothing", "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const auto root = folder / "root";
  const auto store = open_filesystem_object_store({.root = root, .bytes_max = 100'000}).value();
  const auto full = [](const auto& got) { return refused(got, errc::limit_exceeded, failure_reason::store_full); };
  REQUIRE(store->put("a", patterned(80'000, 1)));
  CHECK(full(store->put("b", patterned(20'001, 2))));
  CHECK(full(store->put("b", patterned(90'000, 2))));
  CHECK(full(store->put("a", patterned(100'001, 2))));
  CHECK(full(store->copy("a", "b")));
  CHECK(blobs_of(root).size() == 1);
  CHECK(bytes_of(*store, "a") == patterned(80'000, 1));
  REQUIRE(store->put("b", patterned(20'000, 2)));
  CHECK(store->erase("a").value());
  REQUIRE(store->put("c", patterned(80'000, 3)));
  CHECK(full(store->put("d", "x")));
}

TEST_CASE("a file system store keeps its last changes, and says when some are gone", "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const auto open = [&](std::size_t kept) {
    return open_filesystem_object_store(
               {.root = folder / "root", .durability = durability_level::process, .changes_max = kept})
        .value();
  };
  {
    const auto store = open(3);
    for (const char* key : {"a", "b", "c", "d"}) REQUIRE(store->put(key, ""));
    CHECK(refused(store->changes(0), errc::expired));
    CHECK(store->changes(1).value().front().info.key == "b");
    for (int i = 0; i < 200; ++i) REQUIRE(store->put("e", ""));
    CHECK(refused(store->changes(200), errc::expired));
    CHECK(store->changes(201).value().size() == 3);
  }
  const auto store = open(1'000);  // what was dropped does not come back
  CHECK(refused(store->changes(100), errc::expired));
  CHECK(store->changes(201).value().size() == 3);
  CHECK(store->last_change().value() == 204);
}

// ---- damage ---------------------------------------------------------------------------------------------------------

TEST_CASE("the check sums are those of the other way to make them, and differ for every flipped bit",
          "[filesystem][object_store]") {
  using dormouse::filesystem::check_sum;
  for (std::size_t size = 0; size < 200; ++size) {
    const auto bytes = patterned(size, 7);
    CHECK(check_sum(bytes) == dormouse::filesystem::check_sum_portable(bytes));
  }
  auto bytes = patterned(4'099, 8);
  const auto sum = check_sum(bytes);
  int missed = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      flip(bytes, at, bit);
      if (check_sum(bytes) == sum) ++missed;
      flip(bytes, at, bit);
    }
  }
  CHECK(missed == 0);
  CHECK(check_sum(std::string(32, '\0')) != check_sum(std::string(64, '\0')));
}

TEST_CASE("a damaged file of an object is corruption, never other bytes", "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const auto root = folder / "root";
  const auto store = open_store(root);
  const auto bytes = patterned(large, 1);
  REQUIRE(store->put("k", bytes));
  const auto blob = blob_in(root);
  SECTION("a flipped bit, anywhere") {
    for (std::size_t at = 0; at < large; at += 9'973) {
      auto damaged = bytes;
      flip(damaged, at, at % 8);
      support::write_file(blob, damaged);
      CHECK(refused(store->get("k"), errc::corruption));
      CHECK(refused(store->get("k", {.range = {.offset = at, .length = 1}}), errc::corruption));
      auto reader = store->open("k").value();
      std::string piece(10'000, '\0');
      std::string seen;
      for (;;) {
        const auto got = reader.read(piece);
        if (!got) break;
        REQUIRE(*got != 0);  // it does not come to the end
        seen.append(piece, 0, *got);
      }
      CHECK(bytes.starts_with(seen));
    }
    auto damaged = bytes;
    flip(damaged, large - 1, 0);
    support::write_file(blob, damaged);
    CHECK(bytes_of(*store, "k", {.length = 1'000}) == bytes.substr(0, 1'000));  // of another block
    support::write_file(blob, bytes);
    CHECK(bytes_of(*store, "k") == bytes);
  }
  SECTION("cut short, longer, gone, or no file at all") {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, large / 2, large - 1}) {
      std::filesystem::resize_file(blob, size);
      CHECK(refused(store->get("k"), errc::corruption));
    }
    support::write_file(blob, bytes + "x");
    CHECK(refused(store->get("k"), errc::corruption));
    std::filesystem::remove(blob);
    CHECK(refused(store->get("k"), errc::corruption));
    REQUIRE(::mkfifo(blob.c_str(), 0600) == 0);
    CHECK(refused(store->get("k"), errc::corruption));
    CHECK(store->head("k").value().size == large);
    REQUIRE(store->put("k", "mended"));
    CHECK(bytes_of(*store, "k") == "mended");
  }
  SECTION("cut short while it is read") {
    auto reader = store->open("k").value();
    std::filesystem::resize_file(blob, large / 2);
    std::string all(large, '\0');
    CHECK(refused(reader.read(all), errc::corruption));
  }
  SECTION("the file of another object of that size") {
    REQUIRE(store->put("other", patterned(large, 2)));
    support::write_file(blob, patterned(large, 2));
    CHECK(refused(store->get("k"), errc::corruption));
  }
}

TEST_CASE("a damaged index is corruption, never other bytes or names", "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const auto root = folder / "root";
  const std::string bytes = "the bytes of a small object";
  open_store(root)->put("k", bytes, {.content_type = "image/png", .metadata = {{"author", "Ann"}}}).value();
  auto file = support::read_file(root / "index.db");
  const auto damage = [&](std::string_view where, std::size_t from = 0) {
    const auto at = file.find(where, from);
    REQUIRE(at != std::string::npos);
    flip(file, at, 0);
    support::write_file(root / "index.db", file);
    return at;
  };
  SECTION("in the bytes") {
    damage(bytes);
    const auto store = open_store(root);
    CHECK(refused(store->get("k"), errc::corruption));
    CHECK(refused(store->open("k"), errc::corruption));
    CHECK(store->head("k").value().content_type == "image/png");
    REQUIRE(store->put("k", "mended"));
    CHECK(bytes_of(*store, "k") == "mended");
  }
  SECTION("in what is known of it") {
    for (auto at = damage("image/png"); file.find("image/png", at) != std::string::npos;) at = damage("image/png", at);
    const auto store = open_store(root);
    CHECK(refused(store->head("k"), errc::corruption));
    CHECK(refused(store->get("k"), errc::corruption));
    CHECK(refused(store->list(), errc::corruption));
    CHECK(refused(store->changes(0), errc::corruption));
    CHECK(refused(store->copy("k", "l"), errc::corruption));
    CHECK(refused(store->put("k", "x", {.if_match = "1"}), errc::corruption));
    CHECK(store->erase("k").value());
    CHECK(store->list().value().objects.empty());
  }
  SECTION("in its head") {
    damage("SQLite format 3");
    CHECK(refused(open_filesystem_object_store({.root = root}), errc::corruption));
    CHECK(support::read_file(root / "index.db") == file);
  }
}

// ---- readers and writers --------------------------------------------------------------------------------------------

TEST_CASE("a reader keeps the file of its object, which goes when nobody needs it", "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const auto root = folder / "root";
  const auto store = open_store(root);
  const auto bytes = patterned(large, 1);
  REQUIRE(store->put("k", bytes));
  auto reader = store->open("k").value();
  REQUIRE(store->copy("k", "copy"));
  CHECK(blobs_of(root).size() == 1);  // of both
  REQUIRE(store->put("k", patterned(large, 2)));
  CHECK(blobs_of(root).size() == 2);
  CHECK(store->erase("copy").value());
  CHECK(blobs_of(root).size() == 1);
  CHECK(store->erase("k").value());
  CHECK(blobs_of(root).empty());
  std::string all(large, '\0');
  CHECK(reader.read(all).value() == large);
  CHECK(all == bytes);
  { const auto dropped = store->create("k").value().write(bytes); }
  CHECK(blobs_of(root).empty());
}

TEST_CASE("an object that is replaced or erased while its file is being opened is read as it is then",
          "[filesystem][object_store]") {
  const support::temporary_folder folder;
  support::faulty_file_io io;
  const auto store = dormouse::filesystem::open_filesystem_object_store(
                         {.root = folder / "root", .durability = durability_level::process}, io)
                         .value();
  std::function<void()> once;
  io.before = [&](std::string_view call) {
    if (call == "open" && once) std::exchange(once, nullptr)();
  };
  const auto when_opened = [&](std::function<void()> what) {
    once = std::move(what);
    return store->get("k");
  };
  REQUIRE(store->put("k", patterned(large, 1)));
  CHECK(
      (when_opened([&] { store->put("k", patterned(large, 2)).value(); }).value().data.text() == patterned(large, 2)));
  CHECK(refused(when_opened([&] { store->erase("k").value(); }), errc::not_found));
}

TEST_CASE("objects at the edges of what fits into the index and into a block come back as they were",
          "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const auto store = open_store(folder / "root");
  constexpr auto block = dormouse::filesystem::block_bytes;
  constexpr auto inlined = dormouse::filesystem::inline_bytes_max;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, inlined - 1, inlined, inlined + 1, block - 1, block,
                                 block + 1, 2 * block, 2 * block + inlined}) {
    const auto bytes = patterned(size, 3);
    for (const std::size_t step : {std::size_t{1'000}, std::size_t{65'536}, block, block + 1, 3 * block}) {
      auto writer = store->create("k").value();
      for (std::size_t at = 0; at < size; at += step) {
        REQUIRE(writer.write(std::string_view(bytes).substr(at, step)));
      }
      REQUIRE(writer.finish());
      auto reader = store->open("k").value();
      std::string seen;
      std::string piece(step, '\0');
      for (auto got = reader.read(piece).value(); got != 0; got = reader.read(piece).value())
        seen.append(piece, 0, got);
      CHECK((seen == bytes));
    }
    for (const std::size_t offset : {std::size_t{0}, std::size_t{1}, size / 2, block - 1, block, block + 1}) {
      if (offset >= size) continue;
      CHECK((bytes_of(*store, "k", {.offset = offset}) == bytes.substr(offset)));
      CHECK((bytes_of(*store, "k", {.offset = offset, .length = block}) == bytes.substr(offset, block)));
    }
  }
  CHECK(blobs_of(folder / "root").size() == 1);
}

TEST_CASE("threads that replace, copy and read objects in files see whole objects", "[filesystem][object_store]") {
  const support::temporary_folder folder;
  const auto root = folder / "root";
  const auto store = open_store(root);
  REQUIRE(store->put("k", patterned(70'000, 0)));
  std::vector<std::string> versions;
  for (unsigned i = 0; i < 8; ++i) versions.push_back(patterned(70'000 + i * 50'000, i));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::size_t who = 0; who < 8; ++who) {
    threads.emplace_back([&, who] {
      for (int i = 0; i < 40; ++i) {
        if (!store->put("k", versions[who])) ++wrong;
        if (i % 8 == 0 && !store->copy("k", "copy")) ++wrong;
        const auto got = store->get("k");
        if (!got) {
          ++wrong;
          continue;
        }
        const auto text = got->data.text();
        if (text != versions[(text.size() - 70'000) / 50'000]) ++wrong;
      }
    });
  }
  for (auto& each : threads) each.join();
  CHECK(wrong == 0);
  CHECK(blobs_of(root).size() <= 2);
  CHECK(store->last_change().value() == 1 + 8 * 40 + 8 * 5);
}
