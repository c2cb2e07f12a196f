// A file whose bits have flipped, or whose end is missing: it is refused in words or read, and never ends the program.

#include "support/catch.hpp"
#include "support/numbered_rows.hpp"
#include "support/temporary_folder.hpp"

#include <cstddef>
#include <memory>
#include <random>
#include <string>

using namespace dormouse;
using support::numbers_in;
using support::write_number;

namespace {

bool is_honest(const failure& why) {
  return why.code == errc::corruption || why.code == errc::unsupported || why.code == errc::invalid_argument;
}

std::string whole_file(const sqlite::engine_options& options) {
  {
    const auto file = sqlite::open_engine(options).value();
    for (int i = 0; i < 40; ++i)
      REQUIRE(file->write(
          [&](sqlite::connection& on) -> result<void> {
            for (int k = 0; k < 20; ++k)
              if (auto added = support::add(on, i * 20 + k); !added) return added;
            return {};
          },
          {}));
  }
  return support::read_file(options.file.path);
}

void damage(std::string& bytes, std::mt19937& random) {
  if (random() % 4 == 0) {
    bytes.resize(random() % bytes.size());
    return;
  }
  // Where the structure is, mostly: the header, and the beginnings of pages.
  for (unsigned flips = 1 + static_cast<unsigned>(random() % 8); flips > 0; --flips) {
    std::size_t at = random() % bytes.size();
    if (random() % 2 == 0) at = at / 4096 * 4096 + random() % 100;
    at = at < bytes.size() ? at : 0;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
  }
}

}  // namespace

TEST_CASE("a damaged file is refused in words or read, and never ends the program", "[damage]") {
  const support::temporary_folder folder;
  const auto options = support::numbered_rows_at(folder / "rows.db");
  const std::string whole = whole_file(options);
  std::mt19937 random(1);
  unsigned refused = 0;
  for (int round = 0; round < 200; ++round) {
    std::string bytes = whole;
    damage(bytes, random);
    support::write_file(options.file.path, bytes);
    INFO("round " << round);
    const auto file = sqlite::open_engine(options);
    if (!file) {
      INFO(to_string(file.error()));
      REQUIRE(is_honest(file.error()));
      ++refused;
    } else {
      const auto read = numbers_in(**file);
      if (!read) REQUIRE(is_honest(read.error()));
      const auto checked = (*file)->check();
      if (!checked) REQUIRE(checked.error().code == errc::corruption);
      refused += read && checked ? 0U : 1U;
      const auto written = write_number(**file, 100'000);
      INFO((written ? std::string() : to_string(written.error())));
      if (!written) REQUIRE((is_honest(written.error()) || written.error().code == errc::already_exists));
    }
  }
  CHECK(refused > 50);
}
