# What `cmake --install` puts where, and how others find it.

include(CMakePackageConfigHelpers)

set(memfs_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/memfs")
set(memfs_pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
set(memfs_packaging_dir "${PROJECT_SOURCE_DIR}/src/packaging")

# The .pc files name their prefix relative to themselves, so that the tree can be moved.
file(RELATIVE_PATH MEMFS_PC_PREFIX "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" MEMFS_PC_PREFIX "${MEMFS_PC_PREFIX}")
file(RELATIVE_PATH MEMFS_PC_LIBDIR "${CMAKE_INSTALL_PREFIX}" "${CMAKE_INSTALL_FULL_LIBDIR}")
file(RELATIVE_PATH MEMFS_PC_INCLUDEDIR "${CMAKE_INSTALL_PREFIX}" "${CMAKE_INSTALL_FULL_INCLUDEDIR}")

# A static library drags in what it needs; a shared one has it already.  It is
# among the ordinary Libs, because --static would ask for a static SQLite too.
set(MEMFS_PC_STATIC "")
if(NOT BUILD_SHARED_LIBS)
    set(MEMFS_PC_STATIC " -DMEMFS_STATIC=1")
endif()
set(MEMFS_PC_THREADS "")
if(MEMFS_THREADS AND NOT BUILD_SHARED_LIBS)
    set(MEMFS_PC_THREADS "-pthread")
endif()

set(memfs_headers
    "${PROJECT_SOURCE_DIR}/include/memfs/memfs.h"
    "${PROJECT_SOURCE_DIR}/include/memfs/storage.h")
install(TARGETS memfs EXPORT memfs-core
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(EXPORT memfs-core NAMESPACE memfs:: DESTINATION "${memfs_cmake_dir}")
configure_file("${memfs_packaging_dir}/memfs.pc.in" memfs.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/memfs.pc" DESTINATION "${memfs_pkgconfig_dir}")

if(TARGET memfs_sqlite_vfs)
    list(APPEND memfs_headers "${PROJECT_SOURCE_DIR}/include/memfs/sqlite.h")
    set_target_properties(memfs_sqlite_vfs PROPERTIES
        EXPORT_NAME sqlite
        VERSION ${PROJECT_VERSION}
        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
    install(TARGETS memfs_sqlite_vfs EXPORT memfs-sqlite
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
    install(EXPORT memfs-sqlite NAMESPACE memfs:: DESTINATION "${memfs_cmake_dir}")
    configure_file("${memfs_packaging_dir}/memfs-sqlite.pc.in" memfs-sqlite.pc @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/memfs-sqlite.pc" DESTINATION "${memfs_pkgconfig_dir}")
endif()
if(TARGET memfs_sqlite)
    # The loadable extension: `.load` wants a path, so any folder will do.
    install(TARGETS memfs_sqlite LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/memfs")
endif()

install(FILES ${memfs_headers} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/memfs")

configure_package_config_file("${memfs_packaging_dir}/memfs-config.cmake.in" memfs-config.cmake
    INSTALL_DESTINATION "${memfs_cmake_dir}")
write_basic_package_version_file(memfs-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/memfs-config.cmake" "${PROJECT_BINARY_DIR}/memfs-config-version.cmake"
    DESTINATION "${memfs_cmake_dir}")
