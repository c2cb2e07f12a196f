// SPDX-License-Identifier: MIT
// What does a function of yours cost, cold and warm? Prints a table; give it a file name and it draws a picture, too.

#include <dormouse/bench/cold_warm.hpp>
#include <dormouse/dormouse.hpp>

#include <cstdio>
#include <fstream>
#include <numeric>
#include <vector>

// A handler with something to load before its first call.
class thumbnail {
 public:
  thumbnail() : weights_(1'000'000) { std::iota(weights_.begin(), weights_.end(), 0U); }
  std::size_t operator()(const dormouse::event& photo) const {
    return std::accumulate(weights_.begin(), weights_.begin() + 20'000, photo.data.size());
  }

 private:
  std::vector<unsigned> weights_;
};

int main(int argc, char** argv) {
  dormouse::runtime runtime;
  runtime.define("thumbnail", dormouse::per_instance([] { return thumbnail(); }));

  const auto found =
      dormouse::bench::cold_warm(runtime, "thumbnail", {.type = "photo.added", .data = "a/b.jpg"}, {.rounds = 200});
  if (!found) {
    std::fprintf(stderr, "%s\n", found.error().detail.c_str());
    return 1;
  }
  std::fputs(found->table().c_str(), stdout);
  if (argc > 1) std::ofstream(argv[1]) << found->svg();
  return 0;
}
