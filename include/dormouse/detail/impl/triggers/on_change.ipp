// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/impl/triggers/change_log.ipp>
#include <dormouse/triggers/on_change.hpp>

#include <algorithm>
#include <bit>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

// ---- a change as bytes ----------------------------------------------------------------------------------------------
// A version, kind, sequence, key, which items, items. Numbers are eight bytes, the low ones first; texts and lists have
// their length before them. An attribute is its kind and then itself.

inline constexpr char table_change_version = 'c';

class change_writer {
 public:
  void byte(unsigned value) { bytes_ += static_cast<char>(value); }
  void number(std::uint64_t value) {
    for (unsigned shift = 0; shift < 64; shift += 8) byte(static_cast<unsigned>(value >> shift) & 0xffU);
  }
  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }
  void map(const attribute_map& value) {
    number(value.size());
    for (const auto& [name, each] : value) {
      text(name);
      attribute_of(each);
    }
  }
  void attribute_of(const attribute& value) {
    byte(static_cast<unsigned>(value.kind()));
    std::visit([this](const auto& held) { put(held); }, static_cast<const attribute_base&>(value));
  }
  [[nodiscard]] std::string take() && { return std::move(bytes_); }

 private:
  void put(std::monostate) {}
  void put(bool value) { byte(value ? 1 : 0); }
  void put(std::int64_t value) { number(static_cast<std::uint64_t>(value)); }
  void put(double value) { number(std::bit_cast<std::uint64_t>(value)); }
  void put(const std::string& value) { text(value); }
  void put(const payload& value) { text(value.text()); }
  void put(const attribute_map& value) { map(value); }
  void put(const attribute_list& value) {
    number(value.size());
    for (const auto& each : value) attribute_of(each);
  }
  void put(const text_set& value) {
    number(value.size());
    for (const auto& each : value) text(each);
  }
  void put(const number_set& value) {
    number(value.size());
    for (const auto each : value) number(static_cast<std::uint64_t>(each));
  }

  std::string bytes_{};
};

// After a read that found too little, all that follows is nothing and `failed`.
class change_reader {
 public:
  explicit change_reader(std::string_view bytes) : left_(bytes) {}
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] bool at_end() const noexcept { return left_.empty() && !failed_; }

  unsigned byte() {
    const auto one = raw(1);
    return one.empty() ? 0 : static_cast<unsigned char>(one[0]);
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    unsigned shift = 0;
    for (const char each : raw(8)) {
      value |= std::uint64_t{static_cast<unsigned char>(each)} << shift;
      shift += 8;
    }
    return value;
  }
  std::string_view text() { return raw(number()); }
  attribute_map map(std::size_t levels) {
    attribute_map found;
    each([&] {
      std::string name(text());
      found.insert_or_assign(std::move(name), attribute_at(levels));
    });
    return found;
  }

 private:
  std::string_view raw(std::uint64_t count) {
    failed_ = failed_ || count > left_.size();
    if (failed_) return {};
    const auto taken = left_.substr(0, static_cast<std::size_t>(count));
    left_.remove_prefix(taken.size());
    return taken;
  }
  // An element is a byte at least, so that a count that is made up ends soon.
  template <class F>
  void each(F&& read_one) {
    for (std::uint64_t left = number(); left > 0 && !failed_; --left) read_one();
  }
  attribute attribute_at(std::size_t levels) {
    if (levels == 0) failed_ = true;
    if (failed_) return {};
    switch (static_cast<attribute_kind>(byte())) {
      case attribute_kind::null: return {};
      case attribute_kind::truth: return byte() != 0;
      case attribute_kind::whole_number: return static_cast<std::int64_t>(number());
      case attribute_kind::number: return std::bit_cast<double>(number());
      case attribute_kind::text: return std::string(text());
      case attribute_kind::bytes: return payload(text());
      case attribute_kind::list: {
        attribute_list found;
        each([&] { found.push_back(attribute_at(levels - 1)); });
        return found;
      }
      case attribute_kind::map: return map(levels - 1);
      case attribute_kind::texts: {
        text_set found;
        each([&] { found.emplace(text()); });
        return found;
      }
      case attribute_kind::numbers: {
        number_set found;
        each([&] { found.insert(static_cast<std::int64_t>(number())); });
        return found;
      }
    }
    failed_ = true;
    return {};
  }

  std::string_view left_;
  bool failed_ = false;
};

// ---- the trigger ----------------------------------------------------------------------------------------------------

inline constexpr std::string_view table_event_types[] = {"dormouse.table.insert", "dormouse.table.modify",
                                                         "dormouse.table.remove", "dormouse.table.expire"};

class table_log final : public watched_log<table> {
 public:
  table_log(table& source, on_change_options options) : watched_log(source), options_(std::move(options)) {}

  [[nodiscard]] bool expires() const noexcept override {
    return service().capabilities().expiry && wants_kind(table_change_kind::expire);
  }
  result<std::optional<calendar_time>> expire() override {
    constexpr int rounds_max = 4;
    for (int rounds = 1;; ++rounds) {
      auto next = service().remove_expired(1'000);
      if (!next || !*next || **next > time().wall() || rounds == rounds_max) return next;
    }
  }

 private:
  [[nodiscard]] std::string_view name() const noexcept override { return "the table"; }
  [[nodiscard]] std::string_view mend() const noexcept override {
    return "make or open it with table_schema::change_view";
  }
  [[nodiscard]] bool wants_kind(table_change_kind kind) const noexcept {
    const auto& kinds = options_.kinds;
    return kinds.empty() || std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
  }
  [[nodiscard]] bool wants(const table_change& each) const override {
    if (!wants_kind(each.kind) || !each.key.partition.starts_with(options_.partition_prefix)) return false;
    const auto& item = each.current ? each.current : each.former;
    return !item || options_.filter.holds(&*item);
  }
  [[nodiscard]] fed_change fed(table_change&& each) const override {
    const auto& [partition, sort] = each.key;
    event made{.type = std::string(table_event_types[static_cast<std::size_t>(each.kind) - 1]),
               .source = options_.source,
               .subject = escaped(partition, "%/"),
               .datacontenttype = std::string(codec<table_change>::content_type)};
    if (!sort.empty()) made.subject += '/' + escaped(sort, "%/");
    made.extensions.emplace_back("sequence", fmt::to_string(each.sequence));
    made.data = codec<table_change>::encode(each).value();
    return {.sequence = each.sequence,
            .key = fmt::format("{}:{}{}", partition.size(), partition, sort),
            .message = std::move(made)};
  }

  const on_change_options options_;
};

DORMOUSE_INLINE void check_change_options(const on_change_options& options) {
  if (options.partition_prefix.size() > table::partition_bytes_max) {
    throw std::invalid_argument("dormouse: on_change_options::partition_prefix: give at most 2,048 bytes");
  }
  if (!options.filter.is_within_limits()) {
    throw std::invalid_argument("dormouse: on_change_options::filter: give at most 300 operators in 32 levels");
  }
  for (const auto kind : options.kinds) {
    if (kind < table_change_kind::insert || kind > table_change_kind::expire) {
      throw std::invalid_argument("dormouse: on_change_options::kinds: give values of table_change_kind");
    }
  }
}

}  // namespace detail

DORMOUSE_INLINE std::unique_ptr<trigger> on_change(table& source, on_change_options options) {
  auto feed = detail::checked_feed_options("on_change_options", options);
  detail::check_change_options(options);
  return std::make_unique<detail::change_feed>(std::make_unique<detail::table_log>(source, std::move(options)),
                                               std::move(feed));
}

DORMOUSE_INLINE result<payload> codec<table_change>::encode(const table_change& change) {
  detail::change_writer to;
  to.byte(static_cast<unsigned>(detail::table_change_version));
  to.byte(static_cast<unsigned>(change.kind));
  to.number(change.sequence);
  to.text(change.key.partition);
  to.text(change.key.sort);
  to.byte((change.former ? 1U : 0U) | (change.current ? 2U : 0U));
  if (change.former) to.map(*change.former);
  if (change.current) to.map(*change.current);
  return payload(std::move(to).take());
}

DORMOUSE_INLINE result<table_change> codec<table_change>::decode(const event& message) {
  constexpr std::size_t levels = table::item_levels_max + 1;  // the item itself is one
  detail::change_reader from(message.data.text());
  table_change change;
  const bool known = from.byte() == static_cast<unsigned>(detail::table_change_version);
  change.kind = static_cast<table_change_kind>(from.byte());
  change.sequence = from.number();
  change.key.partition = from.text();
  change.key.sort = from.text();
  const unsigned items = from.byte();
  if (known && (items & 1U) != 0) change.former = from.map(levels);
  if (known && (items & 2U) != 0) change.current = from.map(levels);
  const bool is_kind = change.kind >= table_change_kind::insert && change.kind <= table_change_kind::expire;
  if (!known || !is_kind || items > 3 || !from.at_end()) return detail::not_of_trigger("on_change");
  return change;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
