/*
 * A tree, entry by entry: a walk (memfs_walk_open()) that leaves out what a query cannot want.
 * A directory comes before what is in it.  What vanishes before its turn is skipped; symlinks
 * are not followed.
 *
 *     struct mfs_treescan scan;
 *     mfs_treescan_init(&scan, fs);
 *     int found = mfs_treescan_start(&scan, "/a", MFS_TREESCAN_NO_LIMIT, &range);
 *     for (; found == 1; found = mfs_treescan_next(&scan))
 *         ... scan.path, scan.stat
 *     mfs_treescan_fini(&scan);       // found < 0: an error
 */
#ifndef MFS_TREESCAN_H
#define MFS_TREESCAN_H

#include "sql/pathrange.h"

#include <memfs/memfs.h>
#include <stddef.h>
#include <stdint.h>

#define MFS_TREESCAN_NO_LIMIT INT64_MAX

struct mfs_treescan {
    memfs *fs;
    memfs_walker *walker; /* null: not started, or there was no root */
    memfs_walker_storage storage;
    const struct mfs_pathrange *range; /* belongs to the caller; null: all paths */
    int64_t depth_limit;
    /* The entry, until the next step; after an error, the path of the one before. */
    const char *path; /* absolute, without links, NUL-terminated */
    size_t path_length;
    size_t name_start; /* where its last component begins */
    memfs_stat_info stat;
};

void mfs_treescan_init(struct mfs_treescan *scan, memfs *fs);

/*
 * Goes to `root` itself; a scan that was started before is given up.  Entries up to `depth`
 * levels below it follow.  Directories that cannot contain a path in `range` are not opened
 * (their entries are not missed: they would be out of range); other paths out of range may
 * or may not come.
 *
 * Returns 1, 0 if there is no such root, or an error: EDQUOT (deep walks are charged), ENOMEM,
 * ENAMETOOLONG.
 */
int mfs_treescan_start(struct mfs_treescan *scan, const char *root, int64_t depth,
                       const struct mfs_pathrange *range);

/* Goes to the next entry: 1, 0 at the end, or an error. */
int mfs_treescan_next(struct mfs_treescan *scan);

/* Opens the current entry, a file, for reading.  ENOENT: it is gone by now. */
int mfs_treescan_open(struct mfs_treescan *scan, memfs_file **out);

/* The target of the current entry, a symlink: the length, cut to `size` bytes. */
int64_t mfs_treescan_readlink(struct mfs_treescan *scan, char *buffer, size_t size);

void mfs_treescan_fini(struct mfs_treescan *scan);

#endif
