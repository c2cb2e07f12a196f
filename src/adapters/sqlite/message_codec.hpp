// SPDX-License-Identifier: MIT
#pragma once

// What a message is in a file, beside its data: its attributes as bytes, and a sum over all that does not change.
// Attributes: for each, in the order of names, the size of the name and of the value, four bytes each, little-endian,
// then both. What is read is not trusted.

#include <dormouse/services/queue_types.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

using message_attributes = std::map<std::string, std::string, std::less<>>;

[[nodiscard]] std::string attribute_bytes(const message_attributes& attributes);
// False: these are not the bytes of attributes.
[[nodiscard]] bool read_attributes(std::string_view bytes, message_attributes& to);

struct message_head {
  std::int64_t sequence = 0;
  std::int64_t number = 0;  // of its first sending
  std::int64_t sent_at = 0;
  std::string_view group{};
};
[[nodiscard]] std::int64_t message_sum(const message_head& head, std::string_view attributes,
                                       std::string_view data) noexcept;
[[nodiscard]] std::int64_t dedup_sum(std::string_view id, std::int64_t sequence, std::int64_t made) noexcept;

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
