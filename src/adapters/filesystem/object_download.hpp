// SPDX-License-Identifier: MIT
#pragma once

// Objects on their way out. No byte is handed out before the block it is in has been compared with its check sum, so a
// reader gets the bytes that were put, or corruption.

#include <dormouse/services/object_stream.hpp>

#include "file_io.hpp"
#include "object_index.hpp"

#include <memory>

namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem {

result<std::unique_ptr<object_download>> open_inline(found_object found, const object_extent& extent);
// `file` has the object's size.
result<std::unique_ptr<object_download>> open_file(file_io& io, descriptor file, found_object found,
                                                   const object_extent& extent);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem
