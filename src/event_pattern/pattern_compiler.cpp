// SPDX-License-Identifier: MIT

#include "event_pattern/operators.hpp"
#include "event_pattern/pattern_tree.hpp"

#include <algorithm>
#include <utility>

namespace dormouse_event_pattern {

namespace {

using kind = json_value::kind;

// Where the compiler is.
struct position {
  std::string place{};    // as people read it: detail.$or[0].state
  std::size_t depth = 0;  // of the node
  bool in_or = false;
};

std::string joined(const std::string& place, std::string_view name) {
  return place.empty() ? std::string(name) : place + '.' + std::string(name);
}

pattern_node& field_named(pattern_node& of, std::string_view name) {
  for (auto& each : of.fields) {
    if (each.name == name) return each;
  }
  auto& made = of.fields.emplace_back();
  made.name = name;
  made.name_and_dot = made.name + '.';
  return made;
}

void deepen(position& at) {
  if (++at.depth > depth_max) refuse(at.place, "nested deeper than " + std::to_string(depth_max), refusal::kind::depth);
}

// The node that `name` leads to; `at` goes with it.
pattern_node& node_at(pattern_node& from, std::string_view name, position& at) {
  pattern_node* node = &from;
  while (true) {
    deepen(at);
    const std::size_t dot = name.find('.');
    node = &field_named(*node, name.substr(0, dot));
    if (dot == std::string_view::npos) return *node;
    name.remove_prefix(dot + 1);
  }
}

void read_object(const json_value& object, pattern_node& into, const position& at);

// The objects of "$or" are nodes without a name: they ask for further fields of the node it stands in.
void read_or(const json_value& list, pattern_node& into, position at) {
  deepen(at);
  at.in_or = true;
  if (list.what != kind::array || list.parts.size() < 2) refuse(at.place, "must be an array of two objects or more");
  std::vector<pattern_node> branches(list.parts.size());
  const std::string place = at.place;
  for (std::size_t i = 0; i < branches.size(); ++i) {
    at.place = place + '[' + std::to_string(i) + ']';
    if (list.parts[i].what != kind::object) refuse(at.place, "must be an object");
    read_object(list.parts[i], branches[i], at);
  }
  into.alternatives.push_back(std::move(branches));
}

void read_field(const json_value& value, pattern_node& into, const position& at) {
  if (value.what == kind::object) return read_object(value, into, at);
  if (value.what != kind::array) refuse(at.place, "must be an object or an array");
  if (value.parts.empty()) refuse(at.place, "an empty array");
  if (into.tests) refuse(at.place, "stands twice");
  auto& tests = into.tests.emplace();
  for (std::size_t i = 0; i < value.parts.size(); ++i) {
    add_value(tests, value.parts[i], at.place + '[' + std::to_string(i) + ']');
  }
}

// Recurses as deep as the text is nested, which depth_max bounds.
void read_object(const json_value& object, pattern_node& into, const position& at) {
  if (object.parts.empty()) refuse(at.place, "an empty object");
  for (const auto& member : object.parts) {
    position inside{.place = joined(at.place, member.name), .depth = at.depth, .in_or = at.in_or};
    if (member.name == "$or") {
      read_or(member, into, std::move(inside));
    } else {
      if (at.in_or && is_operator(member.name)) refuse(inside.place, "an operator where a field's name belongs");
      pattern_node& node = node_at(into, member.name, inside);
      read_field(member, node, inside);
    }
  }
}

void add_names(const pattern_node& of, std::vector<std::string>& to) {
  for (const auto& field : of.fields) to.push_back(field.name);
  for (const auto& group : of.alternatives) {
    for (const auto& branch : group) add_names(branch, to);
  }
}

}  // namespace

bool compile_pattern(const json_value& document, compiled& into, refusal& why) {
  try {
    if (document.what != kind::object) refuse("", "must be an object");
    read_object(document, into.root, {});
  } catch (refused_rule& refused) {
    why = std::move(refused.why);
    return false;
  }
  add_names(into.root, into.asked);
  std::sort(into.asked.begin(), into.asked.end());
  into.asked.erase(std::unique(into.asked.begin(), into.asked.end()), into.asked.end());
  return true;
}

}  // namespace dormouse_event_pattern
