# What must the machine have? A target the host already made is used as it is; nothing is downloaded.

if(NOT TARGET fmt::fmt)
  find_package(fmt 9 REQUIRED)
endif()
if(NOT TARGET Threads::Threads)
  set(THREADS_PREFER_PTHREAD_FLAG ON)
  find_package(Threads REQUIRED)
endif()

include(${CMAKE_CURRENT_LIST_DIR}/concurrentqueue.cmake)
dormouse_find_concurrentqueue(directory)
if(NOT directory)
  message(FATAL_ERROR "dormouse: concurrentqueue.h not found. Install libconcurrentqueue-dev (Debian) or set "
                      "DORMOUSE_CONCURRENTQUEUE_DIR to the directory that holds it.")
endif()
add_library(dormouse_concurrentqueue INTERFACE)
target_include_directories(dormouse_concurrentqueue SYSTEM INTERFACE "${directory}")

# Optional: dormouse::json exists when it does, and so does dormouse::event_pattern.
if(NOT TARGET nlohmann_json::nlohmann_json)
  find_package(nlohmann_json 3 QUIET)
endif()
if(DORMOUSE_EVENT_PATTERN AND NOT DORMOUSE_EVENT_PATTERN STREQUAL "AUTO" AND NOT TARGET nlohmann_json::nlohmann_json)
  message(FATAL_ERROR "dormouse: DORMOUSE_EVENT_PATTERN is on, and nlohmann-json 3 was not found. Install "
                      "nlohmann-json3-dev (Debian), say where it is with nlohmann_json_DIR, or switch off.")
endif()

# Only for dormouse::time_zones.
if(DORMOUSE_TIME_ZONES AND NOT TARGET date::date-tz)
  find_package(date QUIET)
  if(NOT TARGET date::date-tz AND NOT DORMOUSE_TIME_ZONES STREQUAL "AUTO")
    message(FATAL_ERROR "dormouse: DORMOUSE_TIME_ZONES is on, and Howard Hinnant's date library with its tz part was not "
                        "found. Install libhowardhinnant-date-dev (Debian), say where it is with date_DIR, or switch off.")
  endif()
endif()

# Only for dormouse::sqlite and dormouse::filesystem.
if(DORMOUSE_SQLITE AND NOT TARGET SQLite::SQLite3)
  find_package(SQLite3 3.37 QUIET)
  if(NOT TARGET SQLite::SQLite3 AND NOT DORMOUSE_SQLITE STREQUAL "AUTO")
    message(FATAL_ERROR "dormouse: DORMOUSE_SQLITE is on, and SQLite 3.37 or later was not found. Install libsqlite3-dev "
                        "(Debian), say where it is with SQLite3_INCLUDE_DIR and SQLite3_LIBRARY, or switch off.")
  endif()
endif()
