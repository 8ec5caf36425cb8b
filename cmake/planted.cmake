# planted_source(variable name source TEXT text BECOMES text [ALSO text ALSO_BECOMES text]): a copy of the source with the
# text replaced, and the other one, a bug planted on purpose that a test must find; its path is in the variable. A source in
# which a text no longer stands once stops the configuration.
function(planted_source variable name source)
    cmake_parse_arguments(PARSE_ARGV 3 B "" "TEXT;BECOMES;ALSO;ALSO_BECOMES" "")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${source})
    file(READ ${CMAKE_SOURCE_DIR}/${source} content)
    planted_text(content "${name}: its text" "${B_TEXT}" "${B_BECOMES}")
    if(NOT "${B_ALSO}" STREQUAL "")
        planted_text(content "${name}: its other text" "${B_ALSO}" "${B_ALSO_BECOMES}")
    endif()
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/bug_${name}.c CONTENT "${content}" @ONLY)
    # A bug may leave a function without a caller; nobody looks into these programs with a debugger.
    set_source_files_properties(${CMAKE_CURRENT_BINARY_DIR}/bug_${name}.c PROPERTIES COMPILE_OPTIONS "-w;-g0")
    set(${variable} ${CMAKE_CURRENT_BINARY_DIR}/bug_${name}.c PARENT_SCOPE)
endfunction()

function(planted_text variable what text becomes)
    string(FIND "${${variable}}" "${text}" first)
    string(FIND "${${variable}}" "${text}" last REVERSE)
    if(first EQUAL -1 OR NOT first EQUAL last)
        message(FATAL_ERROR "planted bug ${what} does not stand exactly once in its source")
    endif()
    string(REPLACE "${text}" "${becomes}" content "${${variable}}")
    set(${variable} "${content}" PARENT_SCOPE)
endfunction()
