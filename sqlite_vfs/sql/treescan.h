/*
 * A tree, entry by entry: depth first, a directory before what is in it, in order of
 * creation.  No lock is held from one entry to the next, and the C stack does not grow with
 * the tree.  What vanishes before its turn is skipped; symlinks are not followed.
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

#include "base/sqliteapi.h"
#include "sql/pathrange.h"

#include <memfs/memfs.h>
#include <stddef.h>
#include <stdint.h>

#define MFS_TREESCAN_NO_LIMIT INT64_MAX

struct mfs_treescan_level {
    memfs_dir *dir;
    size_t path_length; /* of the directory; 0 for the root, whose slash the names bring along */
};

struct mfs_treescan {
    memfs *fs;
    const struct mfs_pathrange *range; /* not ours; null: all paths */
    int64_t depth_limit;
    struct mfs_treescan_level *levels; /* open directories, the root's first */
    size_t depth, capacity;
    char *path; /* of the entry: absolute, without links, NUL-terminated */
    size_t path_length, path_capacity;
    size_t name_start; /* where its last component begins */
    memfs_stat_info stat;
    char *root; /* as it was given: what the first entry is opened by */
};

void mfs_treescan_init(struct mfs_treescan *scan, memfs *fs);

/*
 * Goes to `root` itself; a scan that was started before is given up.  Entries up to `depth`
 * levels below it follow.  Directories that cannot contain a path in `range` are not opened
 * (their entries are not missed: they would be out of range); other paths out of range may
 * or may not come.
 *
 * Returns 1, 0 if there is no such root, or an error: EDQUOT (open directories are charged),
 * ENOMEM, ENAMETOOLONG.
 */
int mfs_treescan_start(struct mfs_treescan *scan, const char *root, int64_t depth,
                       const struct mfs_pathrange *range);

/* Goes to the next entry: 1, 0 at the end, or an error. */
int mfs_treescan_next(struct mfs_treescan *scan);

/* Opens the current entry, a file, for reading.  ENOENT: it is gone by now. */
int mfs_treescan_open(struct mfs_treescan *scan, memfs_file **out);

/* What the current entry, a symlink, says: the length, cut to `size` bytes. */
int64_t mfs_treescan_readlink(struct mfs_treescan *scan, char *buffer, size_t size);

void mfs_treescan_fini(struct mfs_treescan *scan);

#endif
