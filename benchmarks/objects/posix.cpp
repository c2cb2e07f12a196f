// SPDX-License-Identifier: MIT
// What one writes oneself: a file a name; write, fsync, rename, fsync of the folder; and read.

#include "objects/workload.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

class plain_folder {
 public:
  explicit plain_folder(const std::filesystem::path& root) {
    std::filesystem::create_directories(root);
    folder_ = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bench::require(folder_ >= 0, "no folder");
  }
  ~plain_folder() { ::close(folder_); }
  plain_folder(const plain_folder&) = delete;
  plain_folder& operator=(const plain_folder&) = delete;

  void put(const std::string& name, std::string_view bytes) {
    const std::string file = file_of(name);
    const std::string fresh = file + ".part";
    const int out = ::openat(folder_, fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    while (!bytes.empty()) {
      const auto done = ::write(out, bytes.data(), bytes.size());
      bench::require(done > 0, "a write failed");
      bytes.remove_prefix(static_cast<std::size_t>(done));
    }
    bench::require(::fsync(out) == 0 && ::close(out) == 0, "a sync failed");
    bench::require(::renameat(folder_, fresh.c_str(), folder_, file.c_str()) == 0, "a rename failed");
    bench::require(::fsync(folder_) == 0, "the folder's sync failed");
  }
  std::string_view get(const std::string& name) {
    const int in = ::openat(folder_, file_of(name).c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about {};
    bench::require(::fstat(in, &about) == 0, "a get failed");
    last_ = std::string(static_cast<std::size_t>(about.st_size), '\0');
    for (std::size_t done = 0; done < last_.size();) {
      const auto got = ::read(in, last_.data() + done, last_.size() - done);
      bench::require(got > 0, "a read failed");
      done += static_cast<std::size_t>(got);
    }
    ::close(in);
    return last_;
  }

 private:
  static std::string file_of(std::string name) {
    std::replace(name.begin(), name.end(), '/', '-');
    return name;
  }
  int folder_ = -1;
  std::string last_;
};

}  // namespace

int main(int argc, char** argv) { return bench::run_trials(argc, argv, bench::object_trials<plain_folder>()); }
