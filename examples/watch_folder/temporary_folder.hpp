#pragma once

// A folder of our own that goes with all that is in it.

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace watch_folder {

class temporary_folder {
 public:
  temporary_folder() {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "dormouse-demo-XXXXXX").string();
    if (error) throw std::system_error(error, "cannot use the folder for temporary files, see TMPDIR");
    if (::mkdtemp(name.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), "cannot make the folder " + name);
    }
    path_ = name;
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace watch_folder
