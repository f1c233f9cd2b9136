# Fuzz targets: a C file that defines `fuzz_target` (fuzz.h), and the programs made of it.

set(MEMFS_FUZZ_SECONDS 30 CACHE STRING "How long each fuzz target runs under libFuzzer in a test")

# memfs_add_fuzz_target(NAME <name> SOURCES <file>... [LIBRARIES <target>...] [LABELS <label>...]
#                       [RUNS <n>] [SECONDS <n>] [TIMEOUT <seconds>])
#
# The replay driver <name>, and a test of this name that takes the seeds and the inputs derived from
# them, RUNS in all (1000 unless given); it has the label `fuzz` too, and memfs_add_run() can run it
# once more.  Where MEMFS_SANITIZE has `fuzzer-no-link` (the preset `fuzz`), also <name>_libfuzzer,
# and a test of this name that runs it for MEMFS_FUZZ_SECONDS (or SECONDS, if that is more),
# beginning with the seeds and what earlier runs found (corpus/<name> in the build directory).  What
# it finds wrong is left in corpus/<name>.found-..., to be given to <name>.
function(memfs_add_fuzz_target)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;RUNS;SECONDS;TIMEOUT"
        "SOURCES;LIBRARIES;LABELS")
    if(NOT arg_NAME OR NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "memfs_add_fuzz_target: NAME and SOURCES are needed; "
            "not understood: '${arg_UNPARSED_ARGUMENTS}'")
    endif()
    if(WIN32)
        return() # the replay driver uses POSIX
    endif()
    if(NOT arg_RUNS)
        set(arg_RUNS 1000)
    endif()
    set(timeout)
    if(arg_TIMEOUT)
        set(timeout TIMEOUT ${arg_TIMEOUT})
    endif()
    memfs_add_test(NAME ${arg_NAME} LABELS fuzz ${arg_LABELS} ${timeout}
        SOURCES ${arg_SOURCES} LIBRARIES ${arg_LIBRARIES} memfs_fuzz_replay ARGS --runs ${arg_RUNS})
    if(NOT MEMFS_SANITIZE MATCHES "fuzzer-no-link")
        return()
    endif()

    set(program ${arg_NAME}_libfuzzer)
    add_executable(${program} ${arg_SOURCES})
    target_link_options(${program} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${program} PRIVATE ${arg_LIBRARIES} memfs_fuzz_libfuzzer
        memfs_test_support memfs::memfs)
    if(NOT TARGET fuzz_targets)
        add_custom_target(fuzz_targets)
    endif()
    add_dependencies(fuzz_targets ${arg_NAME} ${program})

    set(seconds ${MEMFS_FUZZ_SECONDS})
    if(arg_SECONDS AND arg_SECONDS GREATER seconds)
        set(seconds ${arg_SECONDS})
    endif()
    set(corpus "${PROJECT_BINARY_DIR}/corpus")
    file(MAKE_DIRECTORY "${corpus}")
    add_test(NAME ${arg_NAME}_seeds COMMAND ${arg_NAME} --write "${corpus}/${arg_NAME}")
    add_test(NAME ${program} COMMAND ${program} -max_total_time=${seconds}
        -timeout=60 -rss_limit_mb=1024 -print_final_stats=1 -use_value_profile=1
        "-artifact_prefix=${corpus}/${arg_NAME}.found-" "-dict=${corpus}/${arg_NAME}.dict"
        "${corpus}/${arg_NAME}")
    math(EXPR longest "${seconds} + 120")
    set_tests_properties(${arg_NAME}_seeds PROPERTIES FIXTURES_SETUP ${arg_NAME}_corpus)
    set_tests_properties(${program} PROPERTIES FIXTURES_REQUIRED ${arg_NAME}_corpus
        TIMEOUT ${longest})
    set_tests_properties(${arg_NAME}_seeds ${program} PROPERTIES LABELS fuzz
        ENVIRONMENT "${memfs_test_environment}")
endfunction()
