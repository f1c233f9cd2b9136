# Parts: a library each, with an alias, a component, a pkg-config file and install rules.
#
# src/PARTS has a line for each part: its name, its folder, its public headers (in
# include/memfs/, separated by commas) and what it needs, one of
#
#   -              nothing
#   <part>         another part, listed before
#   <part>?        another part, if it is built
#   posix          a host with POSIX files
#   threads        a build with threads
#   pkg:<m>[:<v>]  a pkg-config module, of at least version <v>: target PkgConfig::<m>
#   <P>[:<v>]      a CMake package, found by find_package(<P> [<v>])
#
# The core is always built.  Every other part has the option MEMFS_BUILD_<PART>: AUTO (if all
# that it needs is there), ON (an error otherwise) or OFF.  Its folder has a CMakeLists.txt that
# calls memfs_add_part(), and a dependencies.cmake if it has options or finds something itself;
# its tests are in tests/<part>.  To add a part: write these folders, and add its line.

set(memfs_parts_list "${PROJECT_SOURCE_DIR}/src/PARTS")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${memfs_parts_list}")

# memfs_read_parts(): sets memfs_parts and, for each <part>, memfs_<part>_folder, _headers, _needs.
macro(memfs_read_parts)
    set(memfs_parts "")
    file(STRINGS "${memfs_parts_list}" memfs_lines REGEX "^[^#]")
    foreach(memfs_line IN LISTS memfs_lines)
        if(NOT memfs_line MATCHES "^([a-z0-9]+) +([a-z_/]+) +([a-z0-9.,_]+) +([^ ]+)$")
            message(FATAL_ERROR "${memfs_parts_list}: not understood: ${memfs_line}")
        endif()
        set(memfs_part "${CMAKE_MATCH_1}")
        list(APPEND memfs_parts "${memfs_part}")
        set(memfs_${memfs_part}_folder "${CMAKE_MATCH_2}")
        string(REPLACE "," ";" memfs_${memfs_part}_headers "${CMAKE_MATCH_3}")
        string(REPLACE "," ";" memfs_${memfs_part}_needs "${CMAKE_MATCH_4}")
        list(REMOVE_ITEM memfs_${memfs_part}_needs "-")
    endforeach()
endmacro()

# memfs_settle_optional_needs(<part>): a need of `<other>?` becomes one of <other>, or none.
macro(memfs_settle_optional_needs part)
    set(memfs_settled "")
    foreach(memfs_need IN LISTS memfs_${part}_needs)
        if(NOT "${memfs_need}" MATCHES "^(.+)[?]$")
            list(APPEND memfs_settled "${memfs_need}")
        elseif("${CMAKE_MATCH_1}" IN_LIST memfs_built_parts)
            list(APPEND memfs_settled "${CMAKE_MATCH_1}")
        endif()
    endforeach()
    set(memfs_${part}_needs "${memfs_settled}")
endmacro()

# memfs_find_need(<need> <out>): sets <out> to "" if it is there, else to what is missing.
macro(memfs_find_need need out)
    set(${out} "")
    string(REPLACE ":" ";" memfs_words "${need}")
    list(GET memfs_words 0 memfs_package)
    if("${need}" IN_LIST memfs_parts)
        if(NOT "${need}" IN_LIST memfs_built_parts)
            set(${out} "needs the part ${need}")
        endif()
    elseif("${need}" STREQUAL "posix")
        if(NOT UNIX)
            set(${out} "needs POSIX files")
        endif()
    elseif("${need}" STREQUAL "threads")
        if(NOT MEMFS_THREADS)
            set(${out} "needs threads")
        endif()
    elseif(memfs_package STREQUAL "pkg")
        list(GET memfs_words 1 memfs_package)
        string(REGEX REPLACE "^pkg:[^:]+:?" "" memfs_version "${need}")
        find_package(PkgConfig QUIET)
        if(PKG_CONFIG_FOUND AND NOT TARGET PkgConfig::${memfs_package})
            if(memfs_version)
                pkg_check_modules(${memfs_package} QUIET IMPORTED_TARGET GLOBAL
                    "${memfs_package}>=${memfs_version}")
            else()
                pkg_check_modules(${memfs_package} QUIET IMPORTED_TARGET GLOBAL ${memfs_package})
            endif()
        endif()
        if(NOT TARGET PkgConfig::${memfs_package})
            set(${out} "no ${memfs_package} found")
        endif()
    else()
        string(REGEX REPLACE "^[^:]+:?" "" memfs_version "${need}")
        # A folder may bring the package itself, as the VFS does from an amalgamation.
        if(NOT ${memfs_package}_FOUND)
            find_package(${memfs_package} ${memfs_version} QUIET)
        endif()
        if(NOT ${memfs_package}_FOUND)
            set(${out} "no ${memfs_package} ${memfs_version} found")
        endif()
    endif()
endmacro()

# The two files to drop into a program, of the core and of the VFS, made from the sources.
set(memfs_amalgamation "${PROJECT_BINARY_DIR}/amalgamation")
file(GLOB_RECURSE memfs_amalgamated CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/core/*"
    "${PROJECT_SOURCE_DIR}/sqlite_vfs/*" "${PROJECT_SOURCE_DIR}/include/memfs/*")
find_package(Python3 3.9 COMPONENTS Interpreter QUIET)
if(Python3_FOUND)
    add_custom_command(
        OUTPUT "${memfs_amalgamation}/memfs.c" "${memfs_amalgamation}/memfs.h"
            "${memfs_amalgamation}/memfs_sqlite.c" "${memfs_amalgamation}/memfs_sqlite.h"
        COMMAND Python3::Interpreter "${PROJECT_SOURCE_DIR}/src/packaging/amalgamate.py"
            "${PROJECT_SOURCE_DIR}" "${memfs_amalgamation}"
        DEPENDS ${memfs_amalgamated} "${PROJECT_SOURCE_DIR}/src/packaging/amalgamate.py"
        COMMENT "Making the two files to drop in" VERBATIM)
    add_custom_target(amalgamation ALL DEPENDS "${memfs_amalgamation}/memfs.c")
elseif(MEMFS_AMALGAMATION)
    message(FATAL_ERROR "MEMFS_AMALGAMATION is ON, but no Python 3.9 was found")
endif()

# memfs_add_parts(): builds all parts that can be built; sets memfs_built_parts and, for those
# that are not built, memfs_<part>_missing: why.
macro(memfs_add_parts)
    memfs_read_parts()
    set(memfs_built_parts "")
    foreach(memfs_part IN LISTS memfs_parts)
        set(memfs_${memfs_part}_missing "")
        string(TOUPPER "MEMFS_BUILD_${memfs_part}" memfs_switch)
        if(NOT memfs_part STREQUAL "core")
            set(${memfs_switch} AUTO CACHE STRING
                "Build the part ${memfs_part}: AUTO (if all it needs is there), ON, OFF")
            set_property(CACHE ${memfs_switch} PROPERTY STRINGS AUTO ON OFF)
        endif()
        memfs_settle_optional_needs(${memfs_part})
        if(NOT memfs_part STREQUAL "core" AND "${${memfs_switch}}" STREQUAL "OFF")
            set(memfs_${memfs_part}_missing "${memfs_switch} is OFF")
        else()
            include("${memfs_${memfs_part}_folder}/dependencies.cmake" OPTIONAL)
            foreach(memfs_need IN LISTS memfs_${memfs_part}_needs)
                memfs_find_need("${memfs_need}" memfs_lack)
                if(memfs_lack)
                    set(memfs_${memfs_part}_missing "${memfs_lack}")
                endif()
            endforeach()
        endif()
        if(memfs_${memfs_part}_missing STREQUAL "")
            list(APPEND memfs_built_parts ${memfs_part})
            add_subdirectory("${memfs_${memfs_part}_folder}")
        elseif("${${memfs_switch}}" STREQUAL "ON")
            message(FATAL_ERROR "${memfs_switch} is ON, but: ${memfs_${memfs_part}_missing}")
        endif()
    endforeach()
endmacro()

# memfs_add_part(<part> SOURCES <file>... [TARGET <name>] [PRIVATE_LIBRARIES <target>...]
#                [PC_REQUIRES <module>...] [PC_LIBS <flag>...])
#
# The library of a part: target and library memfs_<part> (the core: memfs) or TARGET, alias
# memfs::<part> (the core: memfs::memfs).  It is linked, publicly, with the parts it needs, and
# with PRIVATE_LIBRARIES.  PC_REQUIRES and PC_LIBS go into its pkg-config file.  Installed, it is
# the component <part> of the package memfs.
function(memfs_add_part part)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TARGET"
        "SOURCES;PRIVATE_LIBRARIES;PC_REQUIRES;PC_LIBS")
    if(NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "memfs_add_part(${part}): SOURCES are needed; "
            "not understood: '${arg_UNPARSED_ARGUMENTS}'")
    endif()
    set(public_name ${part})
    set(target memfs_${part})
    string(TOUPPER "MEMFS_${part}_BUILDING" building)
    if(part STREQUAL "core")
        set(public_name memfs)
        set(target memfs)
        set(building MEMFS_BUILDING)
    endif()
    if(arg_TARGET)
        set(target ${arg_TARGET})
    endif()

    add_library(${target} ${arg_SOURCES})
    add_library(memfs::${public_name} ALIAS ${target})
    set_target_properties(${target} PROPERTIES
        DEFINE_SYMBOL ${building} # by a header's API macro: exported, not imported
        EXPORT_NAME ${public_name}
        INSTALL_RPATH "$<IF:$<BOOL:${APPLE}>,@loader_path,$ORIGIN>" # parts lie side by side
        VERSION ${PROJECT_VERSION}
        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
    target_include_directories(${target}
        PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
            "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>"
        PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}"
            "$<$<NOT:$<STREQUAL:${part},core>>:${PROJECT_SOURCE_DIR}/src/common>")
    target_compile_definitions(${target} PRIVATE _DEFAULT_SOURCE=1) # POSIX, which -std=c11 hides
    if(NOT BUILD_SHARED_LIBS)
        target_compile_definitions(${target} PUBLIC MEMFS_STATIC=1)
    endif()
    target_link_libraries(${target} PRIVATE ${arg_PRIVATE_LIBRARIES})
    if(MEMFS_THREADS)
        target_link_libraries(${target} PRIVATE Threads::Threads)
    endif()

    set(requires "")
    foreach(need IN LISTS memfs_${part}_needs)
        if(need STREQUAL "core")
            target_link_libraries(${target} PUBLIC memfs)
            list(APPEND requires "memfs = ${PROJECT_VERSION}")
        elseif(need IN_LIST memfs_parts)
            target_link_libraries(${target} PUBLIC memfs::${need})
            list(APPEND requires "memfs-${need} = ${PROJECT_VERSION}")
        endif()
    endforeach()
    list(APPEND requires ${arg_PC_REQUIRES})
    set_property(GLOBAL APPEND PROPERTY MEMFS_PART_TARGETS "${part}=${target}")
    if(MEMFS_INSTALL)
        memfs_install_part(${part} ${target} "${requires}" "${arg_PC_LIBS}")
    endif()
endfunction()

# memfs_install_part(<part> <target> <requires> <libs>): install rules and the pkg-config file.
function(memfs_install_part part target requires libs)
    install(TARGETS ${target} EXPORT memfs-${part}
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev
        RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT dev)
    install(EXPORT memfs-${part} NAMESPACE memfs:: COMPONENT dev
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/memfs")
    foreach(header IN LISTS memfs_${part}_headers)
        install(FILES "${PROJECT_SOURCE_DIR}/include/memfs/${header}" COMPONENT dev
            DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/memfs")
    endforeach()

    set(MEMFS_PC_NAME memfs-${part})
    set(MEMFS_PC_DESCRIPTION "${PROJECT_DESCRIPTION}: ${part}")
    if(part STREQUAL "core")
        set(MEMFS_PC_NAME memfs)
        set(MEMFS_PC_DESCRIPTION "${PROJECT_DESCRIPTION}")
    endif()
    list(JOIN requires ", " MEMFS_PC_REQUIRES)
    list(JOIN libs " " MEMFS_PC_LIBS)
    set(MEMFS_PC_STATIC "")
    if(NOT BUILD_SHARED_LIBS)
        set(MEMFS_PC_STATIC " -DMEMFS_STATIC=1")
    endif()
    get_target_property(MEMFS_PC_LIBRARY ${target} OUTPUT_NAME)
    if(NOT MEMFS_PC_LIBRARY)
        set(MEMFS_PC_LIBRARY ${target})
    endif()
    # The file names its prefix relative to itself, so that the tree can be moved.
    file(RELATIVE_PATH MEMFS_PC_PREFIX "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig"
        "${CMAKE_INSTALL_PREFIX}")
    string(REGEX REPLACE "/$" "" MEMFS_PC_PREFIX "${MEMFS_PC_PREFIX}")
    file(RELATIVE_PATH MEMFS_PC_LIBDIR "${CMAKE_INSTALL_PREFIX}" "${CMAKE_INSTALL_FULL_LIBDIR}")
    file(RELATIVE_PATH MEMFS_PC_INCLUDEDIR "${CMAKE_INSTALL_PREFIX}"
        "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
    configure_file("${PROJECT_SOURCE_DIR}/src/packaging/part.pc.in"
        "${PROJECT_BINARY_DIR}/${MEMFS_PC_NAME}.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/${MEMFS_PC_NAME}.pc" COMPONENT dev
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endfunction()

# memfs_install_package(): the CMake package, with a component for each part that was built.
function(memfs_install_package)
    set(directory "${CMAKE_INSTALL_LIBDIR}/cmake/memfs")
    set(MEMFS_PACKAGE_COMPONENTS "${memfs_built_parts}")
    set(MEMFS_PACKAGE_NEEDS "")
    foreach(part IN LISTS memfs_built_parts)
        string(APPEND MEMFS_PACKAGE_NEEDS "set(memfs_${part}_needs \"${memfs_${part}_needs}\")\n")
    endforeach()
    include(CMakePackageConfigHelpers)
    configure_package_config_file("${PROJECT_SOURCE_DIR}/src/packaging/memfs-config.cmake.in"
        "${PROJECT_BINARY_DIR}/memfs-config.cmake" INSTALL_DESTINATION "${directory}")
    write_basic_package_version_file("${PROJECT_BINARY_DIR}/memfs-config-version.cmake"
        COMPATIBILITY SameMinorVersion)
    install(FILES "${PROJECT_BINARY_DIR}/memfs-config.cmake"
        "${PROJECT_BINARY_DIR}/memfs-config-version.cmake" COMPONENT dev
        DESTINATION "${directory}")
endfunction()
