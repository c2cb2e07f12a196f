// SPDX-License-Identifier: MIT
#include "ledger.hpp"

#include <charconv>
#include <cstdlib>

namespace storage {

using namespace dormouse;

namespace {

std::string name_of(store_kind store, int slot) { return fmt::format("{} {}", static_cast<char>(store), slot); }

}  // namespace

void ledger::read(std::string_view lines) {
  row_writes_.clear();
  for (std::size_t end = 0; (end = lines.find('\n')) != std::string_view::npos; lines.remove_prefix(end + 1)) {
    read_line(lines.substr(0, end));
  }
  for (const auto& [which, each] : places_) in_flight_ += each.open ? 1 : 0;
}

void ledger::read_line(std::string_view line) {
  if (line == "ready") return;
  if (line.size() < 5 || (line[0] != 'B' && line[0] != 'A')) return complain(fmt::format("the worker says: {}", line));
  const auto store = static_cast<store_kind>(line[2]);
  char* rest = nullptr;
  const std::string numbers(line.substr(4));
  const int slot = static_cast<int>(std::strtol(numbers.c_str(), &rest, 10));
  const std::int64_t number = std::strtoll(rest, nullptr, 10);
  place& at = places_[{store, slot}];
  if (line[0] == 'B') {
    at.open = number;
    return;
  }
  at = {.kept = number, .open = {}};
  ++acknowledged_;
  if (store == store_kind::ledger) booked_.insert(number);
  if (store == store_kind::sent) sent_.insert(number);
  if (store == store_kind::done) done_.insert(number);
  if (store == store_kind::table && number > 0) ++row_writes_[row_key(slot).partition];
}

// `found`: the number of the write that is there; empty: nothing is.
void ledger::compare_place(const place_id& which, std::optional<std::int64_t> found) {
  place& at = places_[which];
  const auto is = [&](std::int64_t number) { return found ? *found == number : number <= 0; };
  if (!is(at.kept) && !(at.open && is(*at.open))) {
    complain(fmt::format("{}: {} was acknowledged, {} was on its way, {} is there", name_of(which.first, which.second),
                         at.kept, at.open.value_or(0), found.value_or(0)));
  }
  at = {.kept = found.value_or(0), .open = {}};
}

void ledger::compare(const stores& with) {
  compare_rows(with);
  compare_money(with);
  compare_objects(with);
  compare_books(with);
  compare_changes(with);
  compare_orders(with);
  if (auto sound = check_sqlite_file(*with.file); !sound) complain(to_string(sound.error()));
}

void ledger::compare_rows(const stores& with) {
  for (int slot = 0; slot < table_slots; ++slot) {
    auto got = with.rows->get(row_key(slot));
    if (!got) return complain(to_string(got.error()));
    if (!*got) {
      compare_place({store_kind::table, slot}, {});
      continue;
    }
    const table_item& item = (*got)->item;
    const operation what{store_kind::table, slot, std::get<std::int64_t>(item.at("number"))};
    if (std::get<payload>(item.at("bytes")) != bytes_of(what)) complain(name_of(what.store, slot) + ": wrong bytes");
    compare_place({what.store, slot}, what.number);
  }
}

void ledger::compare_money(const stores& with) {
  std::int64_t sum = 0;
  for (int account = 0; account < accounts; ++account) {
    auto got = with.rows->get(account_key(account));
    if (!got) return complain(to_string(got.error()));
    if (*got) sum += std::get<std::int64_t>((*got)->item.at("money"));
  }
  if (sum != 0) complain(fmt::format("the accounts have {} together, not 0", sum));
  auto last = with.rows->get({"bank", "last"});
  if (!last) return complain(to_string(last.error()));
  std::optional<std::int64_t> found;
  if (*last) found = std::get<std::int64_t>((*last)->item.at("number"));
  compare_place({store_kind::bank, 0}, found);
}

void ledger::compare_objects(const stores& with) {
  for (int slot = 0; slot < object_slots; ++slot) {
    auto got = with.objects->get(object_key(slot));
    if (!got && got.error().code != errc::not_found) return complain(to_string(got.error()));
    if (!got) {
      compare_place({store_kind::objects, slot}, {});
      continue;
    }
    operation what{store_kind::objects, slot, 0};
    const std::string_view text = got->data.text();
    const std::string begin = fmt::format("o {} ", slot);
    if (text.starts_with(begin)) std::from_chars(text.data() + begin.size(), text.data() + text.size(), what.number);
    if (text != bytes_of(what)) complain(name_of(what.store, slot) + ": wrong bytes");
    compare_place({what.store, slot}, what.number);
  }
}

void ledger::compare_books(const stores& with) {
  auto rows = with.books->query("select number from ledger");
  if (!rows) return complain(to_string(rows.error()));
  std::set<std::int64_t> found;
  for (const sql_row& each : rows->rows) found.insert(each.get<std::int64_t>(0).value());
  place& at = places_[{store_kind::ledger, 0}];
  if (at.open && found.contains(*at.open)) booked_.insert(*at.open);
  at.open.reset();
  if (found != booked_) complain(fmt::format("the ledger has {} rows, not {}", found.size(), booked_.size()));
}

// Each acknowledged put is a change: none came to the data and not to the log.
void ledger::compare_changes(const stores& with) {
  std::map<std::string, std::uint64_t> logged;
  for (;;) {
    auto more = with.rows->changes(changes_seen_, 1'000);
    if (!more) return complain(to_string(more.error()));
    if (more->empty()) break;
    for (const table_change& each : *more) {
      if (each.sequence <= changes_seen_) complain("the log is out of order");
      changes_seen_ = each.sequence;
      if (each.kind != table_change_kind::remove) ++logged[each.key.partition];
    }
  }
  for (const auto& [row, writes] : row_writes_) {
    if (logged[row] < writes) complain(fmt::format("{}: {} puts, {} changes", row, writes, logged[row]));
  }
}

namespace {

std::int64_t number_of(const payload& data) { return std::strtoll(std::string(data.text()).c_str(), nullptr, 10); }

// Where each order is: how often in the table, in the queue and among the dead.
struct order_places {
  int applied = 0;
  int queued = 0;
  int dead = 0;
};

result<std::map<std::int64_t, order_places>> find_orders(const stores& with) {
  std::map<std::int64_t, order_places> all;
  if (auto in_order = with.orders->counts(); !in_order) return std::move(in_order).error();  // nobody dies on the way
  table_query what{.partition = "orders", .page_size = 1'000};
  for (;;) {
    auto page = with.rows->query(what);
    if (!page) return std::move(page).error();
    for (const auto& each : page->entries) {
      const auto times = std::get<std::int64_t>(each.item.at("times"));
      all[std::strtoll(each.key.sort.c_str(), nullptr, 10)].applied += static_cast<int>(times);
    }
    if (page->cursor.empty()) break;
    what.cursor = page->cursor;
  }
  // To receive them would change them.
  auto rows = with.books->query("select cast(data as text) from dormouse_queue_1_orders");
  if (!rows) return std::move(rows).error();
  for (const sql_row& each : rows->rows) {
    ++all[std::strtoll(each.get<std::string>(0).value().c_str(), nullptr, 10)].queued;
  }
  dead_letter_list_options page_of{.page_size = 1'000};
  for (;;) {
    auto page = with.orders->dead_letters(page_of);
    if (!page) return std::move(page).error();
    for (const dead_message& each : page->letters) {
      ++all[number_of(each.data)].dead;
      if (each.deliveries != deliveries_max) ++all[number_of(each.data)].dead;  // complained of
    }
    if (page->cursor.empty()) return all;
    page_of.cursor = page->cursor;
  }
}

}  // namespace

// None is lost, none that was done is back, and each was applied once: what it does and its ack are one transaction.
// None was delivered more often than it may be, deaths of its receivers included.
void ledger::compare_orders(const stores& with) {
  const auto found = find_orders(with);
  if (!found) return complain(to_string(found.error()));
  place& sending = places_[{store_kind::sent, 0}];
  if (sending.open && found->contains(*sending.open)) sent_.insert(*sending.open);
  sending.open.reset();
  for (const auto& [number, at] : *found) {
    if (sent_.contains(number) && at.applied + at.queued + at.dead == 1) continue;
    complain(fmt::format("order {}: applied {}, queued {}, dead {}", number, at.applied, at.queued, at.dead));
  }
  for (const std::int64_t number : sent_) {
    if (!found->contains(number)) complain(fmt::format("order {} is lost", number));
  }
  for (const std::int64_t number : done_) {
    if (found->contains(number) && found->at(number).applied != 1)
      complain(fmt::format("order {} was done, and is back", number));
  }
  for (int slot : {0, 1}) places_[{store_kind::done, slot}].open.reset();
  auto most = with.books->query("select coalesce(max(deliveries), 0) from dormouse_queue_1_orders");
  if (!most) return complain(to_string(most.error()));
  if (most->rows.at(0).get<std::int64_t>(0).value() > deliveries_max) complain("an order was delivered too often");
}

}  // namespace storage
