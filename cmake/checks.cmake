# The checks of tools/ as tests, label "tidy". They look at sources and symbols, so builds with
# instrumentation, whose symbols are not ours, leave them out. Each check has a test of its own that
# it does report what is wrong.

if(CMAKE_C_FLAGS MATCHES "-fsanitize|-fcoverage")
    return()
endif()

function(tidy_test name)
    add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
    set_tests_properties(${name} PROPERTIES LABELS tidy TIMEOUT 300)
endfunction()

set(tools ${CMAKE_SOURCE_DIR}/tools)
set(cases ${CMAKE_SOURCE_DIR}/tests/tidy)

tidy_test(tidy_sources ${tools}/tidy)
tidy_test(tidy_sources_can_fail ${tools}/refuses ${cases}/expected.txt
    ${tools}/tidy --root ${cases}/tree --no-format)

get_property(pure GLOBAL PROPERTY OTARIA_PURE)
list(TRANSFORM pure REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE archives)
tidy_test(tidy_pure ${tools}/pure ${archives})
add_library(impure STATIC ${cases}/pure/impure.c)
set_target_properties(impure PROPERTIES ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
tidy_test(tidy_pure_can_fail ${tools}/refuses ${cases}/pure/expected.txt ${tools}/pure libimpure.a)

get_property(headers GLOBAL PROPERTY OTARIA_HEADERS)
list(TRANSFORM headers REPLACE "^${CMAKE_SOURCE_DIR}/" "")
tidy_test(tidy_headers ${tools}/headers ${CMAKE_C_COMPILER} ${headers})
tidy_test(tidy_headers_can_fail ${tools}/headers ${CMAKE_C_COMPILER} tests/tidy/incomplete.h)
set_tests_properties(tidy_headers_can_fail PROPERTIES WILL_FAIL TRUE)

# That clang-tidy itself works and is heard; the sources are judged by ./check.
tidy_test(tidy_lint_can_fail sh -c
    "! said=$(${tools}/lint --root ${cases}/lint) && echo \"$said\" | grep -q 'careless.c:9:.*NonNullParamChecker'")

tidy_test(tidy_bare ${tools}/bare ${CMAKE_BINARY_DIR}/bare)

# The protocol as models, in small; ./check --long does the rest.
set(models ${CMAKE_SOURCE_DIR}/tests/proof/models)
add_test(NAME tidy_models COMMAND ${tools}/models --quick ${models}/operation.pml ${models}/notification.pml ${models}/outbox.pml
    ${models}/campaign.pml
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(tidy_models PROPERTIES LABELS tidy TIMEOUT 300)

tidy_test(tidy_figures python3 ${cases}/test_figures.py)
tidy_test(tidy_tools python3 ${cases}/test_tools.py)
tidy_test(tidy_security python3 ${cases}/test_security.py)
tidy_test(tidy_inventory python3 ${cases}/test_inventory.py)
tidy_test(tidy_asvs python3 ${cases}/test_asvs.py)
if(CMAKE_C_FLAGS MATCHES "-O2")
    tidy_test(tidy_wiped python3 ${cases}/test_wiped.py ${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER})
endif()

# What the excuses, goals and planted bugs of ./check --long are about must still be there.
foreach(tool IN ITEMS "mutate --excuses" "prove --fits")
    string(REPLACE " " ";" command ${tool})
    list(GET command 0 name)
    add_test(NAME tidy_${name} COMMAND ${tools}/${command} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(tidy_${name} PROPERTIES LABELS tidy TIMEOUT 60)
endforeach()

# What the programs load, and that none of it is older than what was tested.
tidy_test(tidy_components ${tools}/components ${CMAKE_BINARY_DIR}/bin)
