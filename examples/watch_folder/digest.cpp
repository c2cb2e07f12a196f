#include "digest.hpp"

#include "file_pieces.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <new>
#include <stdexcept>

namespace watch_folder {

namespace {

void require(int openssl_says) {
  if (openssl_says != 1) throw std::runtime_error("OpenSSL refuses to compute SHA-256");
}

}  // namespace

digest::digest() : context_(EVP_MD_CTX_new()), buffer_(std::size_t{256} * 1024) {
  if (!context_) throw std::bad_alloc();
  // FIPS 180-4, the example "one million times the letter a".
  constexpr std::string_view known = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  const std::string letters(1'000'000, 'a');
  const auto enough = std::chrono::steady_clock::now() + std::chrono::milliseconds{25};
  do {
    begin();
    add(letters);
    if (finish() != known) throw std::runtime_error("SHA-256 fails its known answer");
  } while (std::chrono::steady_clock::now() < enough);
}

dormouse::result<std::string> digest::operator()(const dormouse::file_event& file) {
  begin();
  const auto read = for_each_piece(file.path, buffer_, [&](std::string_view bytes) { add(bytes); });
  if (!read) return read.error();
  return finish();
}

void digest::begin() { require(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr)); }

void digest::add(std::string_view bytes) { require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size())); }

std::string digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  require(EVP_DigestFinal_ex(context_.get(), bytes.data(), &size));
  std::string digits;
  for (std::size_t i = 0; i < size; ++i) digits += fmt::format("{:02x}", bytes[i]);
  return digits;
}

}  // namespace watch_folder
