# The modules of libvdk and the arrows between them. A module is an object library, so that the one installed library
# and every test link the same objects.

# A module control_server lives in libvdk/control/server.
set(VDK_ALL_MODULES core config auth job run control control_remote control_server target plugin)

# With VDK_ONLY=<module> just that module and what it needs is configured: quick builds while working on one part.
set(VDK_ONLY "" CACHE STRING "Configure only this module and its dependencies")
set(VDK_NEEDS_core "")
set(VDK_NEEDS_config core)
set(VDK_NEEDS_auth config core)
set(VDK_NEEDS_job config core)
set(VDK_NEEDS_run job config core)
set(VDK_NEEDS_control job config core)
set(VDK_NEEDS_control_remote control job config core)
set(VDK_NEEDS_control_server control auth job config core)
set(VDK_NEEDS_target job config core)
set(VDK_NEEDS_plugin auth job config core)

function(vdk_selected_modules out)
  if(VDK_ONLY STREQUAL "" OR VDK_ONLY STREQUAL "cli")
    set(${out} ${VDK_ALL_MODULES} PARENT_SCOPE)
  else()
    set(modules ${VDK_NEEDS_${VDK_ONLY}} ${VDK_ONLY})
    set(${out} ${modules} PARENT_SCOPE)
  endif()
endfunction()

# vdk_module(NAME SOURCES ... [DEPENDS module ...] [LIBRARIES target ...])
function(vdk_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  add_library(vdk_${name} STATIC ${ARG_SOURCES})
  target_include_directories(
    vdk_${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/libvdk/include>
    PRIVATE ${PROJECT_SOURCE_DIR}/libvdk)
  foreach(dependency IN LISTS ARG_DEPENDS)
    target_link_libraries(vdk_${name} PUBLIC vdk_${dependency})
  endforeach()
  target_link_libraries(vdk_${name} PRIVATE ${ARG_LIBRARIES} vdk_settings)
  vdk_precompiled(vdk_${name} vdk_standard_headers)
  set_property(GLOBAL APPEND PROPERTY VDK_MODULE_TARGETS vdk_${name})
endfunction()

# vdk_unit_test(NAME SOURCES ... [LIBRARIES target ...]): one doctest program per module, named unit_NAME.
function(vdk_unit_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(unit_${name} ${ARG_SOURCES})
  target_include_directories(unit_${name} PRIVATE ${PROJECT_SOURCE_DIR}/libvdk ${PROJECT_SOURCE_DIR}/tests/unit)
  target_compile_definitions(unit_${name} PRIVATE VDK_TESTS="${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(unit_${name} PRIVATE vdk_${name} vdk_doctest_main vdk_settings ${ARG_LIBRARIES})
  vdk_precompiled(unit_${name} vdk_doctest_headers)
  add_test(NAME unit.${name} COMMAND unit_${name})
  set_tests_properties(unit.${name} PROPERTIES TIMEOUT 300)
endfunction()
