# One function for each kind of target, so that all of a kind get the same flags. Every function
# takes SOURCES, written out.

# Language level, visibility, warnings and sanitizers of one target.
function(weft_set_defaults target)
  set_target_properties(${target} PROPERTIES
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if(WEFT_SANITIZE)
    # vptr opens a pipe to see whether memory can be read, and takes it for a fault when a test has
    # used up the descriptors.
    target_compile_options(${target} PRIVATE -fsanitize=${WEFT_SANITIZE} -fno-sanitize=vptr
      -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${WEFT_SANITIZE})
  endif()
  if(PROJECT_IS_TOP_LEVEL)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
      $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
    set_target_properties(${target} PROPERTIES COMPILE_WARNING_AS_ERROR ${WEFT_WERROR})
  endif()
endfunction()

# Tests hold locks in the ways that the thread-safety analysis is there to refuse: one thread acquires
# and another releases, or nobody does. What they test is optimised in full, they themselves are not:
# with GoogleTest's headers that takes longer than all else. (GCC's guess at what may be uninitialised is
# worth nothing at -O1.)
function(weft_set_test_defaults target)
  weft_set_defaults(${target})
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>
    $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:-Wno-maybe-uninitialized>
    $<$<AND:$<BOOL:${PROJECT_IS_TOP_LEVEL}>,$<CXX_COMPILER_ID:Clang>>:-Wno-thread-safety>)
endfunction()

# weft_use_headers_of(<target> <package target>): a package's headers for our own sources, without a trace
# in what users link.
function(weft_use_headers_of target package)
  target_include_directories(${target} SYSTEM PRIVATE
    $<TARGET_PROPERTY:${package},INTERFACE_INCLUDE_DIRECTORIES>)
endfunction()

# weft_add_child(<name> SOURCES ... [LIBRARIES ...] [MODULE])
# A child program for tests (MODULE: a plugin that tests load). A test finds it through
# weft::test::child_path("<name>") and names it under CHILDREN, which is what builds it.
function(weft_add_child name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "MODULE" "" "SOURCES;LIBRARIES")
  if(arg_MODULE)
    add_library(child_${name} MODULE ${arg_SOURCES})
    set_target_properties(child_${name} PROPERTIES PREFIX "" SUFFIX "")
  else()
    add_executable(child_${name} ${arg_SOURCES})
  endif()
  weft_set_test_defaults(child_${name})
  target_include_directories(child_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(child_${name} PRIVATE weft::weft ${arg_LIBRARIES})
  set_target_properties(child_${name} PROPERTIES OUTPUT_NAME ${name} EXCLUDE_FROM_ALL ON
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/children
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/children)
endfunction()

# weft_add_test(<name> SOURCES ... [LABELS ...] [CHILDREN ...] [LIBRARIES ...] [TIMEOUT <s>] [OWN_MAIN]
#               [INTERNAL])
# A GoogleTest program; each of its cases is a test of ctest. Labels: quick (what is left out gets it),
# threads, stress, fork, misuse, install, model. OWN_MAIN: the sources have a main of their own.
# INTERNAL: it calls what a shared library hides, so it is left out there.
function(weft_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "OWN_MAIN;INTERNAL" "TIMEOUT" "SOURCES;LABELS;CHILDREN;LIBRARIES")
  if(arg_INTERNAL AND BUILD_SHARED_LIBS)
    return()
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS quick)
  elseif(NOT "stress" IN_LIST arg_LABELS)
    list(APPEND arg_LABELS quick)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  if(WEFT_SANITIZE MATCHES "thread")
    # Only tests of threads, without those that it cannot follow over a fork or whose operator new
    # stands against its own.
    if("fork" IN_LIST arg_LABELS OR "weft_test_faults" IN_LIST arg_LIBRARIES)
      set_property(GLOBAL APPEND PROPERTY WEFT_LEFT_OUT ${name})
      return()
    elseif(NOT "threads" IN_LIST arg_LABELS)
      return()
    endif()
  endif()
  add_executable(${name} ${arg_SOURCES})
  weft_set_test_defaults(${name})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} weft_test_support)
  if(NOT arg_OWN_MAIN)
    target_link_libraries(${name} PRIVATE weft_test_main)
  endif()
  target_precompile_headers(${name} REUSE_FROM weft_test_headers)
  foreach(child IN LISTS arg_CHILDREN)
    add_dependencies(${name} child_${child})
  endforeach()
  gtest_discover_tests(${name}
    TEST_LIST ${name}_cases DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${arg_TIMEOUT})
  # A list cannot be handed through gtest_discover_tests, so the labels are set by a script that
  # ctest reads after the cases are known.
  set(labels_file ${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake)
  file(CONFIGURE OUTPUT ${labels_file} @ONLY
    CONTENT "set_tests_properties(\${@name@_cases} PROPERTIES LABELS \"@arg_LABELS@\")\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${labels_file})
endfunction()

# weft_add_example(<name> [LIBRARIES ...] [ARGUMENTS ...])
# examples/<name>.cpp, also run as the test example.<name>: it must check its own output.
function(weft_add_example name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBRARIES;ARGUMENTS")
  add_executable(example_${name} ${name}.cpp)
  weft_set_defaults(example_${name})
  target_link_libraries(example_${name} PRIVATE weft::weft ${arg_LIBRARIES})
  set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name})
  add_test(NAME example.${name} COMMAND example_${name} ${arg_ARGUMENTS})
  set_tests_properties(example.${name} PROPERTIES LABELS "quick;example;threads" TIMEOUT 120)
endfunction()

# weft_add_benchmark(<name> SOURCES ... [LIBRARIES ...])
function(weft_add_benchmark name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  add_executable(${name} ${arg_SOURCES})
  weft_set_defaults(${name})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/bench)
  target_link_libraries(${name} PRIVATE
    weft::weft benchmark::benchmark benchmark::benchmark_main ${arg_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY WEFT_BENCHMARKS ${name})
endfunction()

# weft_add_fuzzer(<name> SOURCES ... [LIBRARIES ...])
# A target with LLVMFuzzerTestOneInput. Clang makes a fuzzer of it; any compiler makes a program that
# replays the inputs kept in fuzz/corpus/<name>, which is a quick test.
function(weft_add_fuzzer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  add_executable(${name} ${arg_SOURCES})
  weft_set_defaults(${name})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/fuzz)
  target_link_libraries(${name} PRIVATE weft::weft ${arg_LIBRARIES})
  if(WEFT_LIBFUZZER)
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set(replay -runs=0 -timeout=20 ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
  else()
    target_link_libraries(${name} PRIVATE weft_fuzz_replay)
    set(replay ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
  endif()
  set_property(GLOBAL APPEND PROPERTY WEFT_FUZZERS ${name})
  if(WEFT_BUILD_TESTS)
    add_test(NAME fuzz.${name} COMMAND ${name} ${replay})
    set_tests_properties(fuzz.${name} PROPERTIES LABELS "quick;fuzz" TIMEOUT 120)
  endif()
endfunction()

# weft_add_misuse(<name> SOURCE <file> EXPECT <regex> [COMPILER <path>] [OPTIONS <option>...])
# Code that must not compile: the test misuse.<name> passes when the compiler refuses it with a message
# that matches. Compiled as it would be by a user, without our flags.
function(weft_add_misuse name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SOURCE;EXPECT;COMPILER" "OPTIONS")
  if(NOT arg_COMPILER)
    set(arg_COMPILER ${CMAKE_CXX_COMPILER})
  endif()
  list(JOIN arg_OPTIONS "|" options)
  add_test(NAME misuse.${name} COMMAND ${CMAKE_COMMAND}
    -D COMPILER=${arg_COMPILER}
    -D OPTIONS=${options}
    -D SOURCE=${CMAKE_CURRENT_SOURCE_DIR}/${arg_SOURCE}
    -D INCLUDES=${PROJECT_SOURCE_DIR}/include|${PROJECT_SOURCE_DIR}/tests
    -D EXPECT=${arg_EXPECT}
    -P ${PROJECT_SOURCE_DIR}/cmake/expect_refusal.cmake)
  set_tests_properties(misuse.${name} PROPERTIES LABELS "quick;misuse" TIMEOUT 120)
endfunction()
