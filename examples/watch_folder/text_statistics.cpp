#include "text_statistics.hpp"

#include "file_pieces.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace watch_folder {

namespace {

enum class byte_kind : std::uint8_t { letter, space, control };

constexpr auto kinds = [] {
  std::array<byte_kind, 256> table{};  // letters, if nothing else
  for (std::size_t i = 0; i < ' '; ++i) table[i] = byte_kind::control;
  table[0x7F] = byte_kind::control;
  for (const char each : std::string_view{" \t\n\v\f\r"}) table[static_cast<unsigned char>(each)] = byte_kind::space;
  return table;
}();

}  // namespace

dormouse::result<text_counts> text_statistics(const dormouse::file_event& file) {
  text_counts counts;
  bool in_word = false;
  std::array<char, 32'768> buffer;
  const auto read = for_each_piece(file.path, buffer, [&](std::string_view piece) {
    counts.bytes += static_cast<std::int64_t>(piece.size());
    for (const char each : piece) {
      const auto kind = kinds[static_cast<unsigned char>(each)];
      counts.lines += each == '\n' ? 1 : 0;
      counts.words += !in_word && kind != byte_kind::space ? 1 : 0;
      in_word = kind != byte_kind::space;
      counts.is_text = counts.is_text && kind != byte_kind::control;
    }
  });
  if (!read) return read.error();
  return counts;
}

}  // namespace watch_folder
