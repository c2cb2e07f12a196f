# Which adapters need more than the library? Each is an archive of its own: what a program does not use, it does not link.

# dormouse_add_adapter(NAME n SOURCES s... [HEADERS h...] [ENGINES e...] [LIBRARIES l...]) -> the component dormouse::n.
# ENGINES: adapters made by this function that it stands on; LIBRARIES: what nobody else sees. The names of the library
# contain its flavour, so there is a second archive for header_only, in this tree only; dormouse_n_under_test is the one
# that tests and examples link. ONE_PIECE: that second archive is compiled as one file, since each of many would read all
# bodies of the library again.
set(DORMOUSE_TEST_FLAVOUR compiled CACHE STRING "Which flavour tests and examples link: compiled or header_only")
set(DORMOUSE_ADAPTERS)
function(dormouse_add_adapter)
  cmake_parse_arguments(PARSE_ARGV 0 arg "ONE_PIECE" "NAME" "SOURCES;HEADERS;ENGINES;LIBRARIES")
  foreach(flavour IN ITEMS compiled header_only)
    set(suffix)
    set(library dormouse)
    if(flavour STREQUAL "header_only")
      set(suffix _header_only)
      set(library dormouse_header_only)
    endif()
    set(target dormouse_${arg_NAME}${suffix})
    add_library(${target} STATIC ${arg_SOURCES})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON EXPORT_NAME ${arg_NAME}${suffix})
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-ffunction-sections -fdata-sections>)
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(${target} PUBLIC ${library} PRIVATE ${arg_LIBRARIES} $<BUILD_INTERFACE:dormouse_warnings>)
    foreach(engine IN LISTS arg_ENGINES)
      target_link_libraries(${target} PRIVATE dormouse_${engine}${suffix})
    endforeach()
  endforeach()
  if(arg_ONE_PIECE)
    set_target_properties(dormouse_${arg_NAME}_header_only PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
  endif()
  # Built when something links it: the flavour that is not tested is built in the other presets.
  set(unwanted dormouse_${arg_NAME}_header_only)
  if(DORMOUSE_TEST_FLAVOUR STREQUAL "header_only")
    set(unwanted dormouse_${arg_NAME})
  endif()
  set_target_properties(${unwanted} PROPERTIES EXCLUDE_FROM_ALL ON)
  if(arg_HEADERS)
    target_sources(dormouse_${arg_NAME} PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${arg_HEADERS})
  endif()
  add_library(dormouse::${arg_NAME} ALIAS dormouse_${arg_NAME})

  add_library(dormouse_${arg_NAME}_under_test INTERFACE)
  if(DORMOUSE_TEST_FLAVOUR STREQUAL "header_only")
    target_link_libraries(dormouse_${arg_NAME}_under_test INTERFACE dormouse_${arg_NAME}_header_only)
  else()
    target_link_libraries(dormouse_${arg_NAME}_under_test INTERFACE dormouse_${arg_NAME})
  endif()
  set(DORMOUSE_ADAPTERS ${DORMOUSE_ADAPTERS} ${arg_NAME} PARENT_SCOPE)
endfunction()

if(DORMOUSE_SQLITE AND TARGET SQLite::SQLite3)
  # What those below share. Not a component: it has no header that users may include.
  dormouse_add_adapter(NAME sqlite_engine LIBRARIES SQLite::SQLite3 SOURCES
    src/engines/sqlite/commit_queue.cpp
    src/engines/sqlite/connection.cpp
    src/engines/sqlite/engine.cpp
    src/engines/sqlite/opening.cpp
    src/engines/sqlite/owner_lock.cpp
    src/engines/sqlite/reader_pool.cpp
    src/engines/sqlite/result_codes.cpp
    src/engines/sqlite/shared_locks.cpp
    src/engines/sqlite/write_turns.cpp
  )
  # For tests that look inside.
  target_include_directories(dormouse_sqlite_engine_under_test INTERFACE "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(dormouse_sqlite_engine_under_test INTERFACE SQLite::SQLite3)

  dormouse_add_adapter(NAME sqlite ONE_PIECE HEADERS ${DORMOUSE_SQLITE_HEADERS} ENGINES sqlite_engine LIBRARIES SQLite::SQLite3
    SOURCES
    src/adapters/sqlite/guest_rules.cpp
    src/adapters/sqlite/guest_statements.cpp
    src/adapters/sqlite/item_codec.cpp
    src/adapters/sqlite/message_codec.cpp
    src/adapters/sqlite/number_source.cpp
    src/adapters/sqlite/queue_claims.cpp
    src/adapters/sqlite/queue_reader.cpp
    src/adapters/sqlite/queue_sql.cpp
    src/adapters/sqlite/queue_state.cpp
    src/adapters/sqlite/queue_waiting.cpp
    src/adapters/sqlite/queue_writer.cpp
    src/adapters/sqlite/shared_transaction.cpp
    src/adapters/sqlite/sql_words.cpp
    src/adapters/sqlite/sqlite_database.cpp
    src/adapters/sqlite/item_codec.cpp
    src/adapters/sqlite/sqlite_file.cpp
    src/adapters/sqlite/sqlite_queue.cpp
    src/adapters/sqlite/sqlite_table.cpp
    src/adapters/sqlite/table_log.cpp
    src/adapters/sqlite/table_reader.cpp
    src/adapters/sqlite/table_sql.cpp
    src/adapters/sqlite/table_state.cpp
    src/adapters/sqlite/table_tokens.cpp
    src/adapters/sqlite/table_writer.cpp
  )
  # Objects in files, their names in such a file of SQLite's.
  dormouse_add_adapter(NAME filesystem HEADERS ${DORMOUSE_FILESYSTEM_HEADERS} ENGINES sqlite_engine
    LIBRARIES SQLite::SQLite3 SOURCES
    src/adapters/filesystem/blob_files.cpp
    src/adapters/filesystem/check_sum.cpp
    src/adapters/filesystem/filesystem_object_store.cpp
    src/adapters/filesystem/filesystem_store.cpp
    src/adapters/filesystem/object_download.cpp
    src/adapters/filesystem/object_index.cpp
    src/adapters/filesystem/object_record.cpp
  )
endif()
