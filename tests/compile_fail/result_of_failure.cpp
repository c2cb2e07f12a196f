// expect: result<failure> would be ambiguous
#include <dormouse/result.hpp>

dormouse::result<dormouse::failure> number();
bool called() { return number().has_value(); }
