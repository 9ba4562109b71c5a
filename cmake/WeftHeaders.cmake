# weft_add_header_checks(<name> <main.cpp>): a program into which is compiled every installed header
# - alone, twice in one unit, as C++20; all such units link into one program, so a function that lacks
#   its inline is found too;
# - all together and in the reverse order, as GNU C++20 and as users of the shared library see them;
# - all together after <cstdio>, <cerrno>, <sys/sysmacros.h>, and after the macros of windows.h, in
#   both languages.
# Standard headers come before the macros: they are not ours to protect.
function(weft_add_header_checks name main)
  get_property(headers GLOBAL PROPERTY WEFT_PUBLIC_HEADERS)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name}.units)

  set(alone "")
  foreach(header IN LISTS headers)
    string(MAKE_C_IDENTIFIER ${header} identifier)
    set(unit ${folder}/alone_${identifier}.cpp)
    file(CONFIGURE OUTPUT ${unit} CONTENT "#include <${header}>\n#include <${header}>\n")
    list(APPEND alone ${unit})
  endforeach()

  list(TRANSFORM headers REPLACE "(.+)" "#include <\\1>\n" OUTPUT_VARIABLE forward)
  list(REVERSE headers)
  list(TRANSFORM headers REPLACE "(.+)" "#include <\\1>\n" OUTPUT_VARIABLE backward)
  string(JOIN "" forward ${forward})
  string(JOIN "" backward ${backward})
  weft_collect_foreign_includes(foreign ${headers})
  set(clutter "#include <house/headers/windows_macros.hpp>\n")
  file(CONFIGURE OUTPUT ${folder}/together.cpp CONTENT "${forward}")
  file(CONFIGURE OUTPUT ${folder}/backward.cpp CONTENT "${backward}")
  file(CONFIGURE OUTPUT ${folder}/system_macros.cpp
    CONTENT "#include <cstdio>\n#include <cerrno>\n#include <sys/sysmacros.h>\n${forward}")
  file(CONFIGURE OUTPUT ${folder}/windows_macros.cpp CONTENT "${foreign}${clutter}${forward}")
  set(company
    ${folder}/system_macros.cpp ${folder}/windows_macros.cpp ${folder}/together.cpp)

  add_library(${name}_gnu OBJECT ${company} ${folder}/backward.cpp)
  add_executable(${name} ${main} ${alone} ${company} $<TARGET_OBJECTS:${name}_gnu>)
  foreach(target ${name} ${name}_gnu)
    weft_set_defaults(${target})
    target_compile_options(${target} PRIVATE -O0 -g0)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(${target} PRIVATE weft::weft)
  endforeach()
  set_target_properties(${name}_gnu PROPERTIES CXX_EXTENSIONS ON)
  target_compile_options(${name}_gnu PRIVATE -UWEFT_STATIC_DEFINE)
endfunction()

# The #include lines of these headers that name neither Weft's headers nor a file of its own.
function(weft_collect_foreign_includes result)
  set(lines "")
  foreach(header IN LISTS ARGN)
    set(file ${PROJECT_SOURCE_DIR}/include/${header})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(STRINGS ${file} found REGEX "^ *#include <")
    list(FILTER found EXCLUDE REGEX "<weft/")
    list(APPEND lines ${found})
  endforeach()
  list(REMOVE_DUPLICATES lines)
  list(SORT lines)
  list(TRANSFORM lines APPEND "\n")
  string(JOIN "" lines ${lines})
  set(${result} "${lines}" PARENT_SCOPE)
endfunction()
