// SPDX-License-Identifier: MIT
#include "table_state.hpp"

#include <dormouse/detail/service_call.hpp>

#include "item_codec.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

namespace {

// ---- the schema as a record -----------------------------------------------------------------------------------------

table_item to_record(const table_state& state) {
  attribute_list indexes;
  for (const placed_index& each : state.indexes) {
    attribute_list projection(each.declared.projection.begin(), each.declared.projection.end());
    indexes.emplace_back(attribute_map{{"name", each.declared.name},
                                       {"partition_field", each.declared.partition_field},
                                       {"sort_field", each.declared.sort_field},
                                       {"projection", std::move(projection)},
                                       {"place", static_cast<std::int64_t>(each.place)}});
  }
  return {{"indexes", std::move(indexes)},
          {"places", static_cast<std::int64_t>(state.places)},
          {"change_view", static_cast<std::int64_t>(state.schema.change_view)}};
}

// Throws what std::get and map::at throw: a record with a right sum and a wrong content.
void from_record(const table_item& record, table_state& state) {
  state.places = static_cast<std::size_t>(std::get<std::int64_t>(record.at("places")));
  state.schema.change_view = static_cast<table_change_view>(std::get<std::int64_t>(record.at("change_view")));
  for (const attribute& each : std::get<attribute_list>(record.at("indexes"))) {
    const auto& map = std::get<attribute_map>(each);
    placed_index index{.declared = {.name = std::get<std::string>(map.at("name")),
                                    .partition_field = std::get<std::string>(map.at("partition_field")),
                                    .sort_field = std::get<std::string>(map.at("sort_field"))},
                       .place = static_cast<std::size_t>(std::get<std::int64_t>(map.at("place")))};
    for (const attribute& name : std::get<attribute_list>(map.at("projection"))) {
      index.declared.projection.push_back(std::get<std::string>(name));
    }
    state.indexes.push_back(std::move(index));
  }
}

// The same but for the projection, which is looked at only when something is read.
bool same_order(const table_index& a, const table_index& b) noexcept {
  return a.name == b.name && a.partition_field == b.partition_field && a.sort_field == b.sort_field;
}

// ---- opening, within one piece of work ------------------------------------------------------------------------------

class opening {
 public:
  opening(connection& in, const sqlite_table_options& options) : in_(in), options_(options) {}

  result<std::shared_ptr<table_state>> run() {
    if (auto made = in_.execute(make_catalogue); !made) return std::move(made).error();
    auto is_there = find();
    if (!is_there) return std::move(is_there).error();
    auto done = *is_there ? change() : make();
    if (!done) return std::move(done).error();
    if (auto found = find_soonest(); !found) return std::move(found).error();
    return std::move(state_);
  }

 private:
  result<bool> find() {
    auto row = in_.prepare("SELECT id, format, schema FROM dormouse_tables WHERE name = ?1");
    if (!row) return std::move(row).error();
    auto found = row->bind_text(1, options_.name).step();
    if (!found) return std::move(found).error();
    if (!*found) return false;
    state_->id = row->int64(0);
    if (row->int64(1) != table_format) {
      return detail::refuse_service_call(errc::unsupported, failure_reason::none,
                                         "table \"{}\" has format {}; this library knows {}", options_.name,
                                         row->int64(1), table_format);
    }
    const auto record = opened_record(options_.name, row->blob(2));
    if (!record) return record.error();
    try {
      from_record(*record, *state_);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception&) {
      return corrupt("the schema of a table is malformed");
    }
    return true;
  }

  result<void> make() {
    auto row = in_.prepare("INSERT INTO dormouse_tables(name, format, versions, schema) VALUES(?1, ?2, 1, x'')");
    if (!row) return std::move(row).error();
    if (auto added = row->bind_text(1, options_.name).bind(2, table_format).run(); !added) {
      return std::move(added).error();
    }
    state_->id = sqlite3_last_insert_rowid(in_.handle());
    state_->sql = make_table_sql(state_->id, options_.name, {});
    if (auto made = in_.execute(make_items(state_->sql).c_str()); !made) return made;
    return change();
  }

  // From what the record says to what the options say.
  result<void> change() {
    const table_schema former = std::exchange(state_->schema, options_.schema);
    state_->sql = make_table_sql(state_->id, options_.name, {});
    if (state_->logs()) {
      if (auto made = in_.execute(make_log(state_->sql).c_str()); !made) return made;
      if (former.change_view == table_change_view::none) {
        if (auto marked = mark_gap(); !marked) return marked;
      }
    }
    if (auto placed = place_indexes(); !placed) return placed;
    state_->sql = make_table_sql(state_->id, options_.name, state_->indexes);
    return store_record();
  }

  // While there was no log, changes went by unseen: who read an earlier one must not go on as if nothing had been.
  result<void> mark_gap() {
    auto last = in_.prepare(state_->sql.log_last);
    if (!last) return std::move(last).error();
    auto found = last->step();
    if (!found) return std::move(found).error();
    if (!*found) return {};
    auto mark = in_.prepare(state_->sql.log_add);
    if (!mark) return std::move(mark).error();
    auto added = mark->bind(1, std::int64_t{0}).bind(2, std::int64_t{0}).bind(7, std::int64_t{0}).run();
    if (!added) return std::move(added).error();
    const std::string rest =
        "DELETE FROM " + state_->sql.log + " WHERE id < " + std::to_string(sqlite3_last_insert_rowid(in_.handle()));
    return in_.execute(rest.c_str());
  }

  result<void> place_indexes() {
    const std::vector<placed_index> former = std::exchange(state_->indexes, {});
    std::vector<bool> taken(state_->places, false);
    for (const placed_index& each : former) {
      const auto& wanted = options_.schema.indexes;
      const bool stays = std::any_of(wanted.begin(), wanted.end(),
                                     [&](const table_index& index) { return same_order(index, each.declared); });
      if (stays) {
        if (each.place >= taken.size()) return corrupt("the schema of a table is malformed");
        taken[each.place] = true;
      } else if (auto dropped = in_.execute(drop_index(state_->sql, each.place).c_str()); !dropped) {
        return dropped;
      }
    }
    std::vector<placed_index> fresh;
    for (const table_index& each : options_.schema.indexes) {
      const auto known = std::find_if(former.begin(), former.end(),
                                      [&](const placed_index& index) { return same_order(index.declared, each); });
      if (known != former.end()) {
        state_->indexes.push_back({each, known->place});
        continue;
      }
      auto place = free_place(taken);
      if (!place) return std::move(place).error();
      state_->indexes.push_back({each, *place});
      fresh.push_back(state_->indexes.back());
    }
    return build(fresh);
  }

  result<std::size_t> free_place(std::vector<bool>& taken) {
    const auto found = std::find(taken.begin(), taken.end(), false);
    const auto place = static_cast<std::size_t>(found - taken.begin());
    if (found != taken.end()) {
      *found = true;
      return place;
    }
    if (auto added = in_.execute(add_index_columns(state_->sql, place).c_str()); !added) return added.error();
    taken.push_back(true);
    state_->places = taken.size();
    return place;
  }

  // One walk over the items for all indexes that are new.
  result<void> build(const std::vector<placed_index>& fresh) {
    if (fresh.empty()) return {};
    std::vector<std::string> texts;
    for (const placed_index& each : fresh) texts.push_back(set_index_columns(state_->sql, each.place));
    std::int64_t id = 0;
    for (;;) {
      table_item item;
      auto found = next_item(id, item);
      if (!found) return std::move(found).error();
      if (!*found) break;
      for (std::size_t i = 0; i < fresh.size(); ++i) {
        if (auto set = set_columns(texts[i], id, table_index_key(fresh[i].declared, item)); !set) return set;
      }
    }
    for (const placed_index& each : fresh) {
      if (auto made = in_.execute(make_index(state_->sql, each.place).c_str()); !made) return made;
    }
    return {};
  }

  // The one behind `id`, which becomes its own; false: there is none.
  result<bool> next_item(std::int64_t& id, table_item& item) {
    auto row = in_.prepare(state_->sql.scan);
    if (!row) return std::move(row).error();
    auto found = row->bind(1, id).step();
    if (!found || !*found) return found;
    id = row->int64(0);
    row_head head{
        .partition = row->blob(4), .sort = row->blob(5), .version = static_cast<table_version>(row->int64(1))};
    if (!row->is_null(2)) head.expires_at = row->int64(2);
    const auto bytes = opened_row(head, row->blob(3));
    if (!bytes) return bytes.error();
    if (!read_item(*bytes, item)) return corrupt("an item is malformed");
    return true;
  }

  result<void> set_columns(const std::string& text, std::int64_t id, const std::optional<table_key>& key) {
    auto set = in_.prepare(text);
    if (!set) return std::move(set).error();
    set->bind(1, id);
    if (key) set->bind_blob(2, key->partition).bind_blob(3, key->sort);
    auto done = set->run();
    if (!done) return std::move(done).error();
    return {};
  }

  result<void> store_record() {
    const std::string record = sealed_record(options_.name, to_record(*state_));
    auto row = in_.prepare("UPDATE dormouse_tables SET schema = ?2 WHERE id = ?1 AND schema <> ?2");
    if (!row) return std::move(row).error();
    auto done = row->bind(1, state_->id).bind_blob(2, record).run();
    if (!done) return std::move(done).error();
    return {};
  }

  result<void> find_soonest() {
    auto row = in_.prepare(state_->sql.soonest);
    if (!row) return std::move(row).error();
    auto found = row->step();
    if (!found) return std::move(found).error();
    state_->nothing_expires_before = *found ? row->int64(0) : std::numeric_limits<std::int64_t>::max();
    return {};
  }

  connection& in_;
  const sqlite_table_options& options_;
  std::shared_ptr<table_state> state_ = std::make_shared<table_state>();
};

}  // namespace

// ---- opening --------------------------------------------------------------------------------------------------------

result<std::shared_ptr<table_state>> open_table_state(engine& file, const sqlite_table_options& options) {
  std::shared_ptr<table_state> state;
  auto done = file.write(
      [&](connection& in) -> result<void> {
        auto opened = opening(in, options).run();
        if (!opened) return std::move(opened).error();
        state = std::move(*opened);
        return {};
      },
      {});
  if (!done) return std::move(done).error();
  return state;
}

bool same_schema(const table_schema& a, const table_schema& b) noexcept {
  const auto same = [](const table_index& x, const table_index& y) {
    return same_order(x, y) && x.projection == y.projection;
  };
  return a.change_view == b.change_view && a.changes_max == b.changes_max && a.changes_age == b.changes_age &&
         std::equal(a.indexes.begin(), a.indexes.end(), b.indexes.begin(), b.indexes.end(), same);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
