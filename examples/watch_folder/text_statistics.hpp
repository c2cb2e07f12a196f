#pragma once

// The function `text_statistics`: how many lines, words and bytes, and is it text at all? It has no state: a plain
// function, so there is nothing to construct and no cold start.

#include <dormouse/result.hpp>
#include <dormouse/triggers/on_file.hpp>

#include <cstdint>

namespace watch_folder {

struct text_counts {
  std::int64_t lines = 0;  // line feeds, as `wc -l`
  std::int64_t words = 0;  // runs of what is not white space
  std::int64_t bytes = 0;
  bool is_text = true;  // no control character but white space
};

dormouse::result<text_counts> text_statistics(const dormouse::file_event& file);

}  // namespace watch_folder
