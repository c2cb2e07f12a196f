// SPDX-License-Identifier: MIT
#pragma once

// What is known of an object beside its key, as the bytes of a column. A check sum at their end is of them, the key and
// a number that the row has beside them: a record that a bad disk has changed, or put into another row, is not read.
//
//   u64 size, i64 modified (nanoseconds), u8 length and etag, u8 length and content type, u16 count of metadata, each
//   u8 length and name, u16 length and value; u32 check sum. All little-endian.

#include <dormouse/result.hpp>
#include <dormouse/services/object_stream.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem {

std::string make_record(const object_info& info, std::uint64_t number);
// Fails: corruption.
result<object_info> read_record(std::string_view record, std::string_view key, std::uint64_t number);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem
