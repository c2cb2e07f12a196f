// SPDX-License-Identifier: MIT
#pragma once

// Objects in the memory of runtime_options::memory.

#include <dormouse/detail/config.hpp>

#include <memory>
#include <memory_resource>
#include <new>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// Throws what the resource or the constructor throws; then nothing is left behind.
template <class T, class... Args>
T* new_in(std::pmr::memory_resource& memory, Args&&... args) {
  void* const place = memory.allocate(sizeof(T), alignof(T));
  try {
    return ::new (place) T(std::forward<Args>(args)...);
  } catch (...) {
    memory.deallocate(place, sizeof(T), alignof(T));
    throw;
  }
}

template <class T>
void delete_in(std::pmr::memory_resource& memory, T* object) noexcept {
  if (object == nullptr) return;
  auto* const place = const_cast<std::remove_const_t<T>*>(object);
  std::destroy_at(place);
  memory.deallocate(place, sizeof(T), alignof(T));
}

template <class T>
struct deleter_in {
  std::pmr::memory_resource* memory = nullptr;
  void operator()(T* object) const noexcept { delete_in(*memory, object); }
};
template <class T>
using owner_in = std::unique_ptr<T, deleter_in<T>>;

template <class T, class... Args>
owner_in<T> make_in(std::pmr::memory_resource& memory, Args&&... args) {
  return {new_in<T>(memory, std::forward<Args>(args)...), deleter_in<T>{&memory}};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
