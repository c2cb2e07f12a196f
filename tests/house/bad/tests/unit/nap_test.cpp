#include <catch2/catch.hpp>
void nap() { std::this_thread::sleep_for(1s); }
