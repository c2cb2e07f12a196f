// The power goes at any moment, and of what was not synced the disk has kept what it liked: nothing that was told to be
// written is missing, and the file is whole.

#include "support/catch.hpp"
#include "support/faulty_vfs.hpp"
#include "support/numbered_rows.hpp"
#include "support/temporary_folder.hpp"

#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

using namespace dormouse;
using support::faulty_vfs;
using support::numbers_in;

namespace {

struct life {
  std::set<std::int64_t> told{};   // to be written
  std::set<std::int64_t> tried{};  // and not told to have failed without effect
  bool cut = false;
};

// Writes numbers from `next` on until the power goes.
life live(const sqlite::engine_options& options, std::int64_t& next, std::mt19937& random) {
  life seen;
  faulty_vfs disk;
  auto shaken = options;
  shaken.vfs = faulty_vfs::name;
  disk.cut_power_at(1 + static_cast<unsigned>(random() % 120), static_cast<std::uint32_t>(random()));
  {
    const auto file = sqlite::open_engine(shaken);
    for (int i = 0; file && i < 60 && !disk.was_cut(); ++i) {
      const std::int64_t first = next;
      next += 1 + static_cast<std::int64_t>(random() % 30);
      const auto done = (*file)->write(
          [&](sqlite::connection& on) -> result<void> {
            for (std::int64_t number = first; number < next; ++number)
              if (auto added = support::add(on, number); !added) return added;
            return {};
          },
          {});
      for (std::int64_t number = first; number < next; ++number) {
        if (done) seen.told.insert(number);
        if (done || done.error().effect != effect_kind::not_applied) seen.tried.insert(number);
      }
    }
  }
  seen.cut = disk.was_cut();
  return seen;
}

}  // namespace

TEST_CASE("nothing that was told to be written is lost when the power goes", "[power]") {
  const support::temporary_folder folder;
  const auto options = support::numbered_rows_at(folder / "rows.db");
  auto looking = options;  // on a disk that works, and soon
  looking.file.durability = durability_level::process;
  constexpr unsigned lives = 300;
  unsigned cuts = 0;
  unsigned of_doubt = 0;
  std::set<std::int64_t> kept;
  std::int64_t next = 1;
  for (unsigned seed = 0; seed < lives; ++seed) {
    std::mt19937 random(seed);
    if (seed % 20 == 0) {
      // A file that is only being made has most to lose.
      for (const char* end : {"", "-wal", "-shm", "-journal"})
        std::filesystem::remove(options.file.path.string() + end);
      kept.clear();
    }
    const life seen = live(options, next, random);
    cuts += seen.cut ? 1U : 0U;
    const auto file = sqlite::open_engine(looking);
    INFO("seed " << seed << (file ? "" : ": " + to_string(file.error())));
    REQUIRE(file);
    REQUIRE((*file)->check());
    const auto found = numbers_in(**file).value();
    std::set<std::int64_t> expected = kept;
    expected.insert(seen.told.begin(), seen.told.end());
    for (const std::int64_t number : expected) REQUIRE(found.contains(number));
    for (const std::int64_t number : found) {
      if (expected.contains(number)) continue;
      REQUIRE(seen.tried.contains(number));
      ++of_doubt;
    }
    kept = found;
  }
  CHECK(cuts > lives / 2);
  CAPTURE(of_doubt);
}
