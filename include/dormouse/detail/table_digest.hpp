// SPDX-License-Identifier: MIT
#pragma once

// A number made of values, the same for the same values on every machine. It is no signature.

#include <dormouse/services/attribute.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class table_digest {
 public:
  // 64-bit FNV-1a over bytes, each text behind its length: no two sequences of texts give the same bytes.
  void add(std::string_view text) noexcept {
    add(std::uint64_t{text.size()});
    for (const char c : text) step(static_cast<unsigned char>(c));
  }
  void add(std::uint64_t number) noexcept {
    for (unsigned shift = 0; shift < 64; shift += 8) step(static_cast<unsigned char>(number >> shift));
  }
  void add(const attribute& value) noexcept;
  void add(const table_item& item) noexcept;
  void add(const std::vector<std::variant<std::string, std::size_t>>& path) noexcept;
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  void step(unsigned char byte) noexcept { value_ = (value_ ^ byte) * 0x100000001b3U; }
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

inline void table_digest::add(const attribute& value) noexcept {
  add(std::uint64_t{value.index()});
  std::visit(
      [this](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_integral_v<T>) {
          add(static_cast<std::uint64_t>(held));
        } else if constexpr (std::is_same_v<T, double>) {
          add(std::bit_cast<std::uint64_t>(held));
        } else if constexpr (std::is_same_v<T, std::string>) {
          add(std::string_view(held));
        } else if constexpr (std::is_same_v<T, payload>) {
          add(held.text());
        } else if constexpr (std::is_same_v<T, attribute_map>) {
          add(held);
        } else if constexpr (!std::is_same_v<T, std::monostate>) {
          add(std::uint64_t{held.size()});
          for (const auto& each : held) {
            if constexpr (std::is_same_v<T, attribute_list>) add(each);
            if constexpr (std::is_same_v<T, text_set>) add(std::string_view(each));
            if constexpr (std::is_same_v<T, number_set>) add(static_cast<std::uint64_t>(each));
          }
        }
      },
      static_cast<const attribute_base&>(value));
}

inline void table_digest::add(const table_item& item) noexcept {
  add(std::uint64_t{item.size()});
  for (const auto& [name, value] : item) {
    add(std::string_view(name));
    add(value);
  }
}

inline void table_digest::add(const std::vector<std::variant<std::string, std::size_t>>& path) noexcept {
  add(std::uint64_t{path.size()});
  for (const auto& each : path) {
    add(std::uint64_t{each.index()});
    if (const auto* name = std::get_if<std::string>(&each)) add(std::string_view(*name));
    if (const auto* position = std::get_if<std::size_t>(&each)) add(std::uint64_t{*position});
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
