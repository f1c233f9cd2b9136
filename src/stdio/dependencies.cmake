# One of two extensions of C makes a FILE of callbacks.
include(CheckSymbolExists)
set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE=1 -D_DARWIN_C_SOURCE=1 -D_BSD_SOURCE=1
    -D_DEFAULT_SOURCE=1)
check_symbol_exists(fopencookie stdio.h MEMFS_HAVE_FOPENCOOKIE)
check_symbol_exists(funopen stdio.h MEMFS_HAVE_FUNOPEN)
unset(CMAKE_REQUIRED_DEFINITIONS)
if(NOT MEMFS_HAVE_FOPENCOOKIE AND NOT MEMFS_HAVE_FUNOPEN)
    set(memfs_stdio_missing "the C library has neither fopencookie nor funopen")
endif()
