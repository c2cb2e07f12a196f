// The power goes at any call of the file system store, its index's among them, and the disk has kept what it liked of
// that which was not synced: what was acknowledged is there as a whole, what was not is there as a whole or not at all.

#include "support/catch.hpp"

#include "adapters/filesystem_fixture.hpp"
#include "adapters/power_cut_disk.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace dormouse;
using support::power_cut_disk;

namespace {

struct step {
  enum class kind { put, erase, copy, reopen } what = kind::reopen;
  std::string key{};
  std::size_t size = 0;  // of a put
  std::string to{};      // of a copy
};

constexpr auto put = step::kind::put;
constexpr auto erase = step::kind::erase;
constexpr auto copy = step::kind::copy;
constexpr auto reopen = step::kind::reopen;

// What a key stands for; empty: nothing.
using contents = std::optional<std::string>;

struct object {
  std::string bytes{};
  std::string etag{};  // empty: nobody was told
};

// A call that was told neither to have happened nor not to.
struct doubt {
  std::string key{};
  contents would_be{};
};

// What was told to be in the store.
struct account {
  std::map<std::string, object> objects{};
  std::uint64_t changes = 0;
  std::optional<doubt> open{};

  [[nodiscard]] contents at(const std::string& key) const {
    const auto found = objects.find(key);
    return found != objects.end() ? contents(found->second.bytes) : contents();
  }
  void set(const std::string& key, const contents& now, const std::string& etag = {}) {
    ++changes;
    objects.erase(key);
    if (now) objects[key] = {*now, etag};
  }
  // What the store says of the doubt; a sentence if that is something else.
  std::string resolve(object_store& store) {
    if (!open) return {};
    const doubt in = *std::exchange(open, std::nullopt);
    const auto got = store.get(in.key);
    if (!got && got.error().code != errc::not_found) return to_string(got.error());
    const contents now = got ? contents(got->data.text()) : contents();
    if (store.last_change().value() != changes) {
      if (now != in.would_be) return "what was changed is something else";
      set(in.key, now);
    }
    return now == at(in.key) ? "" : "the former object of a change that did not happen is not there";
  }
};

const std::string& bytes_of(std::size_t size, unsigned seed) {
  static std::map<std::pair<std::size_t, unsigned>, std::string> made;
  auto& bytes = made[{size, seed}];
  if (bytes.empty()) bytes = support::patterned(size, seed);
  return bytes;
}

// A program that does the steps, on a disk.
class program {
 public:
  program(std::filesystem::path root, power_cut_disk& disk) : root_(std::move(root)), disk_(disk) {}

  // True: all steps are done.
  bool run(const std::vector<step>& steps) {
    if (store_ == nullptr && !reopened()) return false;
    for (; next_ < steps.size(); ++next_) {
      if (!did(steps[next_])) return ++next_, false;
    }
    return true;
  }
  void close() { store_.reset(); }
  [[nodiscard]] account& told() { return told_; }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  [[nodiscard]] bool is_over() const { return disk_.is_cut() || disk_.is_dead() || !wrong_.empty(); }
  bool reopened() {
    store_.reset();
    auto opened = dormouse::filesystem::open_filesystem_object_store({.root = root_}, disk_, support::faulty_vfs::name);
    if (!opened && !is_over()) wrong_ = "opening: " + to_string(opened.error());
    if (!opened || is_over()) return false;
    store_ = std::move(*opened);
    wrong_ = told_.resolve(*store_);
    return wrong_.empty();
  }
  bool did(const step& each) {
    switch (each.what) {
      case reopen: return reopened();
      case put: {
        const std::string& bytes = bytes_of(each.size, static_cast<unsigned>(next_));
        return told(each.key, bytes, store_->put(each.key, bytes));
      }
      case copy: return told(each.to, told_.at(each.key), store_->copy(each.key, each.to));
      case erase: {
        const auto erased = store_->erase(each.key);
        return told(each.key, {}, erased ? result<object_info>(object_info{}) : erased.error());
      }
    }
    return false;
  }
  bool told(const std::string& key, const contents& now, const result<object_info>& done) {
    if (done) {
      told_.set(key, now, done->etag);
    } else {
      if (!is_over()) wrong_ = key + ": " + to_string(done.error());
      if (done.error().effect != effect_kind::not_applied) told_.open = doubt{key, now};
    }
    return !is_over();
  }

  const std::filesystem::path root_;
  power_cut_disk& disk_;
  std::unique_ptr<object_store> store_{};
  std::size_t next_ = 0;
  account told_{};
  std::string wrong_{};
};

// A sentence on what is not as it was told; empty: all is.
std::string compare(const std::filesystem::path& root, account told) {
  support::few_folders_io system(root);
  auto opened = dormouse::filesystem::open_filesystem_object_store(
      {.root = root, .durability = durability_level::process}, system);
  if (!opened) return "opening: " + to_string(opened.error());
  object_store& store = **opened;
  if (auto wrong = told.resolve(store); !wrong.empty()) return wrong;
  if (store.last_change().value() != told.changes) return "the log of changes has another length";
  if (store.list().value().objects.size() != told.objects.size()) return "there are other objects";
  std::set<std::string> in_files;
  for (const auto& [key, object] : told.objects) {
    const auto got = store.get(key);
    if (!got) return key + ": " + to_string(got.error());
    if (got->data.text() != object.bytes) return key + " has other bytes";
    if (!object.etag.empty() && got->info.etag != object.etag) return key + " has another etag";
    if (object.bytes.size() > dormouse::filesystem::inline_bytes_max) in_files.insert(object.bytes);
  }
  if (support::blobs_of(root).size() != in_files.size()) return "there are files of nobody";
  const std::string& fresh = bytes_of(40'000, 999);
  if (!store.put("fresh", fresh) || store.get("fresh").value().data.text() != fresh) return "nothing can be put";
  return {};
}

struct totals {
  unsigned runs = 0;
  unsigned cuts = 0;
  unsigned kills = 0;
  power_cut_disk::losses lost{};
};

struct moments {
  unsigned kill_at = 0;  // 0: never
  unsigned cut_at = 0;
};

// In memory, where there is a file system for that: a thousand folders are made and removed.
std::filesystem::path place() {
  const std::filesystem::path memory = "/dev/shm";
  return ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
}

std::string words_of(const moments& when, const power_cut_disk::choice& choice) {
  return fmt::format("killed at {}, cut at {}; kept (0 nothing, 1 everything, 2 some): index {}, bytes {}, names {}",
                     when.kill_at, when.cut_at, static_cast<int>(choice.index), static_cast<int>(choice.bytes),
                     static_cast<int>(choice.names));
}

// All steps, unless the power goes; after a kill by a successor.
std::string live(program& runs, const std::vector<step>& steps, power_cut_disk& disk, totals& all) {
  ++all.runs;
  if (!runs.run(steps) && disk.is_dead()) {
    ++all.kills;
    runs.close();
    disk.restart();
    runs.run(steps);
  }
  runs.close();
  return runs.wrong();
}

// One life of a folder of its own. True: the power went.
bool is_whole_after(const std::vector<step>& steps, const moments& when, const power_cut_disk::choice& choice,
                    totals& all) {
  const support::temporary_folder folder(place());
  const auto root = folder / "root";
  power_cut_disk disk(root, choice);
  disk.kill_at(when.kill_at);
  disk.cut_at(when.cut_at);
  program runs(root, disk);
  INFO(words_of(when, choice));
  if (const auto wrong = live(runs, steps, disk, all); !wrong.empty()) FAIL(wrong);
  if (!disk.is_cut()) return false;
  ++all.cuts;
  const auto lost = disk.settle();
  all.lost.index += lost.index;
  all.lost.bytes += lost.bytes;
  all.lost.names += lost.names;
  if (const auto wrong = compare(root, runs.told()); !wrong.empty()) FAIL(wrong);
  return true;
}

using kept = power_cut_disk::kept;

// The worst for an index that says too much: every name, and nothing else. And for what was never synced.
constexpr power_cut_disk::choice only_names{.names = kept::everything};
constexpr power_cut_disk::choice nothing{};

power_cut_disk::choice anything(unsigned seed) {
  std::mt19937 random(seed);
  const auto any = [&] { return std::array{kept::nothing, kept::everything, kept::some}.at(random() % 3); };
  return {.index = any(), .bytes = any(), .names = any(), .seed = seed};
}

void check_losses(const totals& all) {
  INFO(all.runs << " runs, " << all.kills << " kills, " << all.cuts << " cuts; lost: " << all.lost.index
                << " changes of the index, " << all.lost.bytes << " of bytes, " << all.lost.names << " of names");
  CHECK(all.cuts > 100);
  CHECK(all.lost.index > 100);
  CHECK(all.lost.bytes > 10);
  CHECK(all.lost.names > 100);
}

}  // namespace

TEST_CASE("objects that were told to be stored are there when the power goes at any call", "[filesystem][power]") {
  const std::vector<step> steps{
      {put, "a", 40'000}, {put, "b", 270'000}, {put, "a", 50'000}, {copy, "a", 0, "c"},
      {put, "s", 1'000},  {erase, "b"},        {put, "a", 2'000},  {put, "s", 33'000},
      {reopen},           {erase, "c"},        {put, "s", 35'000}, {copy, "s", 0, "b"},
      {erase, "s"},
  };
  totals all;
  bool cut = true;
  for (unsigned at = 1; cut; ++at) {
    REQUIRE(at < 1'000);
    cut = is_whole_after(steps, {.cut_at = at}, only_names, all);
    is_whole_after(steps, {.cut_at = at}, at % 3 == 0 ? nothing : anything(at), all);
  }
  check_losses(all);
}

// What the one who was killed has not synced is still in the system's memory, and its successor builds on it.
TEST_CASE("objects are there when the power goes after a process was killed", "[filesystem][power]") {
  const std::vector<step> steps{{put, "a", 40'000}, {put, "a", 50'000}, {erase, "a"}, {put, "b", 60'000}};
  totals all;
  unsigned kills = 1;
  for (unsigned at = 1; kills != all.kills; ++at) {
    REQUIRE(at < 1'000);
    kills = all.kills;
    for (const unsigned after : {2U, 3U, 4U, 5U, 6U})
      is_whole_after(steps, {.kill_at = at, .cut_at = at + after}, only_names, all);
    for (const unsigned after : {18U, 30U, 42U, 54U})
      is_whole_after(steps, {.kill_at = at, .cut_at = at + after}, nothing, all);
    const unsigned any = 1 + at % 32;
    is_whole_after(steps, {.kill_at = at, .cut_at = at + any}, anything(at), all);
  }
  check_losses(all);
}
