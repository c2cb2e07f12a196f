// SPDX-License-Identifier: MIT

#include "object_download.hpp"

#include <dormouse/detail/service_call.hpp>

#include "blob_files.hpp"
#include "check_sum.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem {

namespace {

failure damaged(const char* why) {
  return detail::make_failure(errc::corruption, effect_kind::not_applied, failure_reason::none, why);
}

class inline_download final : public object_download {
 public:
  inline_download(found_object found, const object_extent& extent)
      : found_(std::move(found)),
        left_(std::string_view(found_.contents.bytes)
                  .substr(static_cast<std::size_t>(extent.offset), static_cast<std::size_t>(extent.length))) {}
  [[nodiscard]] const object_info& info() const noexcept override { return found_.info; }
  result<std::size_t> read(std::span<char> to) override {
    const std::size_t count = left_.copy(to.data(), to.size());
    left_.remove_prefix(count);
    return count;
  }

 private:
  const found_object found_;
  std::string_view left_;
};

class file_download final : public object_download {
 public:
  file_download(file_io& io, descriptor file, found_object found, const object_extent& extent)
      : io_(io), file_(std::move(file)), found_(std::move(found)), at_(extent.offset), left_(extent.length) {}
  [[nodiscard]] const object_info& info() const noexcept override { return found_.info; }

  result<std::size_t> read(std::span<char> to) override {
    std::size_t filled = 0;
    while (filled < to.size() && left_ != 0) {
      const auto got = next(to.subspan(filled));
      if (!got) return got.error();
      filled += *got;
      at_ += *got;
      left_ -= *got;
    }
    return filled;
  }

 private:
  // The rest of the block that is to be read, or as much of it as there is room for. A whole block is read to where it
  // is wanted; of a part, the block is read into one of our own.
  result<std::size_t> next(std::span<char> to) {
    const std::uint64_t number = at_ / block_bytes;
    const std::uint64_t begin = number * block_bytes;
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(block_bytes, found_.info.size - begin));
    if (at_ == begin && std::min<std::uint64_t>(to.size(), left_) >= size) {
      if (auto loaded = load(number, to.first(size)); !loaded) return std::move(loaded).error();
      return size;
    }
    if (!has_block_ || block_number_ != number) {
      has_block_ = false;
      block_.resize(size);
      if (auto loaded = load(number, block_); !loaded) return std::move(loaded).error();
      has_block_ = true;
      block_number_ = number;
    }
    const auto from = static_cast<std::size_t>(at_ - begin);
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(to.size(), left_));
    return std::string_view(block_).copy(to.data(), wanted, from);
  }

  result<void> load(std::uint64_t number, std::span<char> to) {
    std::size_t filled = 0;
    while (filled < to.size()) {
      const auto offset = static_cast<off_t>(number * block_bytes + filled);
      const auto count =
          uninterrupted([&] { return io_.read(file_.get(), to.data() + filled, to.size() - filled, offset); });
      if (count < 0) return os_failure(errno, "reading an object's file");
      if (count == 0) return damaged("the object's file ends early");
      filled += static_cast<std::size_t>(count);
    }
    const std::string_view block(to.data(), to.size());
    if (has_sum(found_.contents.sums, static_cast<std::size_t>(number), block)) return {};
    return damaged("a check sum of the object's file is another");
  }

  file_io& io_;
  const descriptor file_;
  const found_object found_;
  std::uint64_t at_;
  std::uint64_t left_;
  std::string block_{};
  std::uint64_t block_number_ = 0;
  bool has_block_ = false;
};

}  // namespace

result<std::unique_ptr<object_download>> open_inline(found_object found, const object_extent& extent) {
  if (found.contents.bytes.size() != found.info.size) return damaged("the object has another size");
  if (!has_sum(found.contents.sums, 0, found.contents.bytes)) return damaged("the object's check sum is another");
  return std::unique_ptr<object_download>(std::make_unique<inline_download>(std::move(found), extent));
}

result<std::unique_ptr<object_download>> open_file(file_io& io, descriptor file, found_object found,
                                                   const object_extent& extent) {
  return std::unique_ptr<object_download>(
      std::make_unique<file_download>(io, std::move(file), std::move(found), extent));
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem
