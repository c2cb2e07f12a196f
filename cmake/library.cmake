# What is built? One body of code in two flavours, measuring, the opt-in JSON codec, the time zones, and event patterns.

set(core_headers ${DORMOUSE_PUBLIC_HEADERS} ${DORMOUSE_CONFORMANCE_HEADERS} ${DORMOUSE_DETAIL_HEADERS} ${DORMOUSE_BODIES})

# Bodies compiled once.
add_library(dormouse STATIC src/dormouse.cpp src/services.cpp src/triggers.cpp)
add_library(dormouse::dormouse ALIAS dormouse)
target_sources(dormouse PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${core_headers})
target_compile_features(dormouse PUBLIC cxx_std_20)
target_compile_definitions(dormouse PUBLIC $<$<BOOL:${DORMOUSE_PORTABLE_PLATFORM}>:DORMOUSE_PORTABLE_PLATFORM=1>)
target_link_libraries(dormouse PUBLIC fmt::fmt Threads::Threads
                      PRIVATE $<BUILD_INTERFACE:dormouse_concurrentqueue> $<BUILD_INTERFACE:dormouse_warnings>)
set_target_properties(dormouse PROPERTIES POSITION_INDEPENDENT_CODE ON)
if(PROJECT_IS_TOP_LEVEL AND DORMOUSE_TEST_FLAVOUR STREQUAL "header_only")
  set_target_properties(dormouse PROPERTIES EXCLUDE_FROM_ALL ON)  # the other presets build it
endif()
# So that a program that is linked with --gc-sections gets what it uses: three quarters.
target_compile_options(dormouse PRIVATE $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-ffunction-sections -fdata-sections>)

# Bodies inline; nothing to link but fmt and threads.
add_library(dormouse_header_only INTERFACE)
add_library(dormouse::header_only ALIAS dormouse_header_only)
set_target_properties(dormouse_header_only PROPERTIES EXPORT_NAME header_only)
target_sources(dormouse_header_only INTERFACE FILE_SET HEADERS BASE_DIRS include FILES ${core_headers})
target_compile_features(dormouse_header_only INTERFACE cxx_std_20)
target_compile_definitions(dormouse_header_only INTERFACE DORMOUSE_HEADER_ONLY=1
                           $<$<BOOL:${DORMOUSE_PORTABLE_PLATFORM}>:DORMOUSE_PORTABLE_PLATFORM=1>)
target_link_libraries(dormouse_header_only INTERFACE fmt::fmt Threads::Threads
                      $<BUILD_INTERFACE:dormouse_concurrentqueue> $<INSTALL_INTERFACE:dormouse::concurrentqueue>)

# <dormouse/triggers/time_zones.hpp>; goes beside either flavour: its archive knows nothing of the library's own types.
if(DORMOUSE_TIME_ZONES AND TARGET date::date-tz)
  add_library(dormouse_time_zones STATIC src/time_zones/time_zones.cpp)
  add_library(dormouse::time_zones ALIAS dormouse_time_zones)
  set_target_properties(dormouse_time_zones PROPERTIES EXPORT_NAME time_zones POSITION_INDEPENDENT_CODE ON)
  target_sources(dormouse_time_zones PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${DORMOUSE_TIME_ZONES_HEADERS})
  target_compile_features(dormouse_time_zones PUBLIC cxx_std_20)
  target_include_directories(dormouse_time_zones PRIVATE "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(dormouse_time_zones PRIVATE date::date-tz fmt::fmt $<BUILD_INTERFACE:dormouse_warnings>)
endif()

# <dormouse/event_pattern.hpp>; goes beside either flavour, as the time zones do. The parser is headers only, and nobody
# sees them: who uses the installed archive does not need it.
if(DORMOUSE_EVENT_PATTERN AND TARGET nlohmann_json::nlohmann_json)
  add_library(dormouse_event_pattern STATIC
    src/event_pattern/address_test.cpp
    src/event_pattern/event_pattern.cpp
    src/event_pattern/json_document.cpp
    src/event_pattern/operators.cpp
    src/event_pattern/pattern_compiler.cpp
    src/event_pattern/question.cpp
    src/event_pattern/value_tests.cpp
  )
  add_library(dormouse::event_pattern ALIAS dormouse_event_pattern)
  set_target_properties(dormouse_event_pattern PROPERTIES EXPORT_NAME event_pattern POSITION_INDEPENDENT_CODE ON)
  target_sources(dormouse_event_pattern PUBLIC FILE_SET HEADERS BASE_DIRS include
                 FILES ${DORMOUSE_EVENT_PATTERN_HEADERS})
  target_compile_features(dormouse_event_pattern PUBLIC cxx_std_20)
  target_include_directories(dormouse_event_pattern PRIVATE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(dormouse_event_pattern PRIVATE $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>
                        $<BUILD_INTERFACE:dormouse_warnings>)
endif()

# <dormouse/bench/cold_warm.hpp>; goes beside either flavour, and chooses neither.
add_library(dormouse_bench INTERFACE)
add_library(dormouse::bench ALIAS dormouse_bench)
set_target_properties(dormouse_bench PROPERTIES EXPORT_NAME bench)
target_sources(dormouse_bench INTERFACE FILE_SET HEADERS BASE_DIRS include FILES ${DORMOUSE_BENCH_HEADERS})
target_compile_features(dormouse_bench INTERFACE cxx_std_20)

# <dormouse/json.hpp>; goes beside either flavour, and chooses neither.
if(TARGET nlohmann_json::nlohmann_json)
  add_library(dormouse_json INTERFACE)
  add_library(dormouse::json ALIAS dormouse_json)
  set_target_properties(dormouse_json PROPERTIES EXPORT_NAME json)
  target_sources(dormouse_json INTERFACE FILE_SET HEADERS BASE_DIRS include FILES ${DORMOUSE_JSON_HEADERS})
  target_compile_features(dormouse_json INTERFACE cxx_std_20)
  target_link_libraries(dormouse_json INTERFACE nlohmann_json::nlohmann_json)
endif()
