// SPDX-License-Identifier: MIT
// The library: its object store below a folder.

#include <dormouse/adapters/filesystem_object_store.hpp>

#include "objects/workload.hpp"

#include <memory>

namespace {

class object_folder {
 public:
  explicit object_folder(const std::filesystem::path& root)
      : store_(dormouse::open_filesystem_object_store({.root = root}).value()) {}
  void put(const std::string& name, std::string_view bytes) {
    bench::require(store_->put(name, bytes).has_value(), "a put failed");
  }
  std::string_view get(const std::string& name) {
    auto got = store_->get(name, {.bytes_max = std::size_t{1} << 30U});
    bench::require(got.has_value(), "a get failed");
    last_ = std::move(got->data);
    return last_.text();
  }

 private:
  std::unique_ptr<dormouse::object_store> store_;
  dormouse::payload last_;
};

}  // namespace

int main(int argc, char** argv) { return bench::run_trials(argc, argv, bench::object_trials<object_folder>()); }
