// SPDX-License-Identifier: MIT
#pragma once

// Events by the time they are due: a pairing heap through the events themselves, so that a wait needs no memory.
// (Fredman, Sedgewick, Sleator, Tarjan, "The pairing heap", Algorithmica 1986.) Not thread-safe.

#include <dormouse/detail/work_item.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class delayed_events {
 public:
  [[nodiscard]] work_item* first() const noexcept { return root_; }

  void add(work_item& each, clock::time_point due) noexcept {
    each.aftermath().due = due;
    each.aftermath().in_heap = true;
    clear(each.aftermath());
    root_ = root_ == nullptr ? &each : meld(*root_, each);
  }

  // Precondition: it is here.
  void remove(work_item& gone) noexcept {
    item_aftermath& each = gone.aftermath();
    each.in_heap = false;
    work_item* const below = merge_all(each.heap_child);
    if (&gone == root_) {
      root_ = below;
    } else {
      item_aftermath& before = each.heap_previous->aftermath();
      (before.heap_child == &gone ? before.heap_child : before.heap_sibling) = each.heap_sibling;
      if (each.heap_sibling != nullptr) each.heap_sibling->aftermath().heap_previous = each.heap_previous;
      if (below != nullptr) root_ = meld(*root_, *below);
    }
    clear(each);
  }

 private:
  static void clear(item_aftermath& each) noexcept {
    each.heap_child = each.heap_sibling = each.heap_previous = nullptr;
  }

  // The later root becomes the earlier one's first child.
  static work_item* meld(work_item& a, work_item& b) noexcept {
    const bool swapped = b.aftermath().due < a.aftermath().due;
    work_item& above = swapped ? b : a;
    work_item& below = swapped ? a : b;
    item_aftermath& top = above.aftermath();
    below.aftermath().heap_previous = &above;
    below.aftermath().heap_sibling = top.heap_child;
    if (top.heap_child != nullptr) top.heap_child->aftermath().heap_previous = &below;
    top.heap_child = &below;
    top.heap_sibling = top.heap_previous = nullptr;
    return &above;
  }

  // Siblings two by two from the left, then the pairs together from the right: both passes without recursion.
  static work_item* merge_all(work_item* each) noexcept {
    work_item* pairs = nullptr;  // linked through heap_sibling, the last one first
    while (each != nullptr) {
      work_item* const second = each->aftermath().heap_sibling;
      work_item* const rest = second != nullptr ? second->aftermath().heap_sibling : nullptr;
      work_item* const pair = second != nullptr ? meld(*each, *second) : each;
      pair->aftermath().heap_sibling = pairs;
      pairs = pair;
      each = rest;
    }
    work_item* all = nullptr;
    while (pairs != nullptr) {
      item_aftermath& first = pairs->aftermath();
      work_item* const before = first.heap_sibling;
      first.heap_sibling = first.heap_previous = nullptr;
      all = all == nullptr ? pairs : meld(*all, *pairs);
      pairs = before;
    }
    return all;
  }

  work_item* root_ = nullptr;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
