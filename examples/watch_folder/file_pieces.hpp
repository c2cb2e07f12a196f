#pragma once

// Reads a file in pieces, so that a file of any size costs the same memory.

#include <dormouse/failure.hpp>
#include <dormouse/result.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace watch_folder {

// not_found when the file is gone, unavailable when it cannot be read.
inline dormouse::failure cannot_read(const std::filesystem::path& path, int error) {
  return {.code = error == ENOENT ? dormouse::errc::not_found : dormouse::errc::unavailable,
          .effect = dormouse::effect_kind::not_applied,
          .reason = dormouse::failure_reason::path,
          .detail = fmt::format("cannot read {}: {}", path.string(), std::generic_category().message(error)),
          .native_code = error};
}

// Calls use(std::string_view) for each piece, in order. `buffer` bounds the pieces.
template <class Use>
dormouse::result<void> for_each_piece(const std::filesystem::path& path, std::span<char> buffer, Use&& use) {
  struct closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, closer> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return cannot_read(path, errno);
  std::setvbuf(file.get(), nullptr, _IONBF, 0);  // `buffer` is enough
  while (const auto bytes = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    use(std::string_view{buffer.data(), bytes});
  }
  if (std::ferror(file.get()) != 0) return cannot_read(path, errno);
  return {};
}

}  // namespace watch_folder
