# What can be chosen when Weft is configured. As a guest in another build (add_subdirectory) only the
# library is built, no flag is set, and no build type is chosen: those are the host's.

option(WEFT_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(WEFT_BUILD_EXAMPLES "Build the examples (with tests: run them too)" ${PROJECT_IS_TOP_LEVEL})
option(WEFT_BUILD_TOOLS "Build the command-line program weft" ${PROJECT_IS_TOP_LEVEL})
option(WEFT_BUILD_FUZZERS "Build the fuzzers: for libFuzzer with Clang, to replay inputs otherwise"
  ${PROJECT_IS_TOP_LEVEL})
option(WEFT_BUILD_BENCHMARKS "Build the benchmarks" OFF)
option(WEFT_INSTALL "Install library, headers and package files" ${PROJECT_IS_TOP_LEVEL})
option(WEFT_WERROR "Make warnings errors" OFF)
set(WEFT_SANITIZE "" CACHE STRING
  "Sanitizers for everything that is built here, as in -fsanitize= (address,undefined or thread)")

if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

option(BUILD_SHARED_LIBS "Build a shared library instead of a static one" OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

# ccache, when there is one: paths are taken relative to this folder, so that several checkouts share
# one cache, and precompiled headers are followed by content.
find_program(WEFT_CCACHE ccache)
mark_as_advanced(WEFT_CCACHE)
if(WEFT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_ctime,include_file_mtime ${WEFT_CCACHE})
endif()
