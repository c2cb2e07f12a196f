// SPDX-License-Identifier: MIT
// What the component's headers call.

#include <dormouse/detail/compiled_event_pattern.hpp>

#include "event_pattern/json_document.hpp"
#include "event_pattern/pattern_tree.hpp"
#include "event_pattern/question.hpp"

#include <array>
#include <memory_resource>
#include <new>
#include <utility>

namespace dormouse_event_pattern {

namespace {

using kind = json_value::kind;

// Memory of one call: on the stack, as far as it reaches.
class call_memory {
 public:
  [[nodiscard]] std::pmr::memory_resource* get() noexcept { return &resource_; }

 private:
  std::array<std::byte, 4096> first_;
  std::pmr::monotonic_buffer_resource resource_{first_.data(), first_.size()};
};

bool is_data(std::string_view name) noexcept { return name == "data" || name == "detail"; }

json_value make_string(std::string_view text, std::pmr::memory_resource* memory) {
  json_value made(kind::string, memory);
  made.text = text;
  return made;
}

// None: malformed, or beyond the limits.
std::optional<json_value> data_of(const message& asked, std::pmr::memory_resource* memory) {
  const auto form = asked.form();
  if (form == message::data_form::text) return make_string(asked.data(), memory);
  json_fault fault;
  auto parsed = parse_document(asked.data(), memory, &fault);
  if (parsed || form == message::data_form::json || fault.what != json_fault::kind::malformed) return parsed;
  return make_string(asked.data(), memory);
}

// The event as an object, with what the pattern asks for.
std::optional<json_value> document_of(const compiled& pattern, const message& asked,
                                      std::pmr::memory_resource* memory) {
  json_value made(kind::object, memory);
  for (const auto& name : pattern.asked) {
    std::optional<json_value> member;
    if (is_data(name)) {
      if (asked.data().empty()) continue;
      member = data_of(asked, memory);
      if (!member) return std::nullopt;
    } else if (const auto found = asked.attribute(name == "detail-type" ? std::string_view("type") : name)) {
      member = make_string(*found, memory);
    } else {
      continue;
    }
    member->name = name;
    made.parts.push_back(*std::move(member));
  }
  return made;
}

void explain(const json_fault& fault, refusal& why) {
  switch (fault.what) {
    case json_fault::kind::malformed: why = {refusal::kind::rule, "no JSON: " + fault.detail}; return;
    case json_fault::kind::depth: why = {refusal::kind::depth, "nested too deep"}; return;
    case json_fault::kind::size:
    case json_fault::kind::values: why = {refusal::kind::size, "too many values"}; return;
  }
}

}  // namespace

std::shared_ptr<const compiled> compile(std::string_view text, refusal& why) noexcept {
  try {
    if (text.size() > text_bytes_max) {
      why = {refusal::kind::size, "more than " + std::to_string(text_bytes_max) + " bytes"};
      return nullptr;
    }
    call_memory memory;
    json_fault fault;
    const auto document = parse_document(text, memory.get(), &fault);
    if (!document) {
      explain(fault, why);
      return nullptr;
    }
    auto made = std::make_shared<compiled>();
    return compile_pattern(*document, *made, why) ? made : nullptr;
  } catch (const std::bad_alloc&) {
    why.what = refusal::kind::memory;
    return nullptr;
  }
}

bool matches(const compiled& pattern, const message& asked) noexcept {
  try {
    call_memory memory;
    const auto document = document_of(pattern, asked, memory.get());
    return document && matches_tree(pattern.root, *document);
  } catch (const std::bad_alloc&) {
    return false;
  }
}

bool matches(const compiled& pattern, std::string_view document) noexcept {
  try {
    call_memory memory;
    const auto parsed = parse_document(document, memory.get());
    return parsed && parsed->what == kind::object && matches_tree(pattern.root, *parsed);
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace dormouse_event_pattern
