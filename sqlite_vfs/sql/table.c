/*
 * memfs_tree: a scan of the tree as a virtual table.
 *
 * 1. `path` is where an entry really is: absolute, without a link on the way.  So `path = ?` is a
 *    look-up, and a spelling that a scan would not show ("/a/../b") finds nothing there either.
 * 2. Between two rows only directories are open, and no lock is held.
 * 3. The arguments of a scan are copied, since SQLite's values do not outlive xFilter.
 *
 * Cost: a scan opens the directories from the root to the current entry, which are charged to the
 * file system; `path = ?` opens nothing.
 *
 * Left undone on purpose: there is no xCreate, so the table exists without CREATE VIRTUAL TABLE and
 * cannot be created under another name; no xUpdate, so it is read-only; and no xRowid, since it
 * has a primary key.
 */
#include "sql/table.h"

#include "base/assertion.h"
#include "sql/pathrange.h"
#include "sql/sqlvalue.h"
#include "sql/treecolumns.h"
#include "sql/treeplan.h"
#include "sql/treescan.h"

#include <memfs/memfs.h>
#include <stdbool.h>
#include <string.h>

struct tree_table {
    sqlite3_vtab base; /* first: SQLite's pointer is ours */
    memfs *fs;
};

struct tree_cursor {
    sqlite3_vtab_cursor base; /* first: SQLite's pointer is ours */
    struct mfs_treescan scan;
    struct mfs_pathrange range;
    char *texts[MFS_TREEPLAN_ARGUMENT_COUNT]; /* copies of the arguments that are texts */
    int64_t depth;
    bool is_at_end;
};

/* ------------------------------------------------------------------- opening */

static int table_connect(sqlite3 *db, void *fs, int count, const char *const *arguments,
                         sqlite3_vtab **out, char **message)
{
    (void)count;
    (void)arguments;
    (void)message;
    int rc = sqlite3_declare_vtab(db, mfs_treecolumns_schema);
    if (rc != SQLITE_OK)
        return rc;
    struct tree_table *table = sqlite3_malloc64(sizeof *table);
    if (table == NULL)
        return SQLITE_NOMEM;
    memset(table, 0, sizeof *table);
    table->fs = fs;
    *out = &table->base;
    return SQLITE_OK;
}

static int table_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    (void)base;
    return mfs_treeplan_make(info);
}

static int table_disconnect(sqlite3_vtab *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
    struct tree_table *table = (struct tree_table *)base;
    struct tree_cursor *cursor = sqlite3_malloc64(sizeof *cursor);
    if (cursor == NULL)
        return SQLITE_NOMEM;
    memset(cursor, 0, sizeof *cursor);
    mfs_treescan_init(&cursor->scan, table->fs);
    *out = &cursor->base;
    return SQLITE_OK;
}

static void reset_cursor(struct tree_cursor *cursor)
{
    mfs_treescan_fini(&cursor->scan);
    memset(&cursor->range, 0, sizeof cursor->range);
    for (int argument = 0; argument < MFS_TREEPLAN_ARGUMENT_COUNT; argument++) {
        sqlite3_free(cursor->texts[argument]);
        cursor->texts[argument] = NULL;
    }
    cursor->depth = MFS_TREESCAN_NO_LIMIT;
    cursor->is_at_end = true;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
    struct tree_cursor *cursor = (struct tree_cursor *)base;
    reset_cursor(cursor);
    sqlite3_free(cursor);
    return SQLITE_OK;
}

/* ----------------------------------------------------------------- arguments */

static int fail_scan(struct tree_cursor *cursor, const char *what, int error)
{
    sqlite3_vtab *table = cursor->base.pVtab;
    sqlite3_free(table->zErrMsg);
    table->zErrMsg = sqlite3_mprintf(MFS_TREECOLUMNS_TABLE ": %s: %s", what,
                                     memfs_error_text(error));
    return mfs_sqlvalue_code(error);
}

static int keep_text(struct tree_cursor *cursor, enum mfs_treeplan_argument argument,
                     sqlite3_value *value)
{
    size_t count;
    char *text = mfs_sqlvalue_copy(value, &count);
    if (text == NULL)
        return SQLITE_NOMEM;
    MFS_ASSERT(cursor->texts[argument] == NULL);
    cursor->texts[argument] = text;
    if (argument == MFS_TREEPLAN_ROOT && strlen(text) != count)
        return fail_scan(cursor, "a root with a NUL in it", MEMFS_EINVAL);
    return SQLITE_OK;
}

static int keep_depth(struct tree_cursor *cursor, sqlite3_value *value)
{
    if (sqlite3_value_type(value) == SQLITE_NULL)
        return SQLITE_OK;
    if (sqlite3_value_numeric_type(value) != SQLITE_INTEGER || sqlite3_value_int64(value) < 0)
        return fail_scan(cursor, "the depth", MEMFS_EINVAL);
    cursor->depth = sqlite3_value_int64(value);
    return SQLITE_OK;
}

/*
 * Copies the arguments that the plan hands over.  A bound that is not a text limits no scan; SQLite
 * compares with it.  `*is_empty`: one is NULL, which nothing equals.
 */
static int keep_arguments(struct tree_cursor *cursor, int plan, sqlite3_value **values,
                          bool *is_empty)
{
    int next = 0;
    int rc = SQLITE_OK;
    MFS_ASSERT(plan >> MFS_TREEPLAN_ARGUMENT_COUNT == 0);
    for (int argument = 0; argument < MFS_TREEPLAN_ARGUMENT_COUNT && rc == SQLITE_OK; argument++) {
        if (!mfs_treeplan_has(plan, (enum mfs_treeplan_argument)argument))
            continue;
        sqlite3_value *value = values[next++];
        int type = sqlite3_value_type(value);
        if (argument == MFS_TREEPLAN_DEPTH)
            rc = keep_depth(cursor, value);
        else if (type == SQLITE_NULL)
            *is_empty = true;
        else if (type == SQLITE_TEXT || argument == MFS_TREEPLAN_ROOT)
            rc = keep_text(cursor, (enum mfs_treeplan_argument)argument, value);
    }
    return rc;
}

static size_t length_of(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

static void set_range(struct tree_cursor *cursor)
{
    char **texts = cursor->texts;
    struct mfs_pathrange *range = &cursor->range;
    range->low = texts[MFS_TREEPLAN_LOW];
    range->low_length = length_of(range->low);
    range->high = texts[MFS_TREEPLAN_HIGH];
    range->high_length = length_of(range->high);
    if (texts[MFS_TREEPLAN_GLOB] != NULL) {
        range->prefix = texts[MFS_TREEPLAN_GLOB];
        range->prefix_length = mfs_pathrange_glob_prefix(range->prefix, length_of(range->prefix));
    } else if (texts[MFS_TREEPLAN_LIKE] != NULL) {
        range->prefix = texts[MFS_TREEPLAN_LIKE];
        range->prefix_length = mfs_pathrange_like_prefix(range->prefix, length_of(range->prefix));
        range->ignores_case = true;
    }
    MFS_ASSERT(range->prefix_length <= length_of(range->prefix));
}

/* ---------------------------------------------------------------------- rows */

/* Notes what a step of the scan returned: 1, 0 at the end, or an error. */
static int finish_step(struct tree_cursor *cursor, int found)
{
    MFS_ASSERT(found <= 1);
    cursor->is_at_end = found != 1;
    if (found >= 0)
        return SQLITE_OK;
    return fail_scan(cursor, cursor->scan.path != NULL ? cursor->scan.path : "the root", found);
}

/* Whether `path` is `root` itself or at most `depth` levels below it. */
static bool is_within(const char *path, const char *root, int64_t depth)
{
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    MFS_ASSERT(root[0] == '/');
    if (strcmp(path, "/") == 0)
        return length == 0;
    if (strncmp(path, root, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return false;
    int64_t levels = 0;
    for (const char *next = path + length; *next != '\0'; next++)
        levels += *next == '/';
    return levels <= depth;
}

/* From the root, where the scan stands: goes to the one entry that is asked for, if the scan would
 * come to it. */
static int look_up(struct tree_cursor *cursor, const char *path)
{
    if (strlen(path) > MEMFS_PATH_MAX) {
        /* A path may be longer than what memfs takes as an argument: only a scan finds it. */
        cursor->range.low = cursor->range.high = path;
        cursor->range.low_length = cursor->range.high_length = strlen(path);
        return 1;
    }
    if (!is_within(path, cursor->scan.path, cursor->depth))
        return 0;
    int found = mfs_treescan_start(&cursor->scan, path, 0, NULL);
    if (found == MEMFS_ENAMETOOLONG)
        return 0; /* one of its names is longer than any in the tree */
    if (found == 1 && strcmp(cursor->scan.path, path) != 0)
        return 0; /* another spelling: a link is on the way */
    return found;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int plan, const char *plan_name, int count,
                         sqlite3_value **values)
{
    (void)plan_name;
    (void)count;
    struct tree_cursor *cursor = (struct tree_cursor *)base;
    bool is_empty = false;
    reset_cursor(cursor);
    int rc = keep_arguments(cursor, plan, values, &is_empty);
    if (rc != SQLITE_OK || is_empty)
        return rc;
    set_range(cursor);
    const char *root = cursor->texts[MFS_TREEPLAN_ROOT];
    int found = mfs_treescan_start(&cursor->scan, root != NULL ? root : "/", cursor->depth,
                                   &cursor->range);
    if (found == 1 && cursor->texts[MFS_TREEPLAN_PATH] != NULL)
        found = look_up(cursor, cursor->texts[MFS_TREEPLAN_PATH]);
    return finish_step(cursor, found);
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
    struct tree_cursor *cursor = (struct tree_cursor *)base;
    MFS_ASSERT(!cursor->is_at_end);
    return finish_step(cursor, mfs_treescan_next(&cursor->scan));
}

static int cursor_is_at_end(sqlite3_vtab_cursor *base)
{
    return ((struct tree_cursor *)base)->is_at_end;
}

/* ------------------------------------------------------------------- columns */

static void result_argument(sqlite3_context *context, const struct tree_cursor *cursor, int column)
{
    const char *root = cursor->texts[MFS_TREEPLAN_ROOT];
    if (column == MFS_TREECOLUMN_ROOT)
        sqlite3_result_text(context, root != NULL ? root : "/", -1, SQLITE_TRANSIENT);
    else if (cursor->depth != MFS_TREESCAN_NO_LIMIT)
        sqlite3_result_int64(context, cursor->depth);
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
    struct tree_cursor *cursor = (struct tree_cursor *)base;
    MFS_ASSERT(!cursor->is_at_end);
    if (column < MFS_TREECOLUMN_ROOT)
        mfs_treecolumns_result(context, &cursor->scan, (enum mfs_treecolumn)column);
    else
        result_argument(context, cursor, column);
    return SQLITE_OK;
}

static const sqlite3_module table_module = {
    .iVersion = 1,
    .xConnect = table_connect,
    .xBestIndex = table_best_index,
    .xDisconnect = table_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_is_at_end,
    .xColumn = cursor_column,
};

int mfs_table_register(sqlite3 *db, memfs *fs)
{
    MFS_ASSERT(fs != NULL);
    return sqlite3_create_module_v2(db, MFS_TREECOLUMNS_TABLE, &table_module, fs, NULL);
}

void mfs_table_remove(sqlite3 *db)
{
    (void)sqlite3_create_module_v2(db, MFS_TREECOLUMNS_TABLE, NULL, NULL, NULL);
}
