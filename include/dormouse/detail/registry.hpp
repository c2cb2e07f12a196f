// SPDX-License-Identifier: MIT
#pragma once

// Names to functions. Looking up takes no lock and writes nothing; registering takes one. Records never move.
// At rest a function costs its record (64 bytes), its name and 11 to 22 bytes of index; index tables that were outgrown
// are kept until the end, since a reader may be in one: at most as much again.

#include <dormouse/clock.hpp>
#include <dormouse/detail/function_record.hpp>
#include <dormouse/detail/memory.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class registry {
 public:
  static constexpr std::size_t name_bytes_max = 64;

  registry(const clock& time, std::pmr::memory_resource& memory) : time_(time), memory_(memory) {}
  registry(const registry&) = delete;
  registry& operator=(const registry&) = delete;
  ~registry();

  // Takes `prototype` over when it returns. Throws std::invalid_argument: name malformed or taken, option out of
  // bounds.
  function_record& add(std::string_view name, const handler_ops& ops, void* prototype, const function_options& options);

  // Null when there is none of that name. Wait-free.
  [[nodiscard]] function_record* find(std::string_view name) const noexcept;
  // Precondition: index < size().
  [[nodiscard]] function_record& at(std::uint32_t index) const noexcept {
    const auto chunk = static_cast<std::size_t>(std::bit_width(index / chunk_first + 1) - 1);
    const std::size_t first = chunk_first * ((std::size_t{1} << chunk) - 1);
    // acquire: pairs with new_record(); who knows an index has got it from the index table, later still.
    return chunks_[chunk].load(std::memory_order_acquire)[index - first];
  }
  // With those that were undefined: their records stay, 64 bytes and the name.
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t defined() const noexcept { return defined_.load(std::memory_order_relaxed); }
  // After a record's generation has changed.
  void count_undefined() noexcept { defined_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  static constexpr std::size_t chunk_first = 64;  // records in the first chunk; each next chunk is twice as large
  static constexpr std::size_t chunk_count = 26;

  // Open addressing, at most three quarters full. A slot is tag << 32 | index + 1; zero is free.
  struct table {
    table(std::size_t size, std::pmr::memory_resource& memory) : mask(size - 1), slots(size, &memory) {}
    std::size_t mask;
    std::pmr::vector<std::atomic<std::uint64_t>> slots;
  };

  static std::size_t chunk_bytes(std::size_t chunk) noexcept {
    return sizeof(function_record) * (chunk_first << chunk);
  }
  void insert(table& into, std::uint64_t hash, std::uint32_t index) const noexcept;
  function_record* new_record();
  const char* keep_name(std::string_view name);
  const function_settings* intern(const function_options& options);
  void grow_table();

  const clock& time_;
  std::pmr::memory_resource& memory_;
  std::atomic<const table*> table_{nullptr};
  std::atomic<std::size_t> size_{0};
  std::atomic<std::size_t> defined_{0};
  std::array<std::atomic<function_record*>, chunk_count> chunks_{};
  std::mutex mutex_{};  // guards what follows
  std::pmr::vector<owner_in<table>> tables_{&memory_};
  std::pmr::vector<std::pmr::vector<char>> names_{&memory_};
  std::size_t names_used_ = 0;
  std::size_t names_size_ = 0;
  std::pmr::vector<owner_in<function_settings>> settings_{&memory_};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
