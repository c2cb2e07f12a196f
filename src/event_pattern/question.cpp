// SPDX-License-Identifier: MIT

#include "event_pattern/question.hpp"

#include <dormouse/detail/compiled_event_pattern.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace dormouse_event_pattern {

namespace {

using kind = json_value::kind;

// `absent`: nothing of what was asked for is there, and that is allowed ({"exists": false}). Better ones are greater.
enum class answer : std::uint8_t { no, absent, yes };

answer both(answer a, answer b) noexcept { return a == answer::no || b == answer::no ? answer::no : std::max(a, b); }

// A value of the document that a path of the pattern has led to; or one on the way: then `rest` of a name with dots is
// still to be walked.
struct cursor {
  const json_value* value;
  std::optional<std::string_view> rest{};
};

// There is more than one where a document has the same path twice, with a dot and without, or a member twice.
class cursors {
 public:
  void push_back(const cursor& one) {
    if (count_ < few_.size()) {
      few_[count_] = one;
    } else {
      if (count_ == few_.size()) many_.assign(few_.begin(), few_.end());
      many_.push_back(one);
    }
    ++count_;
  }
  [[nodiscard]] std::span<const cursor> all() const noexcept {
    return {count_ <= few_.size() ? few_.data() : many_.data(), count_};
  }

 private:
  std::array<cursor, 2> few_{};
  std::vector<cursor> many_{};
  std::size_t count_ = 0;
};

struct out_of_steps {};

// Recurses with the pattern and, in arrays, with the document: both are bounded.
class question {
 public:
  // All of `node`, where `at` says.
  answer ask(const pattern_node& node, std::span<const cursor> at) {
    answer so_far = answer::absent;
    if (node.tests) so_far = ask_tests(*node.tests, at);
    if (so_far == answer::no || (node.fields.empty() && node.alternatives.empty())) return so_far;
    return both(so_far, ask_below(node, at));
  }

 private:
  void spend(std::size_t steps) {
    steps_ += steps;
    if (steps_ > steps_max) throw out_of_steps{};
  }

  // An array stands for one of its elements: all fields are looked for in the same one.
  answer ask_below(const pattern_node& node, std::span<const cursor> at) {
    spend(1);
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (!at[i].rest && at[i].value->what == kind::array) return ask_elements(node, at, i);
    }
    return ask_fields(node, at);
  }

  answer ask_elements(const pattern_node& node, std::span<const cursor> at, std::size_t array) {
    std::vector<cursor> chosen(at.begin(), at.end());
    bool any = false;
    bool all_absent = true;
    for (const auto& element : at[array].value->parts) {
      spend(1);
      if (!element.is_structured()) continue;
      any = true;
      chosen[array] = {&element};
      const answer one = ask_below(node, chosen);
      if (one == answer::yes) return one;
      all_absent = all_absent && one == answer::absent;
    }
    if (any) return all_absent ? answer::absent : answer::no;
    chosen.erase(chosen.begin() + static_cast<std::ptrdiff_t>(array));
    return ask_below(node, chosen);
  }

  answer ask_fields(const pattern_node& node, std::span<const cursor> at) {
    answer so_far = answer::absent;
    for (const auto& field : node.fields) {
      cursors below;
      for (const auto& each : at) step(each, field, below);
      so_far = both(so_far, ask(field, below.all()));
      if (so_far == answer::no) return so_far;
    }
    for (const auto& group : node.alternatives) {
      answer best = answer::no;
      for (auto branch = group.begin(); branch != group.end() && best != answer::yes; ++branch) {
        spend(1);
        best = std::max(best, ask_fields(*branch, at));
      }
      so_far = both(so_far, best);
      if (so_far == answer::no) return so_far;
    }
    return so_far;
  }

  // Where `field` leads from there.
  void step(const cursor& from, const pattern_node& field, cursors& to) {
    spend(1);
    if (from.rest) {
      const std::string_view rest = *from.rest;
      if (rest == field.name) return to.push_back({from.value});
      if (rest.starts_with(field.name_and_dot)) to.push_back({from.value, rest.substr(field.name_and_dot.size())});
      return;
    }
    if (from.value->what != kind::object) return;
    for (const auto& member : members_from(*from.value, field.name)) {
      if (member.name != field.name) break;
      spend(1);
      to.push_back({&member});
    }
    for (const auto& member : members_from(*from.value, field.name_and_dot)) {
      if (!member.name.starts_with(field.name_and_dot)) break;
      spend(1);
      to.push_back({&member, member.name.substr(field.name_and_dot.size())});
    }
  }

  answer ask_tests(const field_tests& tests, std::span<const cursor> at) {
    bool present = false;
    for (const auto& each : at) {
      if (!each.rest && ask_value(tests, *each.value, present)) return answer::yes;
    }
    return !present && tests.absent ? answer::absent : answer::no;
  }

  // Does the value, or one that is in an array, in whatever depth?
  bool ask_value(const field_tests& tests, const json_value& value, bool& present) {
    if (value.what == kind::array) {
      return std::any_of(value.parts.begin(), value.parts.end(),
                         [&](const json_value& each) { return ask_value(tests, each, present); });
    }
    spend(1);
    if (value.what == kind::object) return false;
    present = true;
    if (tests.present) return true;
    spend(tests.size() * (1 + value.text.size() / 64));
    return holds(tests.any_of, value) ||
           std::any_of(tests.anything_but.begin(), tests.anything_but.end(),
                       [&](const value_tests& none_of) { return !holds(none_of, value); });
  }

  std::size_t steps_ = 0;
};

}  // namespace

bool matches_tree(const pattern_node& pattern, const json_value& document) {
  const cursor top[] = {{&document}};
  try {
    return question{}.ask(pattern, top) != answer::no;
  } catch (const out_of_steps&) {
    return false;
  }
}

}  // namespace dormouse_event_pattern
