// expect-ok
#include <dormouse/result.hpp>

dormouse::result<int> number() { return 42; }
