/* Errors of memfs as errno. */
#ifndef MFS_STDIO_HOSTERRNO_H
#define MFS_STDIO_HOSTERRNO_H

/* Sets errno to what the host calls this error, and returns -1. */
int mfs_hosterrno_set(int error);

#endif
