# How does a test become a ctest? Every test in this repository goes through one of these functions.

set_property(CACHE DORMOUSE_TEST_FLAVOUR PROPERTY STRINGS compiled header_only)
set(DORMOUSE_CASES_DIR "${PROJECT_SOURCE_DIR}/../shared/cases" CACHE PATH
    "Recorded inputs for tests that compare with a reference; tests that need them are skipped without")
set(DORMOUSE_TEST_TIMEOUT 120 CACHE STRING "Seconds after which a test counts as hung")

add_library(dormouse_under_test INTERFACE)
if(DORMOUSE_TEST_FLAVOUR STREQUAL "compiled")
  target_link_libraries(dormouse_under_test INTERFACE dormouse)
elseif(DORMOUSE_TEST_FLAVOUR STREQUAL "header_only")
  target_link_libraries(dormouse_under_test INTERFACE dormouse_header_only)
else()
  message(FATAL_ERROR "DORMOUSE_TEST_FLAVOUR is `${DORMOUSE_TEST_FLAVOUR}`: it must be compiled or header_only")
endif()
target_link_libraries(dormouse_under_test INTERFACE dormouse_warnings)
target_link_libraries(dormouse_under_test INTERFACE dormouse_bench)
if(TARGET dormouse_json)
  target_link_libraries(dormouse_under_test INTERFACE dormouse_json)
endif()

# dormouse_add_test_binary(NAME unit SOURCES a_test.cpp ... [LABEL unit] [SERIAL] [TIMEOUT s]) -> dormouse_unit_tests,
# one ctest per TEST_CASE, named "unit/<sentence>". SERIAL: never beside another test, for those that load every core or
# measure.
function(dormouse_add_test_binary)
  cmake_parse_arguments(PARSE_ARGV 0 arg "SERIAL" "NAME;LABEL;TIMEOUT" "SOURCES;LIBRARIES")
  if(NOT arg_SOURCES)
    return()
  endif()
  if(NOT arg_LABEL)
    set(arg_LABEL ${arg_NAME})
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT ${DORMOUSE_TEST_TIMEOUT})
  endif()
  set(target dormouse_${arg_NAME}_tests)
  add_executable(${target} ${arg_SOURCES})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_compile_definitions(${target} PRIVATE DORMOUSE_CASES_DIR="${DORMOUSE_CASES_DIR}"
                             DORMOUSE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE dormouse_test_main dormouse_under_test ${arg_LIBRARIES})
  # The library is what users get; the tests only have to be compiled soon.
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)

  set(extra_args)
  if(Catch2_VERSION VERSION_LESS 3)
    set(extra_args EXTRA_ARGS --warn NoTests)  # v2 calls a name that matches nothing a success
  else()
    set(extra_args DISCOVERY_MODE PRE_TEST)    # v2 can only discover after the build
  endif()
  catch_discover_tests(${target} TEST_PREFIX "${arg_NAME}/" ${extra_args}
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT} SKIP_REGULAR_EXPRESSION "SKIPPED:"
               RUN_SERIAL ${arg_SERIAL})
endfunction()

# dormouse_add_command_test(NAME ... LABEL ... COMMAND ... [SERIAL]): any other program whose exit status is the verdict.
function(dormouse_add_command_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "SERIAL" "NAME;LABEL;TIMEOUT" "COMMAND;PROPERTIES")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT ${DORMOUSE_TEST_TIMEOUT})
  endif()
  set(name "${arg_LABEL}/${arg_NAME}")
  add_test(NAME "${name}" COMMAND ${arg_COMMAND})
  set_tests_properties("${name}" PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT} RUN_SERIAL ${arg_SERIAL}
                       SKIP_REGULAR_EXPRESSION "SKIPPED:" ${arg_PROPERTIES})
endfunction()

# dormouse_add_compile_fail_test(NAME): tests/compile_fail/NAME.cpp, judged by its own first line. Whatever compiler
# builds the project is asked, with header_only's definitions so that no template is left to a library.
function(dormouse_add_compile_fail_test name)
  set(directories "${PROJECT_SOURCE_DIR}/include;$<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>")
  set(directories "${directories};$<TARGET_PROPERTY:dormouse_concurrentqueue,INTERFACE_INCLUDE_DIRECTORIES>")
  set(directories "-I$<JOIN:$<FILTER:${directories},EXCLUDE,^$>,$<SEMICOLON>-I>")
  dormouse_add_command_test(NAME ${name} LABEL compile_fail
    COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${PROJECT_SOURCE_DIR}/tests/compile_fail/${name}.cpp"
            "-DCOMPILE=${CMAKE_CXX_COMPILER};-std=c++20;-DDORMOUSE_HEADER_ONLY=1;${directories}"
            -P "${PROJECT_SOURCE_DIR}/tests/compile_fail/run.cmake")
endfunction()

# dormouse_add_consumer(NAME [PROGRAMS p...] [OPTIONS -Dx=y...] [SCRIPT s] [INSTALLED]): tests/consumers/NAME is
# configured, built and run by consumers/run.cmake (or SCRIPT). INSTALLED: after the library was installed.
function(dormouse_add_consumer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "INSTALLED" "SCRIPT" "PROGRAMS;OPTIONS")
  if(NOT arg_SCRIPT)
    set(arg_SCRIPT "${PROJECT_SOURCE_DIR}/tests/consumers/run.cmake")
  endif()
  # Debug: what is tested is how they find and link the library, which no optimisation changes and each delays.
  set(options "-G${CMAKE_GENERATOR}" -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}"
      "-DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS}" "-DCMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER}"
      ${arg_OPTIONS})
  set(properties)
  if(arg_INSTALLED)
    set(properties PROPERTIES FIXTURES_REQUIRED installed)
  endif()
  dormouse_add_command_test(NAME ${name} LABEL consumer TIMEOUT 300
    COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${PROJECT_SOURCE_DIR}" "-DPROJECT=${PROJECT_SOURCE_DIR}/tests/consumers/${name}"
            "-DBUILD=${PROJECT_BINARY_DIR}/consumers/${name}" "-DOPTIONS=${options}" "-DPROGRAMS=${arg_PROGRAMS}"
            -P "${arg_SCRIPT}"
    ${properties})
endfunction()
