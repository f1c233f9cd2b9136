# A toolchain for Linux on another processor: MEMFS_CROSS_TRIPLE, as i686-linux-gnu, names the
# compiler, and MEMFS_CROSS_SOURCES the folder that .ci/sources and .ci/cross have made.  Programs
# for i686 run as they are, with the libraries of the cross compiler, others by qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MEMFS_CROSS_TRIPLE MEMFS_CROSS_SOURCES)
string(REGEX REPLACE "-.*" "" CMAKE_SYSTEM_PROCESSOR "${MEMFS_CROSS_TRIPLE}")
set(CMAKE_C_COMPILER "${MEMFS_CROSS_TRIPLE}-gcc")
set(CMAKE_FIND_ROOT_PATH "/usr/${MEMFS_CROSS_TRIPLE}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} "${MEMFS_CROSS_SOURCES}/${MEMFS_CROSS_TRIPLE}")
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "i686")
    string(CONCAT CMAKE_EXE_LINKER_FLAGS_INIT
        "-Wl,--dynamic-linker=/usr/${MEMFS_CROSS_TRIPLE}/lib/ld-linux.so.2 "
        "-Wl,-rpath,/usr/${MEMFS_CROSS_TRIPLE}/lib")
else()
    set(CMAKE_CROSSCOMPILING_EMULATOR
        "qemu-${CMAKE_SYSTEM_PROCESSOR}" -L "/usr/${MEMFS_CROSS_TRIPLE}")
endif()
