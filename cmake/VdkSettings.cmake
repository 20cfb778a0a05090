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
