# Packages: `cmake --build . --target dist` makes the source archive; cpack in a build folder makes
# a .tar.gz and, on Debian, two packages: libmemfs-dev (headers, libraries, the files to drop in)
# and memfs (the command and the loadable extension).

if(Python3_FOUND)
    # The files to drop in are installed, too.
    install(DIRECTORY "${memfs_amalgamation}/" DESTINATION "${CMAKE_INSTALL_DATADIR}/memfs"
        COMPONENT dev FILES_MATCHING PATTERN "*.[ch]")
    add_custom_target(dist
        COMMAND Python3::Interpreter "${PROJECT_SOURCE_DIR}/src/packaging/dist.py"
            "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/memfs-${PROJECT_VERSION}.tar.gz"
            "${PROJECT_VERSION}"
        VERBATIM)
endif()

# What Debian wants of each package: copyright, changelog, and of a command its page, compressed.
find_program(MEMFS_GZIP NAMES gzip)
if(MEMFS_GZIP AND UNIX)
    set(memfs_documents "${PROJECT_BINARY_DIR}/documents")
    file(MAKE_DIRECTORY "${memfs_documents}")
    configure_file(src/packaging/changelog.in "${memfs_documents}/changelog" @ONLY)
    foreach(memfs_document IN ITEMS "${memfs_documents}/changelog"
            "${PROJECT_SOURCE_DIR}/src/packaging/memfs.1")
        get_filename_component(memfs_name "${memfs_document}" NAME)
        execute_process(COMMAND "${MEMFS_GZIP}" -9nc "${memfs_document}"
            OUTPUT_FILE "${memfs_documents}/${memfs_name}.gz" COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
    foreach(memfs_package IN ITEMS "dev libmemfs-dev" "tool memfs")
        string(REPLACE " " ";" memfs_package "${memfs_package}")
        list(GET memfs_package 0 memfs_component)
        list(GET memfs_package 1 memfs_name)
        install(FILES LICENSE RENAME copyright COMPONENT ${memfs_component}
            DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${memfs_name}")
        install(FILES "${memfs_documents}/changelog.gz" COMPONENT ${memfs_component}
            DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${memfs_name}")
    endforeach()
    install(FILES "${memfs_documents}/memfs.1.gz" COMPONENT tool
        DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
endif()

set(CPACK_PACKAGE_NAME memfs)
set(CPACK_PACKAGE_VENDOR "the memfs authors")
set(CPACK_PACKAGE_CONTACT "the memfs authors <memfs@memfs.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "bounded file system in memory, and an SQLite VFS")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_GENERATOR TGZ)
find_program(MEMFS_DPKG NAMES dpkg-deb)
if(MEMFS_DPKG)
    list(APPEND CPACK_GENERATOR DEB)
endif()
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL dev tool)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libmemfs-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "libsqlite3-dev, libarchive-dev, libuv1-dev")
set(CPACK_COMPONENT_DEV_DESCRIPTION
"A tree of files inside one process, in memory that has a hard limit, which is
a VFS for SQLite at the same time: headers, static libraries, and the files to
drop into a program.")
set(CPACK_DEBIAN_TOOL_PACKAGE_NAME memfs)
set(CPACK_DEBIAN_TOOL_PACKAGE_SECTION database)
set(CPACK_DEBIAN_TOOL_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_TOOL_DESCRIPTION
"The command memfs reads archives and directories into a tree in memory that
can hold just so much, and runs SQL over the files and databases in it. The
loadable extension memfs_sqlite makes such a tree a VFS of any program that
uses SQLite.")
include(CPack)
