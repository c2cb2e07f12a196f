// SPDX-License-Identifier: MIT
#pragma once

// A table that asks another one, with a behaviour around each call: see forwarding_call.hpp.

#include <dormouse/detail/forwarding_call.hpp>
#include <dormouse/services/table.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// What comes out of a table, in bytes of items.
struct counted_items {
  std::uint64_t operator()(const std::optional<stored_item>& got) const noexcept {
    return got ? table::item_bytes(got->item) : 0;
  }
  std::uint64_t operator()(const std::vector<table_entry>& entries) const noexcept {
    std::uint64_t sum = 0;
    for (const table_entry& each : entries) sum += table::item_bytes(each.item);
    return sum;
  }
  std::uint64_t operator()(const table_batch& got) const noexcept { return (*this)(got.found); }
  std::uint64_t operator()(const table_page& got) const noexcept { return (*this)(got.entries); }
  std::uint64_t operator()(const std::vector<table_change>& changes) const noexcept {
    std::uint64_t sum = 0;
    for (const table_change& each : changes) {
      if (each.former) sum += table::item_bytes(*each.former);
      if (each.current) sum += table::item_bytes(*each.current);
    }
    return sum;
  }
};

template <class Behaviour>
class forwarding_table : public table {
 public:
  [[nodiscard]] const table_capabilities& capabilities() const noexcept override { return inner_.capabilities(); }
  [[nodiscard]] durability_level durability() const noexcept override { return inner_.durability(); }

 protected:
  template <class... Given>
  explicit forwarding_table(table& inner, Given&&... given)
      : table(inner.time()), inner_(inner), how_(inner.time(), std::forward<Given>(given)...) {}
  [[nodiscard]] Behaviour& how() noexcept { return how_; }
  [[nodiscard]] const Behaviour& how() const noexcept { return how_; }

  using operation = service_operation;

  result<std::optional<stored_item>> do_get(const table_key& key, const table_get_options& options) override {
    const auto what = read_call(operation::table_get, options.deadline);
    return forward_call(
        how_, what, [&] { return inner_.do_get(key, options); }, counted_items{});
  }
  result<write_outcome> do_write(table_write&& what, const table_write_options& options) override {
    const auto call = write_call(operation_of(what.kind), repeated_by(options), options.deadline, bytes_counted(what));
    return forward_call(how_, call, [&] { return inner_.do_write(handed_on<Behaviour>(what), options); });
  }
  result<table_page> do_query(const table_query& what, std::string_view after) override {
    const auto call = read_call(operation::table_query, what.deadline);
    return forward_call(
        how_, call, [&] { return inner_.do_query(what, after); }, counted_items{});
  }
  result<table_page> do_scan(const table_scan& what, std::string_view after) override {
    const auto call = read_call(operation::table_scan, what.deadline);
    return forward_call(
        how_, call, [&] { return inner_.do_scan(what, after); }, counted_items{});
  }
  result<table_batch> do_get_batch(const std::vector<table_key>& keys, const table_get_options& options) override {
    const auto what = read_call(operation::table_get_batch, options.deadline);
    return forward_call(
        how_, what, [&] { return inner_.do_get_batch(keys, options); }, counted_items{});
  }
  result<std::vector<result<table_version>>> do_write_batch(std::vector<table_write>&& writes,
                                                            const call_options& options) override {
    const auto what =
        write_call(operation::table_write_batch, repetition::if_not_applied, options.deadline, bytes_counted(writes));
    return forward_call(how_, what, [&] { return inner_.do_write_batch(handed_on<Behaviour>(writes), options); });
  }
  result<std::vector<table_version>> do_transact(std::vector<table_write>&& writes,
                                                 const table_transaction_options& options) override {
    const auto what =
        write_call(operation::table_transact, repeated_by(options), options.deadline, bytes_counted(writes));
    return forward_call(how_, what, [&] { return inner_.do_transact(handed_on<Behaviour>(writes), options); });
  }
  // What has expired has: to take it away twice is to take it away once.
  result<std::optional<calendar_time>> do_remove_expired(std::size_t count, const call_options& options) override {
    const auto what = write_call(operation::table_remove_expired, repetition::always, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_remove_expired(count, options); });
  }
  result<std::vector<table_change>> do_changes(std::uint64_t after, std::size_t count,
                                               const call_options& options) override {
    const auto what = read_call(operation::table_changes, options.deadline);
    return forward_call(
        how_, what, [&] { return inner_.do_changes(after, count, options); }, counted_items{});
  }
  result<std::uint64_t> do_last_change(const call_options& options) override {
    const auto what = read_call(operation::table_last_change, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_last_change(options); });
  }
  result<std::optional<std::uint64_t>> do_position(std::string_view reader, const call_options& options) override {
    const auto what = read_call(operation::table_position, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_position(reader, options); });
  }
  // One reader has one position, and says it himself: nobody else's is overwritten.
  result<void> do_remember(std::string_view reader, std::uint64_t position, const call_options& options) override {
    const auto what = write_call(operation::table_remember, repetition::always, options.deadline);
    return forward_call(how_, what, [&] { return inner_.do_remember(reader, position, options); });
  }
  result<void> do_watch(change_watcher& who) override {
    const auto what = write_call(operation::table_watch, repetition::if_not_applied, {});
    return forward_call(how_, what, [&] { return inner_.do_watch(who); });
  }
  void do_unwatch(change_watcher& who) noexcept override { inner_.do_unwatch(who); }

 private:
  [[nodiscard]] static operation operation_of(table_write_kind kind) noexcept {
    if (kind == table_write_kind::update) return operation::table_update;
    return kind == table_write_kind::erase ? operation::table_erase : operation::table_put;
  }
  // Within a transaction nothing is made again: that can only be begun anew.
  template <class Options>
  [[nodiscard]] static repetition repeated_by(const Options& options) noexcept {
    if (options.within != nullptr) return repetition::never;
    return options.token.empty() ? repetition::if_not_applied : repetition::with_token;
  }
  // Only for a behaviour that wants to know: it is a walk through the item.
  [[nodiscard]] static std::uint64_t bytes_counted(const table_write& what) noexcept {
    if constexpr (Behaviour::counts_bytes) {
      return table::item_bytes(what.item);
    } else {
      return 0;
    }
  }
  [[nodiscard]] static std::uint64_t bytes_counted(const std::vector<table_write>& writes) noexcept {
    std::uint64_t sum = 0;
    for (const table_write& each : writes) sum += bytes_counted(each);
    return sum;
  }

  table& inner_;
  Behaviour how_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
