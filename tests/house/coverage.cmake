# The coverage list: each row must name tests, pages and examples that exist. The names of the tests
# are asked of every test program that this folder's list builds.

# Writes the paths of this folder's test programs into test_programs.txt, one a line.
function(weft_list_test_programs)
  get_property(targets DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)
  set(programs "")
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE" AND NOT target MATCHES "^child_")
      list(APPEND programs $<TARGET_FILE:${target}>)
    endif()
  endforeach()
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/test_programs.txt
    CONTENT "$<JOIN:${programs},\n>\n")
endfunction()
# At the end of the folder, so that programs listed further down are in it.
cmake_language(DEFER CALL weft_list_test_programs)

add_test(NAME house.coverage COMMAND Python3::Interpreter -B
  ${CMAKE_CURRENT_LIST_DIR}/coverage.py --root ${PROJECT_SOURCE_DIR}
  @${CMAKE_CURRENT_BINARY_DIR}/test_programs.txt)
set_tests_properties(house.coverage PROPERTIES LABELS quick TIMEOUT 300)

foreach(selftest IN ITEMS coverage cpp_bodies mutants)
  add_test(NAME house.${selftest}_selftest COMMAND Python3::Interpreter -B
    ${CMAKE_CURRENT_LIST_DIR}/${selftest}_selftest.py)
  set_tests_properties(house.${selftest}_selftest PROPERTIES LABELS quick TIMEOUT 120)
endforeach()

# Builds a small project some thirty times, which takes half a minute.
add_test(NAME house.mutate_selftest COMMAND Python3::Interpreter -B
  ${CMAKE_CURRENT_LIST_DIR}/mutate_selftest.py)
set_tests_properties(house.mutate_selftest PROPERTIES LABELS stress TIMEOUT 600)
