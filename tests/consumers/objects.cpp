// SPDX-License-Identifier: MIT
#include <dormouse/adapters/filesystem_object_store.hpp>

int main() {
  const auto store = dormouse::open_filesystem_object_store({.root = "kept objects"});
  return store && (*store)->put("../a", "b") && (*store)->get("../a").value().data == "b" ? 0 : 1;
}
