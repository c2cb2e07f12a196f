// SPDX-License-Identifier: MIT
// Writes into every store at once, says of each write when it begins and when it has returned, and is killed meanwhile.
//
//   storage_worker FOLDER FIRST-NUMBER

#include "operations.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

using namespace dormouse;
using storage::operation;
using storage::store_kind;

namespace {

// One system call a line: lines of several threads do not mix, and what was said is said, whenever the end comes.
void say(const std::string& line) {
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::_Exit(4);
}

// In a run without faults nothing may fail; the parent sees the status.
[[noreturn]] void fail(const operation& what, const failure& why) {
  say(fmt::format("F {} {}\n", storage::line_of('?', what).substr(2), to_string(why)));
  std::_Exit(5);
}

template <class Call>
void run(const operation& what, const Call& call) {
  say(storage::line_of('B', what));
  if (auto done = call(); !done) fail(what, done.error());
  say(storage::line_of('A', what));
}

void write_rows(storage::stores& to, int half, std::int64_t number) {
  for (;; ++number) {
    const int slot = half * storage::table_slots / 2 + static_cast<int>(number % (storage::table_slots / 2));
    if (number % 7 == 3) {
      run({store_kind::table, slot, -number}, [&] { return to.rows->erase(storage::row_key(slot)); });
      continue;
    }
    const operation what{store_kind::table, slot, number};
    run(what, [&] {
      return to.rows->put(storage::row_key(slot), {{"number", number}, {"bytes", payload(storage::bytes_of(what))}});
    });
  }
}

// Money goes from one account to the next; one more transfer is counted. All of it or nothing.
void move_money(storage::stores& to, std::int64_t number) {
  for (;; ++number) {
    const int from = static_cast<int>(number % storage::accounts);
    const auto by = [](std::int64_t amount) { return table_update().increment(field("money"), amount); };
    run({store_kind::bank, 0, number}, [&] {
      return to.rows->transact({update_write(storage::account_key(from), by(-5)),
                                update_write(storage::account_key((from + 1) % storage::accounts), by(5)),
                                update_write({"bank", "last"}, table_update().set(field("number"), number))});
    });
  }
}

void write_objects(storage::stores& to, std::int64_t number) {
  for (;; ++number) {
    const int slot = static_cast<int>(number % storage::object_slots);
    if (number % 5 == 4) {
      run({store_kind::objects, slot, -number}, [&] { return to.objects->erase(storage::object_key(slot)); });
      continue;
    }
    const operation what{store_kind::objects, slot, number};
    run(what, [&] { return to.objects->put(storage::object_key(slot), storage::bytes_of(what)); });
  }
}

void keep_books(storage::stores& to, std::int64_t number) {
  for (;; ++number) {
    run({store_kind::ledger, 0, number}, [&] { return to.books->execute("insert into ledger values(?)", {number}); });
  }
}

// A third of them in a group. A full queue refuses: the others take from it.
void send_orders(storage::stores& to, std::int64_t number) {
  for (;; ++number) {
    run({store_kind::sent, 0, number}, [&]() -> result<void> {
      for (;;) {
        auto sent = to.orders->send({.data = std::to_string(number), .group = number % 3 == 0 ? "third" : ""});
        if (sent) return {};
        if (sent.error().code != errc::throttled) return std::move(sent).error();
        std::this_thread::yield();
      }
    });
  }
}

// What an order does and its ack are one transaction. Some are given back, and some are kept in hand until the end.
void do_orders(storage::stores& to, int slot) {
  for (int round = 0;; ++round) {
    const operation here{store_kind::done, slot, 0};
    auto got = to.orders->receive({.wait = std::chrono::milliseconds(100)});
    if (!got) fail(here, got.error());
    for (const queue_delivery& each : *got) {
      if (round % 7 == 3) {
        if (auto back = to.orders->nack(each.receipt); !back) fail(here, back.error());
        continue;
      }
      if (round % 31 == 30 && each.group.empty()) continue;
      const std::int64_t number = std::strtoll(std::string(each.data.text()).c_str(), nullptr, 10);
      run({store_kind::done, slot, number}, [&]() -> result<void> {
        auto all = begin_sqlite_transaction(to.file);
        if (!all) return std::move(all).error();
        auto applied = to.rows->update(storage::order_key(number), table_update().increment(field("times"), 1),
                                       {.within = all->get()});
        if (!applied) return std::move(applied).error();
        if (auto acked = to.orders->ack(each.receipt, {.within = all->get()}); !acked) return acked;
        return (*all)->commit();
      });
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto opened = storage::open_stores(argv[1]);
  if (!opened) {
    say(fmt::format("F open {}\n", to_string(opened.error())));
    return 3;
  }
  const std::int64_t first = std::strtoll(argv[2], nullptr, 10);
  say("ready\n");
  std::vector<std::thread> threads;
  threads.emplace_back([&] { write_rows(*opened, 0, first); });
  threads.emplace_back([&] { write_rows(*opened, 1, first); });
  threads.emplace_back([&] { move_money(*opened, first); });
  threads.emplace_back([&] { write_objects(*opened, first); });
  threads.emplace_back([&] { keep_books(*opened, first); });
  threads.emplace_back([&] { send_orders(*opened, first); });
  threads.emplace_back([&] { do_orders(*opened, 0); });
  threads.emplace_back([&] { do_orders(*opened, 1); });
  for (auto& each : threads) each.join();
}
