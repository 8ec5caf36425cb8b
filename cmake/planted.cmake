# planted_source(variable name source TEXT text BECOMES text): a copy of the source with the text replaced, a bug planted
# on purpose that a test must find; its path is in the variable. A source in which the text no longer stands once stops
# the configuration.
function(planted_source variable name source)
    cmake_parse_arguments(PARSE_ARGV 3 B "" "TEXT;BECOMES" "")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${source})
    file(READ ${CMAKE_SOURCE_DIR}/${source} content)
    string(FIND "${content}" "${B_TEXT}" first)
    string(FIND "${content}" "${B_TEXT}" last REVERSE)
    if(first EQUAL -1 OR NOT first EQUAL last)
        message(FATAL_ERROR "planted bug ${name}: its text does not stand exactly once in ${source}")
    endif()
    string(REPLACE "${B_TEXT}" "${B_BECOMES}" content "${content}")
    file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/bug_${name}.c CONTENT "${content}" @ONLY)
    # A bug may leave a function without a caller; nobody looks into these programs with a debugger.
    set_source_files_properties(${CMAKE_CURRENT_BINARY_DIR}/bug_${name}.c PROPERTIES COMPILE_OPTIONS "-w;-g0")
    set(${variable} ${CMAKE_CURRENT_BINARY_DIR}/bug_${name}.c PARENT_SCOPE)
endfunction()
