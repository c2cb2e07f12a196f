# cmake -DLIBRARY_BUILD=dir -DWHERE=dir -P install.cmake: installations for the consumers. One is moved after it was
# installed, to a folder with a space in its name: a path that was baked in would be wrong now. One lacks two components.
file(REMOVE_RECURSE "${WHERE}")
foreach(prefix IN ITEMS prefix stage without)
  execute_process(COMMAND "${CMAKE_COMMAND}" --install "${LIBRARY_BUILD}" --prefix "${WHERE}/${prefix}"
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endforeach()
file(RENAME "${WHERE}/stage" "${WHERE}/moved prefix")
file(GLOB_RECURSE components LIST_DIRECTORIES false "${WHERE}/without/*time_zones*" "${WHERE}/without/*event_pattern*")
file(REMOVE ${components})
