#pragma once

// The function `digest`: the SHA-256 of a file. Its constructor is expensive, so a cold start is worth avoiding.

#include <dormouse/result.hpp>
#include <dormouse/triggers/on_file.hpp>

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace watch_folder {

class digest {
 public:
  // Tests itself for 25 ms, on purpose: it stands for what makes a real function slow to start, say a model to load.
  // Throws std::runtime_error when the test fails: then no instance is made.
  digest();

  // 64 hexadecimal digits.
  dormouse::result<std::string> operator()(const dormouse::file_event& file);

 private:
  struct context_deleter {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  void begin();
  void add(std::string_view bytes);
  std::string finish();

  std::unique_ptr<EVP_MD_CTX, context_deleter> context_;
  std::vector<char> buffer_;
};

}  // namespace watch_folder
