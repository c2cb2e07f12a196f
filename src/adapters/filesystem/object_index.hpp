// SPDX-License-Identifier: MIT
#pragma once

// The index of the object store: names, what is known of the objects, small objects themselves, and the changes, in one
// SQLite file. What an object consists of is a row of `contents` of its own: a copy is one more object with the same
// contents, whose row counts them; the bytes are in a file of that row's name, or in the row.
// All of a change is one transaction: conditions and bounds are decided in it.

#include <dormouse/result.hpp>
#include <dormouse/services/object_store.hpp>

#include "engines/sqlite/engine.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem {

// What an object consists of. `file` is empty when it is in `bytes`.
struct object_contents {
  std::string file{};
  std::string sums{};
  std::string bytes{};
};

struct found_object {
  object_info info{};
  std::int64_t contents_id = 0;
  object_contents contents{};
};

// A change that has been made: the object as it is now, or was, and the file that nobody needs any more.
struct made_change {
  object_info info{};
  std::string unused_file{};
};

struct index_bounds {
  std::uint64_t bytes_max = 0;
  std::uint64_t changes_max = 0;
};

class object_index {
 public:
  // What the engine is opened with.
  static sqlite::engine_options options(const sqlite_file_options& file);

  object_index(std::shared_ptr<sqlite::engine> engine, const index_bounds& bounds, std::uint32_t epoch) noexcept
      : engine_(std::move(engine)), bounds_(bounds), epoch_(epoch) {}

  // Empty: there is no such object.
  result<std::optional<found_object>> find(std::string_view key, const sqlite::deadline& until);
  result<std::optional<object_info>> head(std::string_view key, const sqlite::deadline& until);
  result<std::vector<object_info>> list(std::string_view prefix, std::string_view after, std::size_t count,
                                        const sqlite::deadline& until);

  // `fresh` gets its etag and its time here.
  result<made_change> put(object_info fresh, const object_contents& contents, const object_put_options& options);
  // Empty: there is none at `from`.
  result<std::optional<made_change>> copy(std::string_view from, std::string_view to,
                                          const object_put_options& options);
  // Empty: there was none.
  result<std::optional<made_change>> erase(std::string_view key, const sqlite::deadline& until);

  result<std::vector<object_change>> changes(std::uint64_t after, std::size_t count, const sqlite::deadline& until);
  result<std::uint64_t> last_change(const sqlite::deadline& until);
  result<std::optional<std::uint64_t>> position(std::string_view reader, const sqlite::deadline& until);
  result<void> remember(std::string_view reader, std::uint64_t position, const sqlite::deadline& until);

  // Does `what` with a question that is answered from one state of the index: is there an object in that file?
  result<void> with_files(
      const std::function<result<void>(const std::function<result<bool>(const std::string&)>&)>& what);

 private:
  const std::shared_ptr<sqlite::engine> engine_;
  const index_bounds bounds_;
  const std::uint32_t epoch_;  // part of every etag: numbers that were lost with the power are given again
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem
