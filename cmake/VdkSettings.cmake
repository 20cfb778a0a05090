# Settings for our own code only; BUILD_INTERFACE keeps them from travelling to somebody who links vdk::vdk.
add_library(vdk_settings INTERFACE)
target_compile_options(vdk_settings INTERFACE
  # designated initializers leave out fields on purpose: -Wno-missing-field-initializers
  # g++ 12 sees overlapping copies in std::string that are not there (GCC bug 105651): -Wno-restrict
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual -Wno-missing-field-initializers -Wno-restrict
  $<$<CXX_COMPILER_ID:Clang>:-Wno-unknown-warning-option>
  $<$<BOOL:${VDK_DEVELOPER}>:-Werror>)
target_compile_definitions(vdk_settings INTERFACE VDK_VERSION="${PROJECT_VERSION}")
if(MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_link_options(vdk_settings INTERFACE $<BUILD_INTERFACE:-fuse-ld=mold>)
endif()
target_link_options(vdk_settings INTERFACE $<BUILD_INTERFACE:-Wl,--as-needed>)
if(VDK_SANITIZE)
  add_compile_options(-fsanitize=${VDK_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${VDK_SANITIZE})
  if(VDK_SANITIZE MATCHES undefined)
    # A finding must fail the test. SOCI hides the type information that the vptr check wants to link against.
    add_compile_options(-fno-sanitize=vptr -fno-sanitize-recover=undefined)
  endif()
endif()
if(VDK_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address)
  add_link_options(-fsanitize=address)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT VDK_SANITIZE)
  add_compile_definitions(_FORTIFY_SOURCE=2)
  add_compile_options(-fstack-protector-strong)
endif()

# Release builds start from nothing and must be quick: the standard library is parsed once, and the compiler does not
# collect its garbage in files full of templates. Debug builds have neither, so that a missing #include is seen there.
set(VDK_PRECOMPILE OFF)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT VDK_SANITIZE)
  set(VDK_PRECOMPILE ON)
  # From precompiled headers g++ 12 reports the same overlaps in std::string, which are not there, under other names.
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:--param=ggc-min-heapsize=500000;-Wno-array-bounds;-Wno-stringop-overflow>")
  if(CCACHE)
    # It keeps what was compiled from precompiled headers only when it is told so.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  endif()
endif()
# vdk_precompiled(target owner): the target starts from the precompiled headers of the owner, which has no macro that the
# target lacks: the compiler refuses them otherwise.
function(vdk_precompiled target owner)
  if(VDK_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${owner})
  endif()
endfunction()

# vdk_precompiled_headers(name [header ...]): an owner, with the usual part of the standard library and these.
function(vdk_precompiled_headers name)
  if(VDK_PRECOMPILE)
    file(CONFIGURE OUTPUT ${name}.cpp CONTENT "")
    add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
    target_link_libraries(${name} PRIVATE vdk_settings)
    target_precompile_headers(${name} PRIVATE <algorithm> <array> <atomic> <chrono> <filesystem> <functional> <map> <memory>
                              <optional> <set> <string> <string_view> <thread> <utility> <vector> ${ARGN})
  endif()
endfunction()
