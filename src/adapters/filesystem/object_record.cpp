// SPDX-License-Identifier: MIT

#include "object_record.hpp"

#include <dormouse/detail/service_call.hpp>

#include "check_sum.hpp"

#include <chrono>
#include <cstddef>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem {

namespace {

void append_number(std::string& to, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) to.push_back(static_cast<char>((value >> (8 * i)) & 0xffU));
}

void append_text(std::string& to, std::string_view text, unsigned length_bytes) {
  append_number(to, text.size(), length_bytes);
  to.append(text);
}

// Takes from the front; once there is too little it gives nothing but zeros and is not sound any more.
class record_reader {
 public:
  explicit record_reader(std::string_view left) noexcept : left_(left) {}
  std::string_view take(std::size_t count) noexcept {
    sound_ = sound_ && count <= left_.size();
    if (!sound_) return {};
    const auto taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }
  std::uint64_t number(unsigned bytes) noexcept {
    std::uint64_t value = 0;
    unsigned shift = 0;
    for (const char each : take(bytes)) {
      value |= std::uint64_t{static_cast<unsigned char>(each)} << shift;
      shift += 8;
    }
    return value;
  }
  std::string text(unsigned length_bytes) { return std::string(take(number(length_bytes))); }
  [[nodiscard]] bool at_end() const noexcept { return sound_ && left_.empty(); }
  [[nodiscard]] bool sound() const noexcept { return sound_; }

 private:
  std::string_view left_;
  bool sound_ = true;
};

constexpr std::size_t sum_bytes = 4;

std::uint32_t sum_of(std::string_view fields, std::string_view key, std::uint64_t number) {
  std::string all(fields);
  append_text(all, key, 2);
  append_number(all, number, 8);
  return check_sum(all);
}

}  // namespace

std::string make_record(const object_info& info, std::uint64_t number) {
  const auto modified = std::chrono::duration_cast<std::chrono::nanoseconds>(info.modified.time_since_epoch()).count();
  std::string record;
  append_number(record, info.size, 8);
  append_number(record, static_cast<std::uint64_t>(modified), 8);
  append_text(record, info.etag, 1);
  append_text(record, info.content_type, 1);
  append_number(record, info.metadata.size(), 2);
  for (const auto& [name, value] : info.metadata) {
    append_text(record, name, 1);
    append_text(record, value, 2);
  }
  append_number(record, sum_of(record, info.key, number), sum_bytes);
  return record;
}

result<object_info> read_record(std::string_view record, std::string_view key, std::uint64_t number) {
  const auto damaged = [&] {
    return detail::refuse_service_call(errc::corruption, failure_reason::none, "the record of an object: {}",
                                       detail::printable(key, 64));
  };
  if (record.size() < sum_bytes) return damaged();
  const auto fields = record.substr(0, record.size() - sum_bytes);
  if (record_reader(record.substr(fields.size())).number(sum_bytes) != sum_of(fields, key, number)) return damaged();
  record_reader from(fields);
  object_info info;
  info.key = key;
  info.size = from.number(8);
  const std::chrono::nanoseconds modified(static_cast<std::int64_t>(from.number(8)));
  info.modified =
      std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(modified));
  info.etag = from.text(1);
  info.content_type = from.text(1);
  for (auto left = from.number(2); left != 0 && from.sound(); --left) {
    auto name = from.text(1);
    info.metadata.emplace(std::move(name), from.text(2));
  }
  if (!from.at_end()) return damaged();
  return info;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem
