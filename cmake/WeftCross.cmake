# A cross build's packages: there are none for the other processor, but what we need of them is headers,
# which are the same for all, and GoogleTest, whose source Debian installs.

# weft_borrow_headers(<target> <file or folder of the host's include folder>): a header-only package
# through a folder that holds nothing else, so that the host's own headers are not seen with it.
function(weft_borrow_headers target name)
  find_path(folder_of_${name} ${name} PATHS /usr/include NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH REQUIRED)
  set(borrowed ${PROJECT_BINARY_DIR}/borrowed/${name})
  file(MAKE_DIRECTORY ${borrowed})
  file(CREATE_LINK ${folder_of_${name}}/${name} ${borrowed}/${name} SYMBOLIC)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} INTERFACE ${borrowed})
endfunction()

weft_borrow_headers(fmt::fmt-header-only fmt)
target_compile_definitions(fmt::fmt-header-only INTERFACE FMT_HEADER_ONLY=1)
weft_borrow_headers(Boost::headers boost)
if(WEFT_BUILD_TOOLS)
  weft_borrow_headers(CLI11::CLI11 CLI)
endif()
if(WEFT_BUILD_TESTS)
  set(INSTALL_GTEST OFF CACHE BOOL "" FORCE)
  add_subdirectory(/usr/src/googletest ${PROJECT_BINARY_DIR}/googletest EXCLUDE_FROM_ALL SYSTEM)
  foreach(library gtest gmock gtest_main gmock_main)
    if(NOT TARGET GTest::${library})
      add_library(GTest::${library} ALIAS ${library})
    endif()
  endforeach()
endif()
