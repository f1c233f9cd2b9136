# The SQLite that the VFS is built with: the system's, or an amalgamation
# (MEMFS_SQLITE_AMALGAMATION: the directory of sqlite3.c, sqlite3.h and sqlite3ext.h).
#
# The amalgamation gives SQLite::SQLite3 and SQLite3_VERSION as find_package(SQLite3) does.  It is
# an imported target, so that what is installed refers to the SQLite of the installing system; and
# a shared library with SQLite's usual name, so that a program that is linked with the system's
# can be run with this one.

set(MEMFS_SQLITE_AMALGAMATION "" CACHE PATH
    "Directory of an SQLite amalgamation to build with, instead of the system's SQLite")
set(MEMFS_SQLITE_OPTIONS SQLITE_ENABLE_FTS5 CACHE STRING
    "SQLITE_... definitions for the amalgamation, a list")
if(NOT MEMFS_SQLITE_AMALGAMATION)
    return()
endif()

set(memfs_amalgamation "${MEMFS_SQLITE_AMALGAMATION}")
foreach(memfs_needed IN ITEMS sqlite3.c sqlite3.h sqlite3ext.h)
    if(NOT EXISTS "${memfs_amalgamation}/${memfs_needed}")
        message(FATAL_ERROR "MEMFS_SQLITE_AMALGAMATION: no ${memfs_needed} in "
            "'${memfs_amalgamation}'")
    endif()
endforeach()
file(STRINGS "${memfs_amalgamation}/sqlite3.h" memfs_version_line
    REGEX "^#define SQLITE_VERSION +\"" LIMIT_COUNT 1)
string(REGEX REPLACE ".*\"([0-9.]+)\".*" "\\1" SQLite3_VERSION "${memfs_version_line}")

add_library(memfs_amalgamation SHARED "${memfs_amalgamation}/sqlite3.c")
set_target_properties(memfs_amalgamation PROPERTIES
    C_EXTENSIONS ON
    C_VISIBILITY_PRESET default
    OUTPUT_NAME sqlite3
    SOVERSION 0
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/sqlite")
target_compile_options(memfs_amalgamation PRIVATE -w)
target_compile_definitions(memfs_amalgamation PRIVATE HAVE_USLEEP=1 ${MEMFS_SQLITE_OPTIONS})
find_package(Threads REQUIRED)
target_link_libraries(memfs_amalgamation PRIVATE m ${CMAKE_DL_LIBS} Threads::Threads)

set(memfs_library "${CMAKE_SHARED_LIBRARY_PREFIX}sqlite3${CMAKE_SHARED_LIBRARY_SUFFIX}")
add_library(SQLite::SQLite3 SHARED IMPORTED GLOBAL)
set_target_properties(SQLite::SQLite3 PROPERTIES
    IMPORTED_LOCATION "${PROJECT_BINARY_DIR}/sqlite/${memfs_library}"
    INTERFACE_INCLUDE_DIRECTORIES "${memfs_amalgamation}")
add_dependencies(SQLite::SQLite3 memfs_amalgamation)

# An SQLite without threads has no mutex functions; its users must know.
set(memfs_threadsafe ${MEMFS_SQLITE_OPTIONS})
list(FILTER memfs_threadsafe INCLUDE REGEX "^SQLITE_THREADSAFE=")
set_property(TARGET SQLite::SQLite3 PROPERTY INTERFACE_COMPILE_DEFINITIONS ${memfs_threadsafe})
set(SQLite3_FOUND TRUE)
