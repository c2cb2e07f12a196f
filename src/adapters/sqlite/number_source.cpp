// SPDX-License-Identifier: MIT
#include "number_source.hpp"

#include "item_codec.hpp"

#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

namespace {
constexpr std::uint64_t block = 1'000'000;
constexpr std::uint64_t low = 100'000;  // one call takes a thousand at most
}  // namespace

result<void> number_source::prepare(engine& file, std::int64_t owner, const deadline& until) {
  {
    const std::lock_guard lock(mutex_);
    if (end_ - next_ >= low) return {};
  }
  std::uint64_t first = 0;
  auto done = file.write(
      [&](connection& in) -> result<void> {
        auto taken = take(in, owner, block);
        if (!taken) return std::move(taken).error();
        first = *taken;
        return {};
      },
      until);
  if (!done) return done;
  const std::lock_guard lock(mutex_);
  // Another one may have brought a later block meanwhile, or taken later ones for himself: numbers never go back.
  if (first >= end_) {
    next_ = first;
    end_ = first + block;
  }
  return {};
}

result<std::uint64_t> number_source::next(connection& in, std::int64_t owner) {
  {
    const std::lock_guard lock(mutex_);
    if (next_ != end_) return next_++;
  }
  // It belongs to this work alone: if that is undone, the file gives it away again, and nobody has seen it.
  auto taken = take(in, owner, 1);
  if (!taken) return taken;
  const std::lock_guard lock(mutex_);
  if (*taken >= end_) next_ = end_ = *taken + 1;
  return taken;
}

result<std::uint64_t> number_source::take(connection& in, std::int64_t owner, std::uint64_t count) const {
  auto row = in.prepare(take_);
  if (!row) return std::move(row).error();
  auto found = row->bind(1, owner).bind(2, static_cast<std::int64_t>(count)).step();
  if (!found) return std::move(found).error();
  if (!*found) return corrupt("a service is not in the catalogue");
  const auto after = static_cast<std::uint64_t>(row->int64(0));
  auto ended = row->step();
  if (!ended) return std::move(ended).error();
  return after - count;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
