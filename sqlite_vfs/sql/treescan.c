/*
 * A tree, entry by entry.
 *
 * Every directory that the walk arrives at is an entry, and is pruned at once if it is at the
 * depth limit or if nothing in it can be in the range.  Leaving a directory is no entry.
 */
#include "sql/treescan.h"

#include <stdbool.h>
#include <string.h>

void mfs_treescan_init(struct mfs_treescan *scan, memfs *fs)
{
    memset(scan, 0, sizeof *scan);
    scan->fs = fs;
}

void mfs_treescan_fini(struct mfs_treescan *scan)
{
    if (scan->walker != NULL)
        (void)memfs_walk_close(scan->walker);
    mfs_treescan_init(scan, scan->fs);
}

static bool is_wanted_below(const struct mfs_treescan *scan, const memfs_walk_entry *entry)
{
    return (int64_t)entry->depth < scan->depth_limit &&
           (scan->range == NULL ||
            mfs_pathrange_may_be_below(scan->range, scan->path, scan->path_length));
}

static void take_entry(struct mfs_treescan *scan, const memfs_walk_entry *entry)
{
    scan->path = entry->path;
    scan->path_length = strlen(entry->path);
    scan->name_start = (size_t)(entry->name - entry->path);
    scan->stat = *entry->stat;
    if (entry->event == MEMFS_WALK_ENTER && !is_wanted_below(scan, entry))
        (void)memfs_walk_prune(scan->walker);
}

int mfs_treescan_next(struct mfs_treescan *scan)
{
    const memfs_walk_entry *entry;
    int found;
    do
        found = memfs_walk_next(scan->walker, &entry);
    while (found == 1 && entry->event == MEMFS_WALK_LEAVE);
    if (found == 1)
        take_entry(scan, entry);
    return found;
}

int mfs_treescan_start(struct mfs_treescan *scan, const char *root, int64_t depth,
                       const struct mfs_pathrange *range)
{
    mfs_treescan_fini(scan);
    scan->range = range;
    scan->depth_limit = depth;
    int error = memfs_walk_open_in(scan->fs, root, MEMFS_WALK_NOFOLLOW | MEMFS_WALK_REAL_PATHS,
                                   &scan->storage, &scan->walker);
    if (error == MEMFS_ENOENT || error == MEMFS_ENOTDIR || error == MEMFS_ELOOP)
        return 0;
    return error == 0 ? mfs_treescan_next(scan) : error;
}

int mfs_treescan_open(struct mfs_treescan *scan, memfs_file **out)
{
    return memfs_walk_open_file(scan->walker, MEMFS_O_READ, out);
}

int64_t mfs_treescan_readlink(struct mfs_treescan *scan, char *buffer, size_t size)
{
    return memfs_walk_readlink(scan->walker, buffer, size);
}
