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
    each.due = due;
    each.in_heap = true;
    each.heap_child = each.heap_sibling = each.heap_previous = nullptr;
    root_ = root_ == nullptr ? &each : meld(*root_, each);
  }

  // Precondition: it is here.
  void remove(work_item& each) noexcept {
    each.in_heap = false;
    work_item* const below = merge_all(each.heap_child);
    if (&each == root_) {
      root_ = below;
    } else {
      work_item& before = *each.heap_previous;
      (before.heap_child == &each ? before.heap_child : before.heap_sibling) = each.heap_sibling;
      if (each.heap_sibling != nullptr) each.heap_sibling->heap_previous = &before;
      if (below != nullptr) root_ = meld(*root_, *below);
    }
    each.heap_child = each.heap_sibling = each.heap_previous = nullptr;
  }

 private:
  // The later root becomes the earlier one's first child.
  static work_item* meld(work_item& a, work_item& b) noexcept {
    work_item& top = b.due < a.due ? b : a;
    work_item& under = &top == &a ? b : a;
    under.heap_previous = &top;
    under.heap_sibling = top.heap_child;
    if (top.heap_child != nullptr) top.heap_child->heap_previous = &under;
    top.heap_child = &under;
    top.heap_sibling = top.heap_previous = nullptr;
    return &top;
  }

  // Siblings two by two from the left, then the pairs together from the right: both passes without recursion.
  static work_item* merge_all(work_item* each) noexcept {
    work_item* pairs = nullptr;  // linked through heap_sibling, the last one first
    while (each != nullptr) {
      work_item* const second = each->heap_sibling;
      work_item* const rest = second != nullptr ? second->heap_sibling : nullptr;
      work_item* const pair = second != nullptr ? meld(*each, *second) : each;
      pair->heap_sibling = pairs;
      pairs = pair;
      each = rest;
    }
    work_item* all = nullptr;
    while (pairs != nullptr) {
      work_item* const before = pairs->heap_sibling;
      pairs->heap_sibling = pairs->heap_previous = nullptr;
      all = all == nullptr ? pairs : meld(*all, *pairs);
      pairs = before;
    }
    return all;
  }

  work_item* root_ = nullptr;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
