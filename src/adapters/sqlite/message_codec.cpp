// SPDX-License-Identifier: MIT
#include "message_codec.hpp"

#include "byte_sum.hpp"

#include <cstddef>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

namespace {

void append_size(std::string& to, std::size_t size) {
  for (unsigned shift = 0; shift < 32; shift += 8) to.push_back(static_cast<char>(size >> shift & 0xffU));
}

bool take_size(std::string_view& from, std::size_t& to) noexcept {
  if (from.size() < 4) return false;
  to = 0;
  for (unsigned i = 0; i < 4; ++i) to |= std::size_t{static_cast<unsigned char>(from[i])} << (8 * i);
  from.remove_prefix(4);
  return true;
}

}  // namespace

std::string attribute_bytes(const message_attributes& attributes) {
  std::string bytes;
  for (const auto& [name, value] : attributes) {
    append_size(bytes, name.size());
    append_size(bytes, value.size());
    bytes += name;
    bytes += value;
  }
  return bytes;
}

bool read_attributes(std::string_view bytes, message_attributes& to) {
  while (!bytes.empty()) {
    std::size_t name = 0;
    std::size_t value = 0;
    if (!take_size(bytes, name) || !take_size(bytes, value)) return false;
    if (name > bytes.size() || value > bytes.size() - name) return false;
    to.emplace(bytes.substr(0, name), bytes.substr(name, value));
    bytes.remove_prefix(name + value);
  }
  return true;
}

std::int64_t message_sum(const message_head& head, std::string_view attributes, std::string_view data) noexcept {
  byte_sum all;
  all.add(static_cast<std::uint64_t>(head.sequence)).add(static_cast<std::uint64_t>(head.number));
  all.add(static_cast<std::uint64_t>(head.sent_at)).add(head.group).add(attributes).add(data);
  return static_cast<std::int64_t>(all.value());
}

std::int64_t dedup_sum(std::string_view id, std::int64_t sequence, std::int64_t made) noexcept {
  byte_sum all;
  all.add(id).add(static_cast<std::uint64_t>(sequence)).add(static_cast<std::uint64_t>(made));
  return static_cast<std::int64_t>(all.value());
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
