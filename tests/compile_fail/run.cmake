# cmake -DSOURCE=file -DCOMPILE=command;options -P run.cmake
# The first line of the file says what must happen:
#   // expect: REGEX    compiling fails and the compiler's output matches REGEX (a CMake regular expression)
#   // expect-ok        compiling succeeds: the control, without which a missing header would pass every test
file(STRINGS "${SOURCE}" first_line LIMIT_COUNT 1)
execute_process(COMMAND ${COMPILE} -fsyntax-only "${SOURCE}" RESULT_VARIABLE status
                OUTPUT_VARIABLE output ERROR_VARIABLE output)

if(first_line MATCHES "^// expect-ok")
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "must compile, and does not:\n${output}")
  endif()
elseif(first_line MATCHES "^// expect: (.+)$")
  set(wanted "${CMAKE_MATCH_1}")
  if(status EQUAL 0)
    message(FATAL_ERROR "must not compile, and does")
  elseif(NOT output MATCHES "${wanted}")
    message(FATAL_ERROR "fails to compile, but nothing says `${wanted}`:\n${output}")
  endif()
else()
  message(FATAL_ERROR "the first line must be `// expect: REGEX` or `// expect-ok`")
endif()
