// SPDX-License-Identifier: MIT
// Blocks of addresses, as in 10.0.0.0/8 and 2001:db8::/32.

#include "event_pattern/value_tests.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace dormouse_event_pattern {

namespace {

struct address {
  std::size_t bytes = 0;
  std::array<std::uint8_t, 16> value{};
};

std::optional<address> read_address(std::string_view text) noexcept {
  char terminated[INET6_ADDRSTRLEN + 1] = {};
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated);
  // What is behind a NUL would not be looked at.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  address read;
  if (::inet_pton(AF_INET, terminated, read.value.data()) == 1) {
    read.bytes = 4;
  } else if (::inet_pton(AF_INET6, terminated, read.value.data()) == 1) {
    read.bytes = 16;
  } else {
    return std::nullopt;
  }
  return read;
}

}  // namespace

bool holds(const address_test& test, const json_value& value) noexcept {
  if (value.what != json_value::kind::string) return false;
  const auto read = read_address(value.text);
  if (!read || read->bytes != test.bytes) return false;
  const std::size_t whole = test.bits / 8;
  if (!std::equal(test.base.begin(), test.base.begin() + static_cast<std::ptrdiff_t>(whole), read->value.begin())) {
    return false;
  }
  const std::size_t rest = test.bits % 8;
  return rest == 0 || (test.base[whole] ^ read->value[whole]) >> (8 - rest) == 0;
}

std::optional<address_test> make_address(std::string_view block, std::string& why) {
  const std::size_t slash = block.find('/');
  if (slash == std::string_view::npos) {
    why = "an address and a number of bits, as in 10.0.0.0/8";
    return std::nullopt;
  }
  const auto base = read_address(block.substr(0, slash));
  if (!base) {
    why = "no address in front of the slash";
    return std::nullopt;
  }
  const std::string_view digits = block.substr(slash + 1);
  std::size_t bits = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (fault != std::errc{} || end != digits.data() + digits.size() || bits > base->bytes * 8) {
    why = base->bytes == 4 ? "behind the slash 0 .. 32" : "behind the slash 0 .. 128";
    return std::nullopt;
  }
  return address_test{.bytes = base->bytes, .bits = bits, .base = base->value};
}

}  // namespace dormouse_event_pattern
