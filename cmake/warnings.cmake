# How strict is the compiler with our own code? Linked PRIVATE and build-only: no consumer ever sees these flags.
add_library(dormouse_warnings INTERFACE)
if(PROJECT_IS_TOP_LEVEL)
  target_compile_options(dormouse_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion
                         $<$<BOOL:${DORMOUSE_WARNINGS_AS_ERRORS}>:-Werror>)
endif()
