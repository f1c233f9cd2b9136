/* The columns of memfs_tree, and what an entry has in them. */
#ifndef MFS_TREECOLUMNS_H
#define MFS_TREECOLUMNS_H

#include "base/sqliteapi.h"
#include "sql/treescan.h"

#define MFS_TREECOLUMNS_TABLE "memfs_tree"

enum mfs_treecolumn {
    MFS_TREECOLUMN_PATH,
    MFS_TREECOLUMN_NAME,
    MFS_TREECOLUMN_PARENT,
    MFS_TREECOLUMN_KIND,
    MFS_TREECOLUMN_SIZE_BYTES,
    MFS_TREECOLUMN_ALLOCATED_BYTES,
    MFS_TREECOLUMN_MODE,
    MFS_TREECOLUMN_UID,
    MFS_TREECOLUMN_GID,
    MFS_TREECOLUMN_ACCESS_NS,
    MFS_TREECOLUMN_MODIFY_NS,
    MFS_TREECOLUMN_CHANGE_NS,
    MFS_TREECOLUMN_BIRTH_NS,
    MFS_TREECOLUMN_LINKS,
    MFS_TREECOLUMN_NUMBER,
    MFS_TREECOLUMN_DATA,
    MFS_TREECOLUMN_ROOT, /* hidden, as what follows: the arguments of the function */
    MFS_TREECOLUMN_DEPTH
};

/* The CREATE TABLE statement that declares them to SQLite. */
extern const char mfs_treecolumns_schema[];

/* Sets the result to what the scan's current entry has in a column that is not hidden. */
void mfs_treecolumns_result(sqlite3_context *context, struct mfs_treescan *scan,
                            enum mfs_treecolumn column);

#endif
