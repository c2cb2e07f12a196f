// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/impl/services/condition.ipp>
#include <dormouse/detail/service_call.hpp>
#include <dormouse/services/table_update.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

// What an action comes to, once the item has been looked at: a value for a place, or none any more.
struct attribute_effect {
  const attribute_path* path = nullptr;
  std::optional<attribute> value{};
};

DORMOUSE_INLINE std::string path_text(const attribute_path& path) {
  std::string text;
  for (const auto& step : path) {
    if (text.size() > 64) return text + "...";
    if (const auto* name = std::get_if<std::string>(&step)) {
      text.append(text.empty() ? "" : ".").append(printable(*name, 32));
    } else {
      text.append("[").append(std::to_string(std::get<std::size_t>(step))).append("]");
    }
  }
  return text;
}

DORMOUSE_INLINE failure refuse_action(const attribute_path& path, std::string_view why) {
  return refuse_service_call(errc::invalid_argument, failure_reason::none, "the update of {}: {}", path_text(path),
                             why);
}

DORMOUSE_INLINE bool is_finite_number(const attribute& value) noexcept {
  const auto* number = std::get_if<double>(&value);
  return number != nullptr ? std::isfinite(*number) : value.kind() == attribute_kind::whole_number;
}

DORMOUSE_INLINE std::optional<attribute> sum_of(const attribute& a, const attribute& b) {
  const auto* whole = std::get_if<std::int64_t>(&a);
  const auto* other = std::get_if<std::int64_t>(&b);
  if (whole != nullptr && other != nullptr) {
    const bool overflows = *other > 0 ? *whole > INT64_MAX - *other : *whole < INT64_MIN - *other;
    return overflows ? std::nullopt : std::optional<attribute>(*whole + *other);
  }
  const double sum = (whole != nullptr ? static_cast<double>(*whole) : std::get<double>(a)) +
                     (other != nullptr ? static_cast<double>(*other) : std::get<double>(b));
  return std::isfinite(sum) ? std::optional<attribute>(sum) : std::nullopt;
}

// The set that is there with those of `change` in it, or without them; nothing when it is empty.
template <class Set>
std::optional<attribute> changed_set(const attribute* there, const Set& change, bool add) {
  Set set = there != nullptr ? std::get<Set>(*there) : Set{};
  if (add) {
    set.insert(change.begin(), change.end());
  } else {
    for (const auto& each : change) set.erase(each);
  }
  return set.empty() ? std::nullopt : std::optional<attribute>(std::move(set));
}

// `there`: what is in its place now, null if nothing is. Fails: invalid_argument.
DORMOUSE_INLINE result<std::optional<attribute>> effect_of(const update_action& action, const attribute* there) {
  switch (action.kind) {
    case update_kind::set: return std::optional(action.value);
    case update_kind::set_if_absent: return std::optional(there != nullptr ? *there : action.value);
    case update_kind::remove: return std::optional<attribute>{};
    case update_kind::increment: {
      if (there != nullptr && !is_finite_number(*there)) return refuse_action(action.path, "it is not a number");
      auto sum = sum_of(there != nullptr ? *there : attribute(std::int64_t{0}), action.value);
      if (!sum) return refuse_action(action.path, "the sum overflows");
      return sum;
    }
    case update_kind::append: {
      if (there == nullptr) return std::optional(action.value);
      if (there->kind() != attribute_kind::list) return refuse_action(action.path, "it is not a list");
      auto list = std::get<attribute_list>(*there);
      const auto& more = std::get<attribute_list>(action.value);
      list.insert(list.end(), more.begin(), more.end());
      return std::optional<attribute>(std::move(list));
    }
    case update_kind::add_to_set:
    case update_kind::remove_from_set: break;
  }
  if (there != nullptr && there->index() != action.value.index()) {
    return refuse_action(action.path, "it is not a set of that kind");
  }
  const bool add = action.kind == update_kind::add_to_set;
  const auto* texts = std::get_if<text_set>(&action.value);
  return texts != nullptr ? changed_set(there, *texts, add)
                          : changed_set(there, std::get<number_set>(action.value), add);
}

// Is there a map or list in which the last step of the path says a place?
DORMOUSE_INLINE bool has_parent(const table_item& item, const attribute_path& path) {
  const bool by_name = std::holds_alternative<std::string>(path.back());
  if (path.size() == 1) return by_name;
  const attribute* const parent = find_attribute(&item, {path.begin(), path.end() - 1});
  return parent != nullptr && parent->kind() == (by_name ? attribute_kind::map : attribute_kind::list);
}

// The effects of all actions on `item`, which stays as it is.
DORMOUSE_INLINE result<std::vector<attribute_effect>> effects_of(const std::vector<update_action>& actions,
                                                                 const table_item& item) {
  std::vector<attribute_effect> effects;
  effects.reserve(actions.size());
  for (const auto& each : actions) {
    if (!has_parent(item, each.path)) return refuse_action(each.path, "there is no such map, list or position");
    const attribute* const there = find_attribute(&item, each.path);
    auto effect = effect_of(each, there);
    if (!effect) return effect.error();
    // A position that is not there to be removed may be another action's when its turn comes.
    if (!*effect && there == nullptr) continue;
    effects.push_back({&each.path, std::move(*effect)});
  }
  return effects;
}

// Does one effect. Precondition: has_parent(item, path).
DORMOUSE_INLINE void put_effect(table_item& item, attribute_effect& effect) {
  const auto& path = *effect.path;
  auto* const parent =
      path.size() == 1 ? nullptr : const_cast<attribute*>(find_attribute(&item, {path.begin(), path.end() - 1}));
  if (const auto* name = std::get_if<std::string>(&path.back())) {
    auto& map = parent == nullptr ? item : std::get<attribute_map>(*parent);
    if (effect.value) {
      map.insert_or_assign(*name, std::move(*effect.value));
    } else if (const auto found = map.find(*name); found != map.end()) {
      map.erase(found);
    }
    return;
  }
  auto& list = std::get<attribute_list>(*parent);
  const auto position = std::get<std::size_t>(path.back());
  if (position >= list.size()) {
    if (effect.value) list.push_back(std::move(*effect.value));
  } else if (effect.value) {
    list[position] = std::move(*effect.value);
  } else {
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(position));
  }
}

// Positions are those before the update. So values come first, the lower position before the higher, in case both are
// beyond the end; and what is removed goes last, the higher position before the lower.
DORMOUSE_INLINE void put_effects(table_item& item, std::vector<attribute_effect>& effects) {
  std::sort(effects.begin(), effects.end(), [](const auto& a, const auto& b) { return *a.path < *b.path; });
  for (auto& each : effects) {
    if (each.value) put_effect(item, each);
  }
  for (auto each = effects.rbegin(); each != effects.rend(); ++each) {
    if (!each->value) put_effect(item, *each);
  }
}

// Of the item, the attributes that the effects are about: what an update copies, so that it can fail half way.
DORMOUSE_INLINE table_item touched_part(const table_item& item, const std::vector<attribute_effect>& effects) {
  table_item part;
  for (const auto& each : effects) {
    if (each.path->size() == 1) continue;  // replaced as a whole
    const auto found = item.find(std::get<std::string>(each.path->front()));
    if (found != item.end()) part.insert(*found);
  }
  return part;
}

// Two actions of which one's path begins with the other's: in the order of paths, they are beside each other.
DORMOUSE_INLINE result<void> check_overlap(const std::vector<update_action>& actions) {
  std::vector<const attribute_path*> paths;
  paths.reserve(actions.size());
  for (const auto& each : actions) paths.push_back(&each.path);
  std::sort(paths.begin(), paths.end(), [](const auto* a, const auto* b) { return *a < *b; });
  for (std::size_t i = 1; i < paths.size(); ++i) {
    const auto& one = *paths[i - 1];
    const auto& next = *paths[i];
    if (one.size() <= next.size() && std::equal(one.begin(), one.end(), next.begin())) {
      return refuse_action(next, "another action is about it, or about what it lies in");
    }
  }
  return {};
}

}  // namespace detail

DORMOUSE_INLINE table_update& table_update::add(update_kind kind, const field& where, attribute value) {
  actions_.push_back({kind, where.path(), std::move(value)});
  return *this;
}

DORMOUSE_INLINE table_update& table_update::set(const field& where, attribute value) {
  return add(update_kind::set, where, std::move(value));
}
DORMOUSE_INLINE table_update& table_update::set_if_absent(const field& where, attribute value) {
  return add(update_kind::set_if_absent, where, std::move(value));
}
DORMOUSE_INLINE table_update& table_update::remove(const field& where) { return add(update_kind::remove, where, {}); }
DORMOUSE_INLINE table_update& table_update::increment(const field& where, attribute by) {
  return add(update_kind::increment, where, std::move(by));
}
DORMOUSE_INLINE table_update& table_update::append(const field& where, attribute_list values) {
  return add(update_kind::append, where, attribute(std::move(values)));
}
DORMOUSE_INLINE table_update& table_update::add_to_set(const field& where, text_set values) {
  return add(update_kind::add_to_set, where, attribute(std::move(values)));
}
DORMOUSE_INLINE table_update& table_update::add_to_set(const field& where, number_set values) {
  return add(update_kind::add_to_set, where, attribute(std::move(values)));
}
DORMOUSE_INLINE table_update& table_update::remove_from_set(const field& where, text_set values) {
  return add(update_kind::remove_from_set, where, attribute(std::move(values)));
}
DORMOUSE_INLINE table_update& table_update::remove_from_set(const field& where, number_set values) {
  return add(update_kind::remove_from_set, where, attribute(std::move(values)));
}

DORMOUSE_INLINE result<void> table_update::check() const {
  if (actions_.size() > actions_max) {
    return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                       "an update of {} actions; at most {}", actions_.size(), actions_max);
  }
  for (const auto& each : actions_) {
    if (each.kind == update_kind::increment && !detail::is_finite_number(each.value)) {
      return detail::refuse_action(each.path, "what is to be added is not a number");
    }
  }
  return detail::check_overlap(actions_);
}

DORMOUSE_INLINE result<void> table_update::apply(table_item& item) const {
  if (auto checked = check(); !checked) return checked;
  auto effects = detail::effects_of(actions_, item);
  if (!effects) return effects.error();
  table_item fresh = detail::touched_part(item, *effects);
  detail::put_effects(fresh, *effects);
  // Nothing allocates, and so nothing fails, from here on.
  for (const auto& each : *effects) {
    if (const auto former = item.find(std::get<std::string>(each.path->front())); former != item.end()) {
      item.erase(former);
    }
  }
  item.merge(fresh);
  return {};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
