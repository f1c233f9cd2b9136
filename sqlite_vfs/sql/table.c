/*
 * The table of entries.
 *
 * 1. A constraint only ever saves work.  But for root and depth, which are arguments, none is
 *    marked `omit`: SQLite compares again, so a row too many does no harm, and a row too few
 *    is what must not be.
 * 2. `path` is where an entry really is: absolute, and no link on the way.  So path = ? is a
 *    lookup, and a spelling that a scan would not show ("/a/../b") finds nothing there either.
 * 3. Attributes are those of the moment when the row came up.  The content is read when the
 *    query asks for the column, and not before.
 * 4. A row is told from others by path, root and depth, and that is the primary key: OR makes
 *    SQLite run several lookups and drop what came twice, and hard links are no duplicates.
 *
 * Between two rows only directories are open; no lock is held.
 */
#include "sql/table.h"

#include "sql/pathrange.h"
#include "sql/sqlvalue.h"
#include "sql/treescan.h"

#include <memfs/memfs.h>
#include <stdbool.h>
#include <string.h>

#define NAME "memfs_tree"

enum column {
    COLUMN_PATH,
    COLUMN_NAME,
    COLUMN_PARENT,
    COLUMN_TYPE,
    COLUMN_SIZE,
    COLUMN_ALLOCATED,
    COLUMN_MODE,
    COLUMN_UID,
    COLUMN_GID,
    COLUMN_ACCESSED,
    COLUMN_MODIFIED,
    COLUMN_CHANGED,
    COLUMN_BORN,
    COLUMN_LINKS,
    COLUMN_NUMBER,
    COLUMN_DATA,
    COLUMN_ROOT,
    COLUMN_DEPTH
};

static const char schema[] =
    "CREATE TABLE memfs_tree(path TEXT, name TEXT, parent TEXT, type TEXT, size INTEGER,"
    " allocated INTEGER, mode INTEGER, uid INTEGER, gid INTEGER, accessed INTEGER,"
    " modified INTEGER, changed INTEGER, born INTEGER, links INTEGER, number INTEGER, data,"
    " root TEXT HIDDEN, depth INTEGER HIDDEN,"
    " PRIMARY KEY(path, root, depth)) WITHOUT ROWID";

/* What xBestIndex can pass on, in the order of the arguments; idxNum has a bit for each. */
enum argument {
    ARGUMENT_ROOT,
    ARGUMENT_DEPTH,
    ARGUMENT_PATH,
    ARGUMENT_GLOB,
    ARGUMENT_LIKE,
    ARGUMENT_LOW,
    ARGUMENT_HIGH,
    ARGUMENT_COUNT
};

struct table {
    sqlite3_vtab base; /* first: SQLite's pointer is ours */
    memfs *fs;
};

struct cursor {
    sqlite3_vtab_cursor base;
    struct mfs_treescan scan;
    struct mfs_pathrange range;
    char *texts[ARGUMENT_COUNT]; /* the arguments that are kept for the scan */
    int64_t depth;
    bool is_at_end;
};

/* ------------------------------------------------------------------ planning */

/* Which argument a usable constraint is, or ARGUMENT_COUNT. */
static enum argument argument_for(sqlite3_index_info *info, int index)
{
    int column = info->aConstraint[index].iColumn;
    int operation = info->aConstraint[index].op;
    if (column == COLUMN_ROOT || column == COLUMN_DEPTH) {
        if (operation != SQLITE_INDEX_CONSTRAINT_EQ)
            return ARGUMENT_COUNT;
        return column == COLUMN_ROOT ? ARGUMENT_ROOT : ARGUMENT_DEPTH;
    }
    if (column != COLUMN_PATH)
        return ARGUMENT_COUNT;
    if (operation == SQLITE_INDEX_CONSTRAINT_GLOB)
        return ARGUMENT_GLOB;
    if (operation == SQLITE_INDEX_CONSTRAINT_LIKE)
        return ARGUMENT_LIKE;
    if (sqlite3_stricmp(sqlite3_vtab_collation(info, index), "BINARY") != 0)
        return ARGUMENT_COUNT;
    switch (operation) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
        return ARGUMENT_PATH;
    case SQLITE_INDEX_CONSTRAINT_GT:
    case SQLITE_INDEX_CONSTRAINT_GE:
        return ARGUMENT_LOW;
    case SQLITE_INDEX_CONSTRAINT_LT:
    case SQLITE_INDEX_CONSTRAINT_LE:
        return ARGUMENT_HIGH;
    default:
        return ARGUMENT_COUNT;
    }
}

static bool has(int plan, enum argument argument)
{
    return (plan >> argument & 1) != 0;
}

/* Guesses: a tree has a million entries, a part of it a hundredth. */
static void estimate(sqlite3_index_info *info, int plan)
{
    static char lookup[] = "path";
    static char part[] = "part";
    static char whole[] = "whole";
    bool is_part = has(plan, ARGUMENT_GLOB) || has(plan, ARGUMENT_LIKE) ||
                   has(plan, ARGUMENT_LOW) || has(plan, ARGUMENT_HIGH);
    info->idxStr = has(plan, ARGUMENT_PATH) ? lookup : is_part ? part : whole;
    info->estimatedCost = 1e6;
    if (has(plan, ARGUMENT_ROOT))
        info->estimatedCost /= 100;
    if (has(plan, ARGUMENT_DEPTH))
        info->estimatedCost /= 10;
    if (is_part)
        info->estimatedCost /= 100;
    if (has(plan, ARGUMENT_PATH)) {
        info->estimatedCost = 1;
        info->idxFlags = SQLITE_INDEX_SCAN_UNIQUE;
    }
    info->estimatedRows = (sqlite3_int64)info->estimatedCost;
}

static int table_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    (void)base;
    int constraints[ARGUMENT_COUNT];
    int plan = 0;
    for (int index = 0; index < info->nConstraint; index++) {
        enum argument argument = argument_for(info, index);
        if (argument == ARGUMENT_COUNT)
            continue;
        if (!info->aConstraint[index].usable) {
            /* An argument has no value yet in this order of the join: not this order. */
            if (argument == ARGUMENT_ROOT || argument == ARGUMENT_DEPTH)
                return SQLITE_CONSTRAINT;
            continue;
        }
        if (!has(plan, argument))
            constraints[argument] = index;
        plan |= 1 << argument;
    }
    int count = 0;
    for (int argument = 0; argument < ARGUMENT_COUNT; argument++) {
        if (!has(plan, (enum argument)argument))
            continue;
        info->aConstraintUsage[constraints[argument]].argvIndex = ++count;
        info->aConstraintUsage[constraints[argument]].omit = argument == ARGUMENT_ROOT ||
                                                             argument == ARGUMENT_DEPTH;
    }
    info->idxNum = plan;
    estimate(info, plan);
    return SQLITE_OK;
}

/* ------------------------------------------------------------------- opening */

static int table_connect(sqlite3 *db, void *fs, int count, const char *const *arguments,
                         sqlite3_vtab **out, char **message)
{
    (void)count;
    (void)arguments;
    (void)message;
    int rc = sqlite3_declare_vtab(db, schema);
    if (rc != SQLITE_OK)
        return rc;
    struct table *table = sqlite3_malloc64(sizeof *table);
    if (table == NULL)
        return SQLITE_NOMEM;
    memset(table, 0, sizeof *table);
    table->fs = fs;
    *out = &table->base;
    return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
    struct table *table = (struct table *)base;
    struct cursor *cursor = sqlite3_malloc64(sizeof *cursor);
    if (cursor == NULL)
        return SQLITE_NOMEM;
    memset(cursor, 0, sizeof *cursor);
    mfs_treescan_init(&cursor->scan, table->fs);
    *out = &cursor->base;
    return SQLITE_OK;
}

static void reset(struct cursor *cursor)
{
    mfs_treescan_fini(&cursor->scan);
    memset(&cursor->range, 0, sizeof cursor->range);
    for (int argument = 0; argument < ARGUMENT_COUNT; argument++) {
        sqlite3_free(cursor->texts[argument]);
        cursor->texts[argument] = NULL;
    }
    cursor->depth = MFS_TREESCAN_NO_LIMIT;
    cursor->is_at_end = true;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
    struct cursor *cursor = (struct cursor *)base;
    reset(cursor);
    sqlite3_free(cursor);
    return SQLITE_OK;
}

/* ----------------------------------------------------------------- arguments */

static int fail(struct cursor *cursor, const char *what, int error)
{
    sqlite3_vtab *table = cursor->base.pVtab;
    sqlite3_free(table->zErrMsg);
    table->zErrMsg = sqlite3_mprintf(NAME ": %s: %s", what, memfs_error_text(error));
    return mfs_sqlvalue_code(error);
}

static int keep_text(struct cursor *cursor, enum argument argument, sqlite3_value *value)
{
    size_t count;
    char *text = mfs_sqlvalue_copy(value, &count);
    if (text == NULL)
        return SQLITE_NOMEM;
    cursor->texts[argument] = text;
    if (argument == ARGUMENT_ROOT && strlen(text) != count)
        return fail(cursor, "a root with a NUL in it", MEMFS_EINVAL);
    return SQLITE_OK;
}

static int keep_depth(struct cursor *cursor, sqlite3_value *value)
{
    if (sqlite3_value_type(value) == SQLITE_NULL)
        return SQLITE_OK;
    if (sqlite3_value_numeric_type(value) != SQLITE_INTEGER || sqlite3_value_int64(value) < 0)
        return fail(cursor, "the depth", MEMFS_EINVAL);
    cursor->depth = sqlite3_value_int64(value);
    return SQLITE_OK;
}

/*
 * Takes the arguments over.  Bounds that are no text are left to SQLite's own comparison.
 * `*is_empty`: NULL equals nothing.
 */
static int keep_arguments(struct cursor *cursor, int plan, sqlite3_value **values, bool *is_empty)
{
    int next = 0;
    int rc = SQLITE_OK;
    for (int argument = 0; argument < ARGUMENT_COUNT && rc == SQLITE_OK; argument++) {
        if (!has(plan, (enum argument)argument))
            continue;
        sqlite3_value *value = values[next++];
        int type = sqlite3_value_type(value);
        if (argument == ARGUMENT_DEPTH)
            rc = keep_depth(cursor, value);
        else if (type == SQLITE_NULL)
            *is_empty = true;
        else if (type == SQLITE_TEXT || argument == ARGUMENT_ROOT)
            rc = keep_text(cursor, (enum argument)argument, value);
    }
    return rc;
}

static size_t length_of(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

static void set_range(struct cursor *cursor)
{
    char **texts = cursor->texts;
    struct mfs_pathrange *range = &cursor->range;
    range->low = texts[ARGUMENT_LOW];
    range->low_length = length_of(range->low);
    range->high = texts[ARGUMENT_HIGH];
    range->high_length = length_of(range->high);
    if (texts[ARGUMENT_GLOB] != NULL) {
        range->prefix = texts[ARGUMENT_GLOB];
        range->prefix_length = mfs_pathrange_glob_prefix(range->prefix, length_of(range->prefix));
    } else if (texts[ARGUMENT_LIKE] != NULL) {
        range->prefix = texts[ARGUMENT_LIKE];
        range->prefix_length = mfs_pathrange_like_prefix(range->prefix, length_of(range->prefix));
        range->ignores_case = true;
    }
}

/* ---------------------------------------------------------------------- rows */

/* What a step of the scan came to: at the end or not, or an error. */
static int finish_step(struct cursor *cursor, int found)
{
    cursor->is_at_end = found != 1;
    if (found >= 0)
        return SQLITE_OK;
    return fail(cursor, cursor->scan.path != NULL ? cursor->scan.path : "the root", found);
}

/* Whether `path` is `root` or at most `depth` levels below. */
static bool is_within(const char *path, const char *root, int64_t depth)
{
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strcmp(path, "/") == 0)
        return length == 0;
    if (strncmp(path, root, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return false;
    int64_t levels = 0;
    for (const char *next = path + length; *next != '\0'; next++)
        levels += *next == '/';
    return levels <= depth;
}

/* The scan stands on the root; goes to the one path that is asked for, if it is within. */
static int look_up(struct cursor *cursor, const char *path)
{
    if (strlen(path) > MEMFS_PATH_MAX) {
        /* Too long to be looked up, and yet there are such: scan for it. */
        cursor->range.low = cursor->range.high = path;
        cursor->range.low_length = cursor->range.high_length = strlen(path);
        return 1;
    }
    if (!is_within(path, cursor->scan.path, cursor->depth))
        return 0;
    int found = mfs_treescan_start(&cursor->scan, path, 0, NULL);
    if (found == MEMFS_ENAMETOOLONG)
        return 0; /* of a name: nothing can be called that */
    if (found == 1 && strcmp(cursor->scan.path, path) != 0)
        return 0;
    return found;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int plan, const char *plan_name, int count,
                         sqlite3_value **values)
{
    (void)plan_name;
    (void)count;
    struct cursor *cursor = (struct cursor *)base;
    bool is_empty = false;
    reset(cursor);
    int rc = keep_arguments(cursor, plan, values, &is_empty);
    if (rc != SQLITE_OK || is_empty)
        return rc;
    set_range(cursor);
    const char *root = cursor->texts[ARGUMENT_ROOT];
    int found = mfs_treescan_start(&cursor->scan, root != NULL ? root : "/", cursor->depth,
                                   &cursor->range);
    if (found == 1 && cursor->texts[ARGUMENT_PATH] != NULL)
        found = look_up(cursor, cursor->texts[ARGUMENT_PATH]);
    return finish_step(cursor, found);
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
    struct cursor *cursor = (struct cursor *)base;
    return finish_step(cursor, mfs_treescan_next(&cursor->scan));
}

static int cursor_is_at_end(sqlite3_vtab_cursor *base)
{
    return ((struct cursor *)base)->is_at_end;
}

/* ------------------------------------------------------------------- columns */

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
    /* ENOENT, EISDIR: no longer the file that the row tells of. */
    if (error != 0 && error != MEMFS_ENOENT && error != MEMFS_EISDIR)
        mfs_sqlvalue_fail(context, NAME, scan->path, error);
}

/* A directory has no data, and neither has what is gone meanwhile: NULL. */
static void result_data(sqlite3_context *context, struct mfs_treescan *scan)
{
    if (scan->stat.kind == MEMFS_KIND_FILE)
        result_file(context, scan);
    if (scan->stat.kind != MEMFS_KIND_SYMLINK)
        return;
    char target[MEMFS_PATH_MAX];
    int64_t length = mfs_treescan_readlink(scan, target, sizeof target);
    if (length >= 0)
        result_bytes(context, target, (size_t)length);
}

static void result_type(sqlite3_context *context, uint32_t kind)
{
    const char *type = kind == MEMFS_KIND_DIRECTORY ? "directory"
                       : kind == MEMFS_KIND_SYMLINK ? "symlink"
                                                    : "file";
    sqlite3_result_text(context, type, -1, SQLITE_STATIC);
}

/* path, name, parent; the root's name is "/", and it has no parent. */
static void result_place(sqlite3_context *context, const struct mfs_treescan *scan, int column)
{
    size_t name_start = scan->name_start;
    bool is_root = scan->path_length == 1;
    if (column == COLUMN_PATH || (column == COLUMN_NAME && is_root))
        result_bytes(context, scan->path, scan->path_length);
    else if (column == COLUMN_NAME)
        result_bytes(context, scan->path + name_start, scan->path_length - name_start);
    else if (!is_root)
        result_bytes(context, scan->path, name_start > 1 ? name_start - 1 : 1);
}

static void result_argument(sqlite3_context *context, const struct cursor *cursor, int column)
{
    const char *root = cursor->texts[ARGUMENT_ROOT];
    if (column == COLUMN_ROOT)
        sqlite3_result_text(context, root != NULL ? root : "/", -1, SQLITE_TRANSIENT);
    else if (cursor->depth != MFS_TREESCAN_NO_LIMIT)
        sqlite3_result_int64(context, cursor->depth);
}

static sqlite3_int64 number_of(const memfs_stat_info *info, int column)
{
    switch (column) {
    case COLUMN_SIZE:
        return (sqlite3_int64)info->size_bytes;
    case COLUMN_ALLOCATED:
        return (sqlite3_int64)info->allocated_bytes;
    case COLUMN_MODE:
        return info->mode;
    case COLUMN_UID:
        return info->uid;
    case COLUMN_GID:
        return info->gid;
    case COLUMN_ACCESSED:
        return info->access_ns;
    case COLUMN_MODIFIED:
        return info->modify_ns;
    case COLUMN_CHANGED:
        return info->change_ns;
    case COLUMN_BORN:
        return info->birth_ns;
    case COLUMN_LINKS:
        return info->links;
    default:
        return (sqlite3_int64)info->number;
    }
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
    struct cursor *cursor = (struct cursor *)base;
    if (column <= COLUMN_PARENT)
        result_place(context, &cursor->scan, column);
    else if (column == COLUMN_TYPE)
        result_type(context, cursor->scan.stat.kind);
    else if (column < COLUMN_DATA)
        sqlite3_result_int64(context, number_of(&cursor->scan.stat, column));
    else if (column == COLUMN_DATA)
        result_data(context, &cursor->scan);
    else
        result_argument(context, cursor, column);
    return SQLITE_OK;
}

/* There is no xCreate, so the table is there without being created, and cannot be; no
 * xUpdate, so it is read-only; no xRowid, since it has a primary key. */
static const sqlite3_module module = {
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
    return sqlite3_create_module_v2(db, NAME, &module, fs, NULL);
}

void mfs_table_remove(sqlite3 *db)
{
    (void)sqlite3_create_module_v2(db, NAME, NULL, NULL, NULL);
}
