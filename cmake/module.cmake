# module(name [PURE] [SOURCES ...] [HEADERS ...] [USES ...])
#   One static library per folder. PURE: no allocation, I/O, clock, entropy, writable global, thread;
#   a test reads the archive's symbols and holds it to that. HEADERS are compiled alone by a test.
#   USES: modules or libraries that this one links, nothing more.
# program(name SOURCES ... USES ...)                  of the target `programs`, or of `planted` with a bug in it
# unit_test(name SOURCES ... USES ... [LABELS ...])   a cmocka program, label "unit" by default
# fuzz_target(name SOURCES ... USES ... CORPUS dir)    replays its corpus as a test (label "fuzz");
#   under OTARIA_FUZZ also a libFuzzer program.

# Of a test that takes long under the sanitizer of addresses, where others look at the same code: it runs with
# `ctest -C long` there, as in ./check --long, and in other builds always.
set(OTARIA_LONG)
if(CMAKE_C_FLAGS MATCHES "-fsanitize=address")
    set(OTARIA_LONG CONFIGURATIONS long)
endif()

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(OTARIA_CCACHE ccache)
if(OTARIA_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${OTARIA_CCACHE})
endif()

# lld links the many test programs in a sixth of the time that GNU ld takes.
find_program(OTARIA_LLD ld.lld)
if(OTARIA_LLD AND NOT OTARIA_BARE)
    add_link_options(-fuse-ld=lld)
endif()

# What every target of ours is compiled with: a target of its own instead of global flags.
add_library(house INTERFACE)
target_include_directories(house INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(house INTERFACE
    -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
    -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough -Wredundant-decls -Wold-style-definition
    -fno-common -fno-strict-aliasing
    # texts for people are cut on purpose
    $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>
    $<$<BOOL:${OTARIA_WERROR}>:-Werror>)
target_compile_definitions(house INTERFACE _POSIX_C_SOURCE=200809L)

add_custom_target(programs)
add_custom_target(planted)
set_property(GLOBAL PROPERTY OTARIA_PURE "")
set_property(GLOBAL PROPERTY OTARIA_HEADERS "")

function(module name)
    cmake_parse_arguments(M "PURE" "" "SOURCES;HEADERS;USES" ${ARGN})
    if(OTARIA_BARE AND NOT M_PURE)
        return()
    endif()
    add_library(${name} STATIC ${M_SOURCES})
    target_link_libraries(${name} PUBLIC house ${M_USES})
    if(M_PURE)
        set_property(GLOBAL APPEND PROPERTY OTARIA_PURE ${name})
    endif()
    foreach(header ${M_HEADERS})
        set_property(GLOBAL APPEND PROPERTY OTARIA_HEADERS ${CMAKE_CURRENT_SOURCE_DIR}/${header})
    endforeach()
endfunction()

function(program name)
    if(OTARIA_BARE)
        return()
    endif()
    cmake_parse_arguments(P "" "" "SOURCES;USES" ${ARGN})
    add_executable(${name} ${P_SOURCES})
    target_link_libraries(${name} PRIVATE house ${P_USES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
    if(name MATCHES "-bug-")
        add_dependencies(planted ${name})
    else()
        add_dependencies(programs ${name})
    endif()
endfunction()

function(unit_test name)
    cmake_parse_arguments(T "" "" "SOURCES;USES;LABELS" ${ARGN})
    if(NOT T_LABELS)
        set(T_LABELS unit)
    endif()
    add_executable(${name} ${T_SOURCES})
    target_link_libraries(${name} PRIVATE house ${T_USES} check_failed cmocka)
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS "${T_LABELS}" TIMEOUT 300)
endfunction()

function(fuzz_target name)
    cmake_parse_arguments(F "" "CORPUS" "SOURCES;USES" ${ARGN})
    add_executable(${name} ${F_SOURCES})
    target_link_libraries(${name} PRIVATE house ${F_USES} check_failed)
    if(OTARIA_FUZZ)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/lib/fuzz_replay.c)
        target_link_libraries(${name} PRIVATE base)
    endif()
    add_test(NAME ${name} COMMAND ${name} ${F_CORPUS} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    if(OTARIA_FUZZ)
        set_tests_properties(${name} PROPERTIES DISABLED TRUE)
    endif()
    set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 60)
endfunction()
