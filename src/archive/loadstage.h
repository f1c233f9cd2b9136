/*
 * The directory of the tree in which an archive is unpacked, and then renamed to its destination.
 *
 *     /.memfs-load-1/entry/...
 *
 * 1. Nothing outside of it is reached: each entry is made by one name in an open directory, and
 *    each directory is reached from the one above by a name that is no link.
 * 2. Directories get their times last, since putting something into them changes these.
 */
#ifndef MFS_ARCHIVE_LOADSTAGE_H
#define MFS_ARCHIVE_LOADSTAGE_H

#include <memfs/storage.h>

enum { MFS_ARCHIVE_STAGE_BYTES = 48 };

struct mfs_archive_times; /* of a directory, for later */

struct mfs_archive_loadstage {
    memfs *fs;
    char path[MFS_ARCHIVE_STAGE_BYTES]; /* "": none */
    memfs_dir *top;                     /* what becomes the destination */
    memfs_dir *parent;                  /* the directory of the last entry */
    char parent_path[MEMFS_PATH_MAX + 1];
    struct mfs_archive_times *first, *last;
};

/* Makes it.  Errors: EDQUOT, ENOSPC, ENOMEM. */
int mfs_loadstage_make(struct mfs_archive_loadstage *stage, memfs *fs);

/*
 * Finds the directory that the entry of a relative path is in, and makes it, 0755, where it is
 * missing.  `*name` is the last component, "." if the path is "".  `*dir` is good until the next
 * call.  Errors: ELOOP, ENOTDIR (a component is a link or a file), EDQUOT, ENOSPC, ENOMEM.
 */
int mfs_loadstage_enter(struct mfs_archive_loadstage *stage, const char *path, memfs_dir **dir,
                        const char **name);

/* The same without making any: ENOENT.  `*dir` is the caller's to close. */
int mfs_loadstage_find(struct mfs_archive_loadstage *stage, const char *path, memfs_dir **dir,
                       const char **name);

/* The times that a directory gets in the end.  Errors: EDQUOT, ENOMEM. */
int mfs_loadstage_note_times(struct mfs_archive_loadstage *stage, const char *path,
                             int64_t access_ns, int64_t modify_ns);

/* Sets them, and moves all of it to `path`; `flags` are those of memfs_rename(). */
int mfs_loadstage_publish(struct mfs_archive_loadstage *stage, const char *path, unsigned flags);

/* Removes the stage, and what is in it. */
void mfs_loadstage_fini(struct mfs_archive_loadstage *stage);

#endif
