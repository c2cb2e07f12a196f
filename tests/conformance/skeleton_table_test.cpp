// SPDX-License-Identifier: MIT
// The least that an adapter of tables has to do (docs/writing-an-adapter.md): start from a copy of this one. It
// declares nothing beyond the contract, so the suite proves that the rest is refused.

#include "support/catch.hpp"

#include <dormouse/services/table.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/table_conformance.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace dormouse;

namespace {

class skeleton_table final : public table {
 public:
  explicit skeleton_table(const dormouse::clock& time) : table(time) {}

  const table_capabilities& capabilities() const noexcept override { return capabilities_; }
  durability_level durability() const noexcept override { return durability_level::memory; }

 private:
  using row = std::pair<const table_key, stored_item>;

  result<std::optional<stored_item>> do_get(const table_key& key, const table_get_options&) override {
    const std::lock_guard lock(mutex_);
    const auto found = items_.find(key);
    return found != items_.end() ? std::optional(found->second) : std::nullopt;
  }

  // A put or an erase: without the capabilities, no update and no condition comes here.
  result<write_outcome> do_write(table_write&& what, const table_write_options& options) override {
    const std::lock_guard lock(mutex_);
    const auto found = items_.find(what.key);
    write_outcome done{.existed = found != items_.end()};
    if (options.former != nullptr && done.existed) *options.former = found->second;
    if (what.kind == table_write_kind::put) {
      done.now.version = ++writes_;
      items_.insert_or_assign(std::move(what.key), stored_item{.item = std::move(what.item), .version = writes_});
    } else if (done.existed) {
      items_.erase(found);
    }
    return done;
  }

  result<table_page> do_query(const table_query& what, std::string_view after) override {
    const std::lock_guard lock(mutex_);
    std::vector<const row*> rows;
    for (const row& each : items_) {
      if (each.first.partition == what.partition && lies_in(what.sort, each.first.sort)) rows.push_back(&each);
    }
    if (what.descending) std::reverse(rows.begin(), rows.end());
    return page_of(rows, what, after, [&](const table_key& key, const table_key& last) {
      return what.descending ? key < last : last < key;
    });
  }

  result<table_page> do_scan(const table_scan& what, std::string_view after) override {
    const std::lock_guard lock(mutex_);
    std::vector<const row*> rows;
    for (const row& each : items_) {
      if (std::hash<std::string>{}(each.first.partition) % what.segments == what.segment) rows.push_back(&each);
    }
    return page_of(rows, what, after, [](const table_key& key, const table_key& last) { return last < key; });
  }

  static bool lies_in(const sort_range& range, std::string_view sort) {
    return (!range.from || sort >= *range.from) && (!range.to || sort <= *range.to) && sort.starts_with(range.prefix);
  }

  // The rows behind the place where the page before ended. A page ends when so many, or so much, has been examined.
  template <class Question, class Behind>
  static table_page page_of(const std::vector<const row*>& rows, const Question& what, std::string_view after,
                            Behind&& is_behind) {
    table_page page;
    std::size_t bytes = 0;
    const row* last = nullptr;
    for (const row* each : rows) {
      const auto& [key, stored] = *each;
      if (!after.empty() && !is_behind(key, key_of(after))) continue;
      if (page.examined == what.page_size || bytes >= page_bytes_max) {
        page.cursor = place_of(last->first);
        break;
      }
      ++page.examined;
      bytes += item_bytes(stored.item);
      last = each;
      if (!what.filter.holds(&stored.item)) continue;
      page.entries.push_back({key, project_table_item(stored.item, what.projection), stored.version, {}});
    }
    return page;
  }

  // A key as bytes, and back: never empty, which would be the start.
  static std::string place_of(const table_key& key) {
    return std::to_string(key.partition.size()) + ":" + key.partition + key.sort;
  }
  static table_key key_of(std::string_view place) {
    const std::size_t size = std::stoul(std::string(place));
    place.remove_prefix(place.find(':') + 1);
    return {std::string(place.substr(0, size)), std::string(place.substr(size))};
  }

  const table_capabilities capabilities_{};
  std::mutex mutex_{};
  std::map<table_key, stored_item> items_{};
  table_version writes_ = 0;
};

}  // namespace

TEST_CASE("the skeleton of a table conforms, and what it does not declare is refused", "[adapter][table]") {
  testing::manual_clock time;
  testing::check_table_conformance({.make = [&](const auto&) { return std::make_unique<skeleton_table>(time); },
                                    .now = [&] { return time.now(); },
                                    .advance = [&](auto by) { time.advance(by); }});
}
