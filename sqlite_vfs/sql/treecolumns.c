/*
 * The columns of memfs_tree.
 *
 * 1. Those of attributes bear the names of memfs_stat_info's fields, and so do the members of
 *    memfs_stat()'s object: one name for one thing in C and in SQL.
 * 2. Attributes are those of the moment when the row came up.  The content is read only when the
 *    query asks for `data`, and is that of this later moment.
 * 3. A row is identified by path, root and depth, which are the primary key.  For OR SQLite runs
 *    several scans and drops rows of a key that it has seen, so two names of one file must
 *    not share a key, as they would if it were the node's number.
 */
#include "sql/treecolumns.h"

#include "base/assertion.h"
#include "sql/sqlvalue.h"

#include <string.h>

/* In the order of enum mfs_treecolumn.  SQL.md lists them, and a lint compares the two. */
const char mfs_treecolumns_schema[] = "CREATE TABLE " MFS_TREECOLUMNS_TABLE "("
                                      "path TEXT,"
                                      " name TEXT,"
                                      " parent TEXT,"
                                      " kind TEXT,"
                                      " size_bytes INTEGER,"
                                      " allocated_bytes INTEGER,"
                                      " mode INTEGER,"
                                      " uid INTEGER,"
                                      " gid INTEGER,"
                                      " access_ns INTEGER,"
                                      " modify_ns INTEGER,"
                                      " change_ns INTEGER,"
                                      " birth_ns INTEGER,"
                                      " links INTEGER,"
                                      " number INTEGER,"
                                      " data,"
                                      " root TEXT HIDDEN,"
                                      " depth INTEGER HIDDEN,"
                                      " PRIMARY KEY(path, root, depth)) WITHOUT ROWID";

static void result_bytes(sqlite3_context *context, const char *bytes, size_t length)
{
    sqlite3_result_text64(context, bytes, length, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void result_file(sqlite3_context *context, struct mfs_treescan *scan)
{
    memfs_file *file;
    int error = mfs_treescan_open(scan, &file);
    if (error == 0) {
        error = mfs_sqlvalue_content(context, file, 0, MFS_SQLVALUE_TO_THE_END);
        (void)memfs_close(file);
    }
    /* ENOENT, EISDIR: the name no longer leads to the file that the row is about.  NULL then. */
    if (error != 0 && error != MEMFS_ENOENT && error != MEMFS_EISDIR)
        mfs_sqlvalue_fail(context, MFS_TREECOLUMNS_TABLE, scan->path, error);
}

static void result_target(sqlite3_context *context, struct mfs_treescan *scan)
{
    char target[MEMFS_PATH_MAX];
    int64_t length = mfs_treescan_readlink(scan, target, sizeof target);
    if (length >= 0)
        result_bytes(context, target, (size_t)length);
}

/* path, name, parent.  The name of the root is "/", and it has no parent. */
static void result_place(sqlite3_context *context, const struct mfs_treescan *scan,
                         enum mfs_treecolumn column)
{
    size_t name_start = scan->name_start;
    bool is_root = scan->path_length == 1;
    MFS_ASSERT(scan->path[0] == '/' && name_start <= scan->path_length);
    if (column == MFS_TREECOLUMN_PATH || (column == MFS_TREECOLUMN_NAME && is_root))
        result_bytes(context, scan->path, scan->path_length);
    else if (column == MFS_TREECOLUMN_NAME)
        result_bytes(context, scan->path + name_start, scan->path_length - name_start);
    else if (!is_root)
        result_bytes(context, scan->path, name_start > 1 ? name_start - 1 : 1);
}

static sqlite3_int64 attribute_of(const memfs_stat_info *info, enum mfs_treecolumn column)
{
    switch (column) {
    case MFS_TREECOLUMN_SIZE_BYTES:
        return (sqlite3_int64)info->size_bytes;
    case MFS_TREECOLUMN_ALLOCATED_BYTES:
        return (sqlite3_int64)info->allocated_bytes;
    case MFS_TREECOLUMN_MODE:
        return info->mode;
    case MFS_TREECOLUMN_UID:
        return info->uid;
    case MFS_TREECOLUMN_GID:
        return info->gid;
    case MFS_TREECOLUMN_ACCESS_NS:
        return info->access_ns;
    case MFS_TREECOLUMN_MODIFY_NS:
        return info->modify_ns;
    case MFS_TREECOLUMN_CHANGE_NS:
        return info->change_ns;
    case MFS_TREECOLUMN_BIRTH_NS:
        return info->birth_ns;
    case MFS_TREECOLUMN_LINKS:
        return info->links;
    default:
        MFS_ASSERT(column == MFS_TREECOLUMN_NUMBER);
        return (sqlite3_int64)info->number;
    }
}

void mfs_treecolumns_result(sqlite3_context *context, struct mfs_treescan *scan,
                            enum mfs_treecolumn column)
{
    uint32_t kind = scan->stat.kind;
    MFS_ASSERT(column < MFS_TREECOLUMN_ROOT);
    if (column <= MFS_TREECOLUMN_PARENT)
        result_place(context, scan, column);
    else if (column == MFS_TREECOLUMN_KIND)
        sqlite3_result_text(context, mfs_sqlvalue_kind(kind), -1, SQLITE_STATIC);
    else if (column < MFS_TREECOLUMN_DATA)
        sqlite3_result_int64(context, attribute_of(&scan->stat, column));
    else if (kind == MEMFS_KIND_FILE)
        result_file(context, scan);
    else if (kind == MEMFS_KIND_SYMLINK)
        result_target(context, scan);
}
