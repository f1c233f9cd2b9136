# A toolchain for Linux on another processor: MEMFS_CROSS_TRIPLE, as i686-linux-gnu, names the
# compiler, and MEMFS_CROSS_SOURCES the folder that .ci/sources and .ci/cross have made.  Programs
# run as they are where the kernel can (i686 on most amd64), with the libraries of the cross
# compiler, and by qemu-user where it cannot.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MEMFS_CROSS_TRIPLE MEMFS_CROSS_SOURCES)
string(REGEX REPLACE "-.*" "" CMAKE_SYSTEM_PROCESSOR "${MEMFS_CROSS_TRIPLE}")
set(CMAKE_C_COMPILER "${MEMFS_CROSS_TRIPLE}-gcc")
set(CMAKE_FIND_ROOT_PATH "/usr/${MEMFS_CROSS_TRIPLE}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} "${MEMFS_CROSS_SOURCES}/${MEMFS_CROSS_TRIPLE}")
set(runs_as_it_is 1)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "i686")
    set(loader "/usr/${MEMFS_CROSS_TRIPLE}/lib/ld-linux.so.2")
    execute_process(COMMAND "${loader}" --version
        RESULT_VARIABLE runs_as_it_is OUTPUT_QUIET ERROR_QUIET)
endif()
if(runs_as_it_is STREQUAL "0")
    string(CONCAT CMAKE_EXE_LINKER_FLAGS_INIT
        "-Wl,--dynamic-linker=${loader} -Wl,-rpath,/usr/${MEMFS_CROSS_TRIPLE}/lib")
else()
    string(REPLACE "i686" "i386" emulated "${CMAKE_SYSTEM_PROCESSOR}")
    set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-${emulated}" -L "/usr/${MEMFS_CROSS_TRIPLE}")
endif()
