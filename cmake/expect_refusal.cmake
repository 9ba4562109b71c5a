# Compiles SOURCE and passes when the compiler refuses it with an error that matches EXPECT.
cmake_minimum_required(VERSION 3.25)
string(REPLACE "|" ";" INCLUDES "${INCLUDES}")
list(TRANSFORM INCLUDES PREPEND -I)
string(REPLACE "|" ";" OPTIONS "${OPTIONS}")
execute_process(
  COMMAND ${COMPILER} -std=c++20 -fsyntax-only ${OPTIONS} ${INCLUDES} ${SOURCE}
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles, but must not")
endif()
string(REGEX MATCHALL "error: [^\n]*" errors "${output}")
if(NOT errors MATCHES "${EXPECT}")
  message(FATAL_ERROR "${SOURCE} is refused, but not with \"${EXPECT}\":\n${output}")
endif()
message(STATUS "refused as it should be")
