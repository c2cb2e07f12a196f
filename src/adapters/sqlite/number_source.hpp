// SPDX-License-Identifier: MIT
#pragma once

// Numbers, each given away once and greater than those before, though the file only hears of every millionth: whole
// blocks are taken from it, in a commit of their own. What is left of a block when the process ends is skipped.
// Threads: prepare() from any thread; next() by whose turn it is to write.

#include <dormouse/result.hpp>

#include "engines/sqlite/engine.hpp"

#include <cstdint>
#include <mutex>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

class number_source {
 public:
  // `take`: a literal; adds ?2 to the first number that the file has not given away, of the owner ?1, and returns it.
  explicit number_source(std::string_view take) noexcept : take_(take) {}

  // Before the work that calls next(), and not within any. Without it, as within a transaction, next() asks the file
  // for each single number once the block is used up.
  result<void> prepare(engine& file, std::int64_t owner, const deadline& until);
  // Within work; what it takes is taken if that work is committed.
  result<std::uint64_t> next(connection& in, std::int64_t owner);

 private:
  result<std::uint64_t> take(connection& in, std::int64_t owner, std::uint64_t count) const;

  const std::string_view take_;
  std::mutex mutex_{};
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
