/* Files and directories, copied between the host and the tree.  Needs POSIX. */
#ifndef MFS_HOSTCOPY_H
#define MFS_HOSTCOPY_H

#include <memfs/memfs.h>
#include <stdbool.h>
#include <stdint.h>

/* How a copy went. */
struct mfs_hostcopy {
    int error;       /* of memfs, or MEMFS_EIO if `host_text` says more */
    int64_t entries; /* files, directories and symlinks copied */
    char *path;      /* what failed; may be null, if memory did */
    char *host_text; /* not null: the host refused, and this is its word */
};

/* Whether this was built for a host with files. */
bool mfs_hostcopy_is_available(void);

/*
 * Copies a file or directory of the host to `path`, with modes, times, hard links within it,
 * and symlinks as such (`host_path` itself is followed; symlinks have times of their own);
 * devices, sockets and pipes in a directory are left out.
 * Missing parents are made.  A file replaces what is no directory; a directory
 * replaces nothing (EEXIST).  All or nothing, published in one step: until then it is in a
 * directory of its own, "/.memfs-import-<number>".
 */
void mfs_hostcopy_import(memfs *fs, const char *host_path, const char *path,
                         struct mfs_hostcopy *out);

/*
 * Copies a file or directory of the tree to the host, with permissions (0777), times, hard
 * links within it (copies, where the host refuses them), holes, and symlinks as such (`path` itself is followed).  A file replaces a regular
 * file, in one step; a directory replaces nothing, and what was copied stays after a failure.
 * Parents are not made.
 */
void mfs_hostcopy_export(memfs *fs, const char *path, const char *host_path,
                         struct mfs_hostcopy *out);

void mfs_hostcopy_fini(struct mfs_hostcopy *copied);

#endif
