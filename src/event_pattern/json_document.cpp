// SPDX-License-Identifier: MIT

#include "event_pattern/json_document.hpp"

#include <dormouse/detail/compiled_event_pattern.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace dormouse_event_pattern {

namespace {

using kind = json_value::kind;

// Is told by the parser what it sees, in its order; false stops it. The parser itself does not recurse.
class tree_builder {
 public:
  explicit tree_builder(std::pmr::memory_resource* memory) : memory_(memory) {}

  bool null() { return put(json_value(kind::null, memory_)); }
  bool boolean(bool value) {
    json_value made(kind::boolean, memory_);
    made.truth = value;
    return put(std::move(made));
  }
  bool number_integer(std::int64_t value) {
    // The parser gives negative ones only: 0 - value has no overflow when unsigned.
    return put_number({.value = static_cast<double>(value),
                       .whole = true,
                       .negative = true,
                       .magnitude = std::uint64_t{0} - static_cast<std::uint64_t>(value)});
  }
  bool number_unsigned(std::uint64_t value) {
    return put_number({.value = static_cast<double>(value), .whole = true, .magnitude = value});
  }
  bool number_float(double value, const std::string& /*spelling*/) { return put_number({.value = value}); }
  bool string(const std::string& value) {
    json_value made(kind::string, memory_);
    made.text = kept(value);
    return put(std::move(made));
  }
  static bool binary(const nlohmann::json::binary_t& /*bytes*/) { return false; }  // not in text

  bool start_object(std::size_t /*size*/) { return open(kind::object); }
  bool start_array(std::size_t /*size*/) { return open(kind::array); }
  bool key(const std::string& value) {
    open_.back().member = kept(value);
    return true;
  }
  bool end_object() {
    auto& members = open_.back().value.parts;
    std::stable_sort(members.begin(), members.end(),
                     [](const json_value& a, const json_value& b) { return a.name < b.name; });
    return close();
  }
  bool end_array() { return close(); }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/, const std::exception& why) {
    fault_.detail = why.what();
    return false;
  }

  [[nodiscard]] json_fault take_fault() { return std::move(fault_); }
  [[nodiscard]] json_value take_root() { return std::move(*root_); }

 private:
  struct container {
    json_value value;
    std::string_view member;  // the name of what comes next
  };

  std::string_view kept(const std::string& text) {
    if (text.empty()) return "";
    char* const copy = static_cast<char*>(memory_->allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
  }
  bool refuse(json_fault::kind what) {
    fault_.what = what;
    return false;
  }
  bool put_number(const number& quantity) {
    json_value made(kind::number, memory_);
    made.quantity = quantity;
    return put(std::move(made));
  }
  bool put(json_value&& made) {
    if (++values_ > document_values_max) return refuse(json_fault::kind::values);
    if (open_.empty()) {
      root_.emplace(std::move(made));
      return true;
    }
    if (open_.back().value.what == kind::object) made.name = open_.back().member;
    open_.back().value.parts.push_back(std::move(made));
    return true;
  }
  bool open(kind what) {
    if (open_.size() >= document_depth_max) return refuse(json_fault::kind::depth);
    open_.push_back({json_value(what, memory_), {}});
    return true;
  }
  bool close() {
    json_value made = std::move(open_.back().value);
    open_.pop_back();
    return put(std::move(made));
  }

  std::pmr::memory_resource* memory_;
  std::vector<container> open_{};
  std::optional<json_value> root_{};
  std::size_t values_ = 0;
  json_fault fault_{};
};

}  // namespace

std::optional<json_value> parse_document(std::string_view text, std::pmr::memory_resource* memory, json_fault* why) {
  json_fault ignored;
  json_fault& fault = why != nullptr ? *why : ignored;
  if (text.size() > document_bytes_max) {
    fault.what = json_fault::kind::size;
    return std::nullopt;
  }
  if (text.find('\0') != std::string_view::npos) {  // the parser would end there
    fault.detail = "a NUL byte";
    return std::nullopt;
  }
  tree_builder builder(memory);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    fault = builder.take_fault();
    return std::nullopt;
  }
  return builder.take_root();
}

std::span<const json_value> members_from(const json_value& object, std::string_view name) noexcept {
  const auto first =
      std::lower_bound(object.parts.begin(), object.parts.end(), name,
                       [](const json_value& each, std::string_view wanted) { return each.name < wanted; });
  return {first, object.parts.end()};
}

}  // namespace dormouse_event_pattern
