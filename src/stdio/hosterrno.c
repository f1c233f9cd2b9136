/* The table of errors in memfs.h has a row for each, whose name is also the host's macro. */
#include "hosterrno.h"

#include <errno.h>
#include <memfs/stdio.h>

#ifndef EDQUOT
#define EDQUOT ENOSPC
#endif

int memfs_errno(int error)
{
    switch (error) {
    case MEMFS_OK:
        return 0;
#define HOST_CASE(name, number, text) \
    case MEMFS_##name: \
        return name;
        MEMFS_ERRORS(HOST_CASE)
#undef HOST_CASE
    default:
        return EIO;
    }
}

int mfs_hosterrno_set(int error)
{
    errno = memfs_errno(error);
    return -1;
}
