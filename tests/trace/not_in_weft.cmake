# The library itself neither defines nor asks for what -finstrument-functions calls: who does not link
# weft::trace pays nothing. Run with -D NM= -D WEFT= -D TRACE=, the two libraries.
foreach(library ${WEFT} ${TRACE})
  execute_process(COMMAND ${NM} ${library} OUTPUT_VARIABLE symbols RESULT_VARIABLE status)
  if(NOT status EQUAL 0 OR NOT symbols MATCHES "4weft")
    message(FATAL_ERROR "${NM} says nothing of ${library}")
  endif()
  if(library STREQUAL WEFT AND symbols MATCHES "__cyg_profile[^\n]*|[^\n]*N4weft5trace[^\n]*")
    message(FATAL_ERROR "${library} knows of tracing's own library: ${CMAKE_MATCH_0}")
  endif()
endforeach()
# That the search can find something.
foreach(function enter exit)
  if(NOT symbols MATCHES " T __cyg_profile_func_${function}")
    message(FATAL_ERROR "${TRACE} does not define __cyg_profile_func_${function}")
  endif()
endforeach()
