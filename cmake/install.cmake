# What does `cmake --install` leave behind? Headers, the archive, a CMake package and a pkg-config file; all relative
# to the prefix, so it may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/dormouse")

install(TARGETS dormouse dormouse_header_only dormouse_bench EXPORT dormouse-targets FILE_SET HEADERS)
install(EXPORT dormouse-targets NAMESPACE dormouse:: DESTINATION "${package_dir}")
if(TARGET dormouse_json)
  install(TARGETS dormouse_json EXPORT dormouse-json-targets FILE_SET HEADERS)
  install(EXPORT dormouse-json-targets NAMESPACE dormouse:: DESTINATION "${package_dir}")
endif()
if(TARGET dormouse_time_zones)
  install(TARGETS dormouse_time_zones EXPORT dormouse-time_zones-targets FILE_SET HEADERS)
  install(EXPORT dormouse-time_zones-targets NAMESPACE dormouse:: DESTINATION "${package_dir}")
endif()

configure_package_config_file(cmake/dormouse-config.cmake.in dormouse-config.cmake INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(dormouse-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/dormouse-config.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/dormouse-config-version.cmake" cmake/concurrentqueue.cmake
        DESTINATION "${package_dir}")

# pkg-config knows where its own file lies; the way from there to the prefix is all it needs.
file(RELATIVE_PATH dormouse_pc_to_prefix "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
set(dormouse_pc_definitions)
if(DORMOUSE_PORTABLE_PLATFORM)
  set(dormouse_pc_definitions " -DDORMOUSE_PORTABLE_PLATFORM=1")
endif()
configure_file(cmake/dormouse.pc.in dormouse.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/dormouse.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
if(TARGET dormouse_time_zones)
  configure_file(cmake/dormouse-time_zones.pc.in dormouse-time_zones.pc @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/dormouse-time_zones.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endif()
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
