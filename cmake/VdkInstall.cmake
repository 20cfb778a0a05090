# A relocatable tree: bin/vdk finds ../share/vdk by its own path. The module libraries are installed beside it, so that
# find_package(vdk) gives vdk::vdk.
include(CMakePackageConfigHelpers)

add_library(libvdk INTERFACE)
add_library(vdk::vdk ALIAS libvdk)
set_target_properties(libvdk PROPERTIES EXPORT_NAME vdk)
target_include_directories(libvdk INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/libvdk/include>
                                            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
get_property(modules GLOBAL PROPERTY VDK_MODULE_TARGETS)
target_link_libraries(libvdk INTERFACE ${modules})

install(TARGETS vdk RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
install(TARGETS libvdk vdk_settings vdk_soci ${modules} EXPORT vdk-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/vdk COMPONENT development)
install(DIRECTORY libvdk/include/vdk DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(EXPORT vdk-targets NAMESPACE vdk:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vdk COMPONENT development)
configure_package_config_file(cmake/vdk-config.cmake.in ${PROJECT_BINARY_DIR}/vdk-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vdk)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/vdk-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/vdk-config.cmake ${PROJECT_BINARY_DIR}/vdk-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vdk COMPONENT development)
# The .pc file finds its tree by its own place, however deep the library folder lies (lib, lib/x86_64-linux-gnu).
# vdk's libraries are static: what they need is in Requires and Libs, not in the .private fields.
file(RELATIVE_PATH VDK_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" VDK_PC_PREFIX "${VDK_PC_PREFIX}")
configure_file(cmake/vdk.pc.in ${PROJECT_BINARY_DIR}/vdk.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/vdk.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

install(DIRECTORY plugins/job-sdk DESTINATION ${CMAKE_INSTALL_DATADIR}/vdk COMPONENT runtime
        PATTERN __pycache__ EXCLUDE)
install(DIRECTORY plugins/yaml DESTINATION ${CMAKE_INSTALL_DATADIR}/vdk/plugins COMPONENT runtime)
install(DIRECTORY plugins/ipython DESTINATION ${CMAKE_INSTALL_DATADIR}/vdk COMPONENT runtime
        PATTERN __pycache__ EXCLUDE)
install(DIRECTORY templates DESTINATION ${CMAKE_INSTALL_DATADIR}/vdk COMPONENT runtime)
install(DIRECTORY man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT runtime FILES_MATCHING PATTERN "*.1")
install(FILES completions/vdk.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME vdk
        COMPONENT runtime)
install(FILES completions/_vdk DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT runtime)
install(FILES completions/vdk.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT runtime)

set(CPACK_GENERATOR "DEB;TXZ")
set(CPACK_PACKAGE_NAME vdk)
set(CPACK_PACKAGE_CONTACT "vdk developers <developers@vdk.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# libgit2, libarchive and libcurl are loaded at run time, so dpkg-shlibdeps cannot see them.
string(REGEX MATCH "^[0-9]+\\.[0-9]+" VDK_LIBGIT2_ABI "${libgit2_VERSION}")
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libgit2-${VDK_LIBGIT2_ABI}, libarchive13")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "python3, python3-venv, libcurl4, libpq5, git")
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_COMPONENTS_ALL runtime)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
include(CPack)
