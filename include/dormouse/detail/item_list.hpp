// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/work_item.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// Items in order, through the items themselves.
class item_list {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] work_item* first() const noexcept { return first_; }
  void push_back(work_item& each) noexcept {
    each.next = nullptr;
    each.previous = last_;
    (last_ != nullptr ? last_->next : first_) = &each;
    last_ = &each;
  }
  void push_front(work_item& each) noexcept {
    each.previous = nullptr;
    each.next = first_;
    (first_ != nullptr ? first_->previous : last_) = &each;
    first_ = &each;
  }
  void remove(work_item& each) noexcept {
    (each.previous != nullptr ? each.previous->next : first_) = each.next;
    (each.next != nullptr ? each.next->previous : last_) = each.previous;
    each.next = each.previous = nullptr;
  }
  work_item* pop_front() noexcept {
    work_item* const taken = first_;
    if (taken != nullptr) remove(*taken);
    return taken;
  }

 private:
  work_item* first_ = nullptr;
  work_item* last_ = nullptr;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
