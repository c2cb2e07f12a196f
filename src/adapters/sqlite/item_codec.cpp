// SPDX-License-Identifier: MIT
#include "item_codec.hpp"

#include "byte_sum.hpp"

#include <bit>
#include <cmath>
#include <utility>
#include <variant>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

namespace {

constexpr char row_format = 1;
// One more than the check of items allows, so that the two need not count alike; what matters here is the stack.
constexpr std::size_t levels_max = table::item_levels_max + 1;

// ---- writing --------------------------------------------------------------------------------------------------------

void append_word(std::string& to, std::uint64_t word) {
  for (unsigned shift = 0; shift < 64; shift += 8) to.push_back(static_cast<char>(word >> shift & 0xffU));
}

void append_count(std::string& to, std::uint64_t count) {
  for (; count >= 0x80; count >>= 7U) to.push_back(static_cast<char>(0x80U | (count & 0x7fU)));
  to.push_back(static_cast<char>(count));
}

void append_text(std::string& to, std::string_view text) {
  append_count(to, text.size());
  to.append(text);
}

void append_whole(std::string& to, std::int64_t number) {  // small ones of either sign are short
  const auto sign = static_cast<std::uint64_t>(number >> 63);
  append_count(to, static_cast<std::uint64_t>(number) << 1U ^ sign);
}

void append_value(std::string& to, const attribute& value);

struct value_writer {
  std::string& to;
  void operator()(std::monostate) const {}
  void operator()(bool truth) const { to.push_back(truth ? 1 : 0); }
  void operator()(std::int64_t number) const { append_whole(to, number); }
  void operator()(double number) const { append_word(to, std::bit_cast<std::uint64_t>(number)); }
  void operator()(const std::string& text) const { append_text(to, text); }
  void operator()(const payload& bytes) const { append_text(to, bytes.text()); }
  void operator()(const attribute_list& list) const {
    append_count(to, list.size());
    for (const attribute& each : list) append_value(to, each);
  }
  void operator()(const attribute_map& map) const { append_item(to, map); }
  void operator()(const text_set& texts) const {
    append_count(to, texts.size());
    for (const std::string& each : texts) append_text(to, each);
  }
  void operator()(const number_set& numbers) const {
    append_count(to, numbers.size());
    for (const std::int64_t each : numbers) append_whole(to, each);
  }
};

void append_value(std::string& to, const attribute& value) {
  to.push_back(static_cast<char>(value.kind()));
  std::visit(value_writer{to}, static_cast<const attribute_base&>(value));
}

// ---- reading --------------------------------------------------------------------------------------------------------

// Every function is false when the bytes are not what they should be; nobody goes on then.
class item_reader {
 public:
  explicit item_reader(std::string_view bytes) noexcept : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  [[nodiscard]] bool at_end() const noexcept { return at_ == end_; }

  bool map(attribute_map& to, std::size_t level) {
    std::size_t count = 0;
    if (level > levels_max || !elements(count)) return false;
    std::string_view former;
    for (std::size_t i = 0; i < count; ++i) {
      std::string_view name;
      if (!text(name) || (i != 0 && name <= former)) return false;
      former = name;
      // Their order is that of the map: each goes to its end.
      if (!value(to.try_emplace(to.end(), std::string(name))->second, level)) return false;
    }
    return true;
  }

 private:
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

  bool byte(unsigned char& to) noexcept {
    if (at_ == end_) return false;
    to = static_cast<unsigned char>(*at_++);
    return true;
  }

  bool count(std::uint64_t& to) noexcept {
    to = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      unsigned char next = 0;
      if (!byte(next)) return false;
      const std::uint64_t bits = next & 0x7fU;
      if (shift == 63 && bits > 1) return false;
      to |= bits << shift;
      if (next < 0x80) return next != 0 || shift == 0;  // one number, one way to write it
    }
    return false;
  }

  // A count of elements, each of which has a byte at least: never more than there can be.
  bool elements(std::size_t& to) noexcept {
    std::uint64_t wide = 0;
    if (!count(wide) || wide > left()) return false;
    to = static_cast<std::size_t>(wide);
    return true;
  }

  bool text(std::string_view& to) noexcept {
    std::size_t size = 0;
    if (!elements(size)) return false;
    to = {at_, size};
    at_ += size;
    return true;
  }

  bool whole(std::int64_t& to) noexcept {
    std::uint64_t bits = 0;
    if (!count(bits)) return false;
    to = static_cast<std::int64_t>(bits >> 1U ^ (0 - (bits & 1U)));
    return true;
  }

  bool number(double& to) noexcept {
    if (left() < 8) return false;
    to = std::bit_cast<double>(little_endian(at_));
    at_ += 8;
    return std::isfinite(to);
  }

  bool value(attribute& to, std::size_t level) {
    unsigned char kind = 0;
    if (!byte(kind)) return false;
    switch (static_cast<attribute_kind>(kind)) {
      case attribute_kind::null: return true;
      case attribute_kind::truth: return truth(to);
      case attribute_kind::whole_number: return whole(to.emplace<std::int64_t>());
      case attribute_kind::number: return number(to.emplace<double>());
      case attribute_kind::text: return text_value<std::string>(to);
      case attribute_kind::bytes: return text_value<payload>(to);
      case attribute_kind::list: return list(to.emplace<attribute_list>(), level + 1);
      case attribute_kind::map: return map(to.emplace<attribute_map>(), level + 1);
      case attribute_kind::texts: return texts(to.emplace<text_set>());
      case attribute_kind::numbers: return numbers(to.emplace<number_set>());
    }
    return false;
  }

  bool truth(attribute& to) {
    unsigned char is = 0;
    if (!byte(is) || is > 1) return false;
    to.emplace<bool>(is == 1);
    return true;
  }

  template <class T>
  bool text_value(attribute& to) {
    std::string_view found;
    if (!text(found)) return false;
    to.emplace<T>(found);
    return true;
  }

  bool list(attribute_list& to, std::size_t level) {
    std::size_t count = 0;
    if (level > levels_max || !elements(count)) return false;
    to.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (!value(to.emplace_back(), level)) return false;
    }
    return true;
  }

  bool texts(text_set& to) {
    std::size_t count = 0;
    if (!elements(count)) return false;
    for (std::string_view each; count != 0; --count) {
      if (!text(each) || (!to.empty() && each <= *to.rbegin())) return false;
      to.emplace_hint(to.end(), each);
    }
    return true;
  }

  bool numbers(number_set& to) {
    std::size_t count = 0;
    if (!elements(count)) return false;
    for (std::int64_t each = 0; count != 0; --count) {
      if (!whole(each) || (!to.empty() && each <= *to.rbegin())) return false;
      to.emplace_hint(to.end(), each);
    }
    return true;
  }

  const char* at_;
  const char* end_;
};

// ---- sums -----------------------------------------------------------------------------------------------------------

std::uint64_t sum_of(const row_head& head, std::string_view item) noexcept {
  byte_sum all;
  all.add(head.partition).add(head.sort).add(head.version);
  all.add(std::uint64_t{head.expires_at.has_value()}).add(static_cast<std::uint64_t>(head.expires_at.value_or(0)));
  return all.add(item).value();
}

}  // namespace

void append_item(std::string& to, const table_item& item) {
  append_count(to, item.size());
  for (const auto& [name, value] : item) {
    append_text(to, name);
    append_value(to, value);
  }
}

bool read_item(std::string_view bytes, table_item& to) {
  item_reader from(bytes);
  to.clear();
  return from.map(to, 0) && from.at_end();
}

std::string sealed_row(const row_head& head, const table_item& item) {
  std::string bytes(row_head_bytes, '\0');
  append_item(bytes, item);
  const std::uint64_t sum = sum_of(head, std::string_view(bytes).substr(row_head_bytes));
  bytes[0] = row_format;
  for (unsigned i = 0; i < 8; ++i) bytes[1 + i] = static_cast<char>(sum >> (8 * i) & 0xffU);
  return bytes;
}

result<std::string_view> opened_row(const row_head& head, std::string_view bytes) {
  if (bytes.size() <= row_head_bytes || bytes[0] != row_format) return corrupt("a row has no known format");
  const std::string_view item = bytes.substr(row_head_bytes);
  if (little_endian(bytes.data() + 1) != sum_of(head, item)) return corrupt("a row's check sum is wrong");
  return item;
}

std::string sealed_record(std::string_view about, const table_item& item) {
  return sealed_row({.partition = about}, item);
}

result<table_item> opened_record(std::string_view about, std::string_view bytes) {
  const auto inner = opened_row({.partition = about}, bytes);
  if (!inner) return inner.error();
  table_item item;
  if (!read_item(*inner, item)) return corrupt("a record is malformed");
  return item;
}

failure corrupt(std::string_view what) noexcept {
  return detail::make_failure(errc::corruption, effect_kind::not_applied, failure_reason::none, what);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
