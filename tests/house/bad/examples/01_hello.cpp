#include <dormouse/detail/shared.hpp>
#include "../tests/support/catch.hpp"
