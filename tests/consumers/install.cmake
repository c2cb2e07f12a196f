# cmake -DLIBRARY_BUILD=dir -DWHERE=dir -P install.cmake: two installations for the consumers. One is moved after it was
# installed, to a folder with a space in its name: a path that was baked in would be wrong now.
file(REMOVE_RECURSE "${WHERE}")
foreach(prefix IN ITEMS prefix stage)
  execute_process(COMMAND "${CMAKE_COMMAND}" --install "${LIBRARY_BUILD}" --prefix "${WHERE}/${prefix}"
                  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endforeach()
file(RENAME "${WHERE}/stage" "${WHERE}/moved prefix")
