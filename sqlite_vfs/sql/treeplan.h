/* Which constraints of a query on memfs_tree the scan makes use of. */
#ifndef MFS_TREEPLAN_H
#define MFS_TREEPLAN_H

#include "base/sqliteapi.h"

#include <stdbool.h>

/*
 * What xBestIndex can hand to xFilter, in the order in which xFilter gets them.  A plan, which is
 * SQLite's idxNum, has a bit for each.
 */
enum mfs_treeplan_argument {
    MFS_TREEPLAN_ROOT,  /* root = ? */
    MFS_TREEPLAN_DEPTH, /* depth = ? */
    MFS_TREEPLAN_PATH,  /* path = ? */
    MFS_TREEPLAN_GLOB,  /* path GLOB ? */
    MFS_TREEPLAN_LIKE,  /* path LIKE ? */
    MFS_TREEPLAN_LOW,   /* path > ? or path >= ? */
    MFS_TREEPLAN_HIGH,  /* path < ? or path <= ? */
    MFS_TREEPLAN_ARGUMENT_COUNT
};

/* xBestIndex.  SQLITE_CONSTRAINT: not in this order of the join. */
int mfs_treeplan_make(sqlite3_index_info *info);

/* Whether a plan hands over the argument. */
static inline bool mfs_treeplan_has(int plan, enum mfs_treeplan_argument argument)
{
    return (plan >> argument & 1) != 0;
}

#endif
