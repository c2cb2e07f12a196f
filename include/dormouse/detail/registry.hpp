// SPDX-License-Identifier: MIT
#pragma once

// Names to functions. Looking up takes no lock and writes nothing; registering takes one. Records never move.
// At rest a function costs its record (64 bytes), 24 bytes that hold its name up to 23 letters (a longer one is kept
// elsewhere), and 11 to 22 bytes of index. Index tables that were outgrown are kept until the end, since a reader may
// be in one: at most as much again.

#include <dormouse/clock.hpp>
#include <dormouse/detail/function_record.hpp>
#include <dormouse/detail/memory.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
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
    const place where(index);
    return records_of(where)[where.offset];
  }
  // With those that were undefined: their records stay, 64 bytes and the name.
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t defined() const noexcept { return defined_.load(std::memory_order_relaxed); }
  // After a record's generation has changed.
  void count_undefined() noexcept { defined_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  static constexpr std::size_t chunk_first = 64;  // records in the first chunk; each next chunk is twice as large
  static constexpr std::size_t chunk_count = 26;

  // Which chunk, and where in it. A chunk has its records and, behind them, their names in the same order: where either
  // lies follows from the index alone, so a look-up waits for the two at the same time.
  struct place {
    explicit place(std::uint32_t index) noexcept
        : chunk(static_cast<std::size_t>(std::bit_width(index / chunk_first + 1) - 1)),
          offset(index - chunk_first * ((std::size_t{1} << chunk) - 1)) {}
    std::size_t chunk;
    std::size_t offset;
  };
  class name_cell {
   public:
    static constexpr std::size_t inline_bytes = 23;
    // `kept`: where a name of more than inline_bytes is.
    name_cell(std::string_view name, const char* kept) noexcept : size_(static_cast<std::uint8_t>(name.size())) {
      if (name.size() > inline_bytes) {
        std::memcpy(text_, &kept, sizeof kept);
      } else {
        std::memcpy(text_, name.data(), name.size());
      }
    }
    [[nodiscard]] std::string_view name() const noexcept {
      if (size_ <= inline_bytes) return {text_, size_};
      const char* kept = nullptr;
      std::memcpy(&kept, text_, sizeof kept);
      return {kept, size_};
    }

   private:
    char text_[inline_bytes];
    std::uint8_t size_;
  };
  static_assert(sizeof(name_cell) == 24);

  // Open addressing, at most three quarters full. A slot is hash << 32 | index + 1; zero is free. The hash says where a
  // search begins, too: a larger table is made from the smaller one without a look at any record.
  struct table {
    table(std::size_t size, std::pmr::memory_resource& memory) : mask(size - 1), slots(size, &memory) {}
    std::size_t mask;
    std::pmr::vector<std::atomic<std::uint64_t>> slots;
  };

  static std::size_t chunk_bytes(std::size_t chunk) noexcept {
    return (sizeof(function_record) + sizeof(name_cell)) * (chunk_first << chunk);
  }
  [[nodiscard]] function_record* records_of(const place& where) const noexcept {
    // acquire: pairs with new_record(); who knows an index has got it from the index table, later still.
    return chunks_[where.chunk].load(std::memory_order_acquire);
  }
  [[nodiscard]] name_cell* names_of(const place& where) const noexcept {
    return reinterpret_cast<name_cell*>(records_of(where) + (chunk_first << where.chunk));
  }
  [[nodiscard]] std::string_view name_at(std::uint32_t index) const noexcept {
    const place where(index);
    return names_of(where)[where.offset].name();
  }
  void insert(table& into, std::uint32_t hash, std::uint32_t index) const noexcept;
  function_record* new_record(std::string_view name);
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
