# cmake -DPROJECT=dir -DBUILD=dir [-DOPTIONS=-Dx=y;...] -DPROGRAMS=a;b -P run.cmake
# Configures and builds a consumer from nothing, as its author would, and runs its programs.
file(REMOVE_RECURSE "${BUILD}")
foreach(command IN ITEMS configure build)
  if(command STREQUAL "configure")
    execute_process(COMMAND "${CMAKE_COMMAND}" -S "${PROJECT}" -B "${BUILD}" ${OPTIONS}
                    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  else()
    execute_process(COMMAND "${CMAKE_COMMAND}" --build "${BUILD}"
                    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  endif()
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${command} failed:\n${output}")
  endif()
endforeach()
foreach(program IN LISTS PROGRAMS)
  execute_process(COMMAND "${BUILD}/${program}" RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE complaint)
  if(NOT status EQUAL 0 OR NOT said STREQUAL "hello consumer\n" OR NOT complaint STREQUAL "")
    message(FATAL_ERROR "${program}: status ${status}, said `${said}`, on stderr `${complaint}`")
  endif()
endforeach()
