/* Copies a directory of the host into a memfs. */
#ifndef DEMO_IMPORT_H
#define DEMO_IMPORT_H

#include <memfs/memfs.h>

struct demo_import {
    uint64_t files, directories, symlinks;
    uint64_t bytes;      /* in the files */
    uint64_t unreadable; /* skipped: the host refused */
    uint64_t special;    /* skipped: devices, sockets, pipes */
    uint64_t elsewhere;  /* skipped: directories on another file system of the host */
};

/*
 * Copies `root`, an absolute path without links, to the same path in `fs`, with
 * modes and times of modification.  Symbolic links stay links.  What the host
 * refuses is skipped and counted; the first refusal by `fs` ends the copy.
 * Returns 0 or a memfs error.
 */
int demo_import_tree(memfs *fs, const char *root, struct demo_import *out);

#endif
