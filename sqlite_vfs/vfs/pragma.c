/*
 * The PRAGMAs: figures of the file system, limits to read and set, a copy of the database, and
 * snapshots of the tree.  `pragmas`, at the end, is the list of all of them.
 *
 * 1. Each answers one row of one column, or fails with a message that begins with its name.
 * 2. A PRAGMA that is refused has changed nothing.  Where the program has reserved control of the
 *    file system for itself (MEMFS_SQLITE_REGISTER_NO_CONTROL), one that sets a limit answers with
 *    the present limit, and one that makes or removes something is refused.
 * 3. A name that begins with "memfs_" and is not in the list is an error.  SQLITE_NOTFOUND would
 *    make SQLite ignore it, and a misspelt limit would never be set.
 *
 * Cost: one search through the list, and one memfs_statfs() for a figure.
 *
 * Left undone on purpose: memfs_snapshot_restore.  The connection that asked for it would be left
 * with a database file that has no name any more.
 */
#include "vfs/pragma.h"

#include "base/amount.h"
#include "base/assertion.h"
#include "base/errmap.h"
#include "base/json.h"
#include "locks/publishing.h"
#include "transaction/dbcopy.h"
#include "transaction/estimate.h"

#include <stddef.h>

#define PRAGMA_PREFIX "memfs_"

/* One PRAGMA that is being served. */
struct pragma_call {
    struct mfs_file *file;
    struct mfs_member *member;
    const char *name;
    const char *value; /* null: none was given */
    char **answer;
};

/* `text` is on SQLite's heap; null: SQLite had no memory for it. */
static int give_answer(const struct pragma_call *call, char *text)
{
    if (text == NULL)
        return SQLITE_NOMEM;
    *call->answer = text;
    return SQLITE_OK;
}

static int refuse_pragma(const struct pragma_call *call, int code, char *text)
{
    MFS_ASSERT(code != SQLITE_OK && code != SQLITE_NOTFOUND);
    *call->answer = text;
    return text != NULL ? code : SQLITE_NOMEM;
}

/* Because memfs returned `error`.  Only SQLITE_FULL and SQLITE_NOMEM tell a program what to do. */
static int refuse_pragma_for(const struct pragma_call *call, int error)
{
    MFS_ASSERT(error < 0);
    int code = mfs_errmap(MFS_OPERATION_OPEN, error);
    if (code != SQLITE_FULL && code != SQLITE_NOMEM)
        code = SQLITE_ERROR;
    return refuse_pragma(call, code,
                         sqlite3_mprintf("%s: %s", call->name, memfs_error_text(error)));
}

static memfs_statfs_info tree_figures(const struct pragma_call *call)
{
    memfs_statfs_info info;
    info.struct_size = sizeof info;
    int error = memfs_statfs(call->file->fs, &info);
    MFS_ASSERT(error == 0);
    return info;
}

/* ------------------------------------------------------------------- figures */

/* SQLite's integers are signed: the figure of something unlimited is the largest of them. */
static int answer_number(const struct pragma_call *call, uint64_t number)
{
    if (number > INT64_MAX)
        number = INT64_MAX;
    return give_answer(call, sqlite3_mprintf("%lld", (sqlite3_int64)number));
}

static int answer_used(const struct pragma_call *call)
{
    return answer_number(call, tree_figures(call).used_bytes);
}

static int answer_committed(const struct pragma_call *call)
{
    return answer_number(call, tree_figures(call).committed_bytes);
}

static int answer_peak(const struct pragma_call *call)
{
    return answer_number(call, tree_figures(call).peak_bytes);
}

static int answer_preallocated(const struct pragma_call *call)
{
    return answer_number(call, tree_figures(call).preallocated_bytes);
}

static int answer_available(const struct pragma_call *call)
{
    return answer_number(call, tree_figures(call).available_bytes);
}

static int answer_pages(const struct pragma_call *call)
{
    return answer_number(call, tree_figures(call).pages_used);
}

static uint64_t count_nodes(const memfs_statfs_info *info)
{
    return info->files + info->directories + info->symlinks;
}

static int answer_nodes(const struct pragma_call *call)
{
    memfs_statfs_info info = tree_figures(call);
    return answer_number(call, count_nodes(&info));
}

static int answer_version(const struct pragma_call *call)
{
    return give_answer(call, sqlite3_mprintf("%s", memfs_version()));
}

/* A JSON object with a member for each class, in the order of enum memfs_class. */
static int answer_used_by_class(const struct pragma_call *call)
{
    static const char *const class_names[MEMFS_CLASS_COUNT] = {
        "data", "tables", "nodes", "names", "handles", "charged", "snapshots",
    };
    memfs_statfs_info info = tree_figures(call);
    sqlite3_str *out = sqlite3_str_new(NULL);
    for (int index = 0; index < MEMFS_CLASS_COUNT; index++) {
        MFS_ASSERT(class_names[index] != NULL);
        sqlite3_str_appendf(out, "%c\"%s\":%llu", index == 0 ? '{' : ',', class_names[index],
                            (sqlite3_uint64)info.class_bytes[index]);
    }
    sqlite3_str_appendchar(out, 1, '}');
    return give_answer(call, sqlite3_str_finish(out));
}

static int answer_readers(const struct pragma_call *call)
{
    struct mfs_readers readers = mfs_publishing_count_readers(call->member);
    MFS_ASSERT(readers.outdated <= readers.total);
    return give_answer(call, sqlite3_mprintf("{\"readers\":%u,\"outdated\":%u,\"behind\":%llu}",
                                             readers.total, readers.outdated,
                                             (sqlite3_uint64)readers.behind));
}

/* -------------------------------------------------------------------- limits */

static int refuse_value(const struct pragma_call *call)
{
    return refuse_pragma(call, SQLITE_ERROR,
                         sqlite3_mprintf("%s: \"%s\" is not a number (digits, and at most one of"
                                         " K, M, G, T; 0 for no limit)",
                                         call->name, call->value));
}

/* EBUSY: the new limit is below `present`, what is in use now. */
static int refuse_limit(const struct pragma_call *call, int error, uint64_t present)
{
    if (error != MEMFS_EBUSY)
        return refuse_pragma_for(call, error);
    return refuse_pragma(
        call, SQLITE_ERROR,
        sqlite3_mprintf("%s: %llu are in use", call->name, (sqlite3_uint64)present));
}

static int serve_quota(const struct pragma_call *call)
{
    uint64_t quota_bytes;
    if (call->value != NULL) {
        if (!mfs_amount_read(call->value, &quota_bytes))
            return refuse_value(call);
        int error = memfs_set_quota(call->file->fs, quota_bytes);
        MFS_ASSERT(error <= 0);
        if (error != 0)
            return refuse_limit(call, error, tree_figures(call).committed_bytes);
    }
    return answer_number(call, tree_figures(call).quota_bytes);
}

static int serve_emergency_reserve(const struct pragma_call *call)
{
    uint64_t emergency_reserve_bytes;
    if (call->value != NULL) {
        if (!mfs_amount_read(call->value, &emergency_reserve_bytes))
            return refuse_value(call);
        int error = memfs_set_emergency_reserve(call->file->fs, emergency_reserve_bytes);
        MFS_ASSERT(error == 0);
    }
    return answer_number(call, tree_figures(call).emergency_reserve_bytes);
}

/* The value is the number of a table's indexes; none: 1. */
static int answer_reserve_estimate(const struct pragma_call *call)
{
    uint64_t indexes = 1;
    if (call->value != NULL && !mfs_amount_read(call->value, &indexes))
        return refuse_value(call);
    return answer_number(call, mfs_estimate_delete_bytes(call->file, indexes));
}

static int serve_node_limit(const struct pragma_call *call)
{
    uint64_t limit;
    if (call->value != NULL) {
        if (!mfs_amount_read(call->value, &limit))
            return refuse_value(call);
        int error = memfs_set_node_limit(call->file->fs, limit);
        if (error != 0) {
            memfs_statfs_info info = tree_figures(call);
            return refuse_limit(call, error, count_nodes(&info));
        }
    }
    return answer_number(call, tree_figures(call).node_limit);
}

/* ---------------------------------------------------------------------- copy */

static int serve_copy_database(const struct pragma_call *call)
{
    const char *why = NULL;
    if (call->value == NULL)
        return refuse_pragma(call, SQLITE_ERROR,
                             sqlite3_mprintf("%s: the copy's name is missing", call->name));
    int error = mfs_dbcopy_make(call->file, call->member, call->value, &why);
    if (error == 0)
        return give_answer(call, sqlite3_mprintf("%s", call->value));
    if (error == MEMFS_EBUSY && why != NULL)
        return refuse_pragma(call, SQLITE_BUSY, sqlite3_mprintf("%s: %s", call->name, why));
    return refuse_pragma_for(call, error);
}

/* ----------------------------------------------------------------- snapshots */

static int serve_snapshot_name(const struct pragma_call *call, int (*run)(memfs *, const char *))
{
    if (call->value == NULL)
        return refuse_pragma(call, SQLITE_ERROR,
                             sqlite3_mprintf("%s: the snapshot's name is missing", call->name));
    int error = run(call->file->fs, call->value);
    return error == 0 ? give_answer(call, sqlite3_mprintf("%s", call->value))
                      : refuse_pragma_for(call, error);
}

static int serve_snapshot_take(const struct pragma_call *call)
{
    return serve_snapshot_name(call, memfs_snapshot_take);
}

static int serve_snapshot_remove(const struct pragma_call *call)
{
    return serve_snapshot_name(call, memfs_snapshot_remove);
}

static int refuse_snapshot_restore(const struct pragma_call *call)
{
    return refuse_pragma(call, SQLITE_ERROR,
                         sqlite3_mprintf("%s: no connection may be open while the tree is put back;"
                                         " call memfs_snapshot_restore() in C",
                                         call->name));
}

static int answer_snapshot_list(const struct pragma_call *call)
{
    memfs *fs = call->file->fs;
    memfs_list list = {.struct_size = sizeof list};
    int error = memfs_snapshot_list(fs, &list);
    if (error != 0)
        return refuse_pragma_for(call, error);
    sqlite3_str *out = sqlite3_str_new(NULL);
    for (size_t index = 0; index < list.count; index++) {
        sqlite3_str_appendchar(out, 1, index == 0 ? '[' : ',');
        mfs_json_append_string(out, list.names[index]);
    }
    sqlite3_str_appendall(out, list.count == 0 ? "[]" : "]");
    memfs_list_free(fs, &list);
    return give_answer(call, sqlite3_str_finish(out));
}

/* ------------------------------------------------------------------ the list */

/* What a value is: nothing, a limit of the file system, the name of what is made or removed, or a
 * part of a question, which changes nothing. */
enum pragma_value { TAKES_NO_VALUE, TAKES_LIMIT, TAKES_NAME, TAKES_QUESTION };

/*
 * All PRAGMAs, sorted by name.  A new one is a row here and a function above, and besides:
 * a row in the table of MANUAL.md (a lint compares the two), an entry in CHANGELOG.md, and a test
 * in tests/sqlite/vfs/pragma_test.c.
 */
static const struct pragma {
    const char *name;
    int (*serve)(const struct pragma_call *call);
    enum pragma_value takes;
} pragmas[] = {
    {PRAGMA_PREFIX "available", answer_available, TAKES_NO_VALUE},
    {PRAGMA_PREFIX "committed", answer_committed, TAKES_NO_VALUE},
    {PRAGMA_PREFIX "copy_database", serve_copy_database, TAKES_NAME},
    {PRAGMA_PREFIX "emergency_reserve", serve_emergency_reserve, TAKES_LIMIT},
    {PRAGMA_PREFIX "node_limit", serve_node_limit, TAKES_LIMIT},
    {PRAGMA_PREFIX "nodes", answer_nodes, TAKES_NO_VALUE},
    {PRAGMA_PREFIX "pages", answer_pages, TAKES_NO_VALUE},
    {PRAGMA_PREFIX "peak", answer_peak, TAKES_NO_VALUE},
    {PRAGMA_PREFIX "preallocated", answer_preallocated, TAKES_NO_VALUE},
    {PRAGMA_PREFIX "quota", serve_quota, TAKES_LIMIT},
    {PRAGMA_PREFIX "readers", answer_readers, TAKES_NO_VALUE},
    {PRAGMA_PREFIX "reserve_estimate", answer_reserve_estimate, TAKES_QUESTION},
    {PRAGMA_PREFIX "snapshot_list", answer_snapshot_list, TAKES_NO_VALUE},
    {PRAGMA_PREFIX "snapshot_remove", serve_snapshot_remove, TAKES_NAME},
    {PRAGMA_PREFIX "snapshot_restore", refuse_snapshot_restore, TAKES_NAME},
    {PRAGMA_PREFIX "snapshot_take", serve_snapshot_take, TAKES_NAME},
    {PRAGMA_PREFIX "used", answer_used, TAKES_NO_VALUE},
    {PRAGMA_PREFIX "used_by_class", answer_used_by_class, TAKES_NO_VALUE},
    {PRAGMA_PREFIX "version", answer_version, TAKES_NO_VALUE},
};

/* With a value, where SQL may change nothing: a limit is answered as if it had been asked for. */
static int serve_without_control(const struct pragma *pragma, struct pragma_call *call)
{
    MFS_ASSERT(call->value != NULL && pragma->takes != TAKES_NO_VALUE);
    if (pragma->takes == TAKES_NAME)
        return refuse_pragma(
            call, SQLITE_PERM,
            sqlite3_mprintf("%s: SQL may not change this file system", call->name));
    call->value = NULL;
    return pragma->serve(call);
}

int mfs_pragma_serve(struct mfs_file *file, struct mfs_member *member, char **words)
{
    struct pragma_call call = {file, member, words[1], words[2], &words[0]};
    MFS_ASSERT(file != NULL && member != NULL);
    if (sqlite3_strnicmp(call.name, PRAGMA_PREFIX, sizeof PRAGMA_PREFIX - 1) != 0)
        return SQLITE_NOTFOUND;
    for (size_t index = 0; index < sizeof pragmas / sizeof pragmas[0]; index++) {
        const struct pragma *pragma = &pragmas[index];
        if (sqlite3_stricmp(call.name, pragma->name) != 0)
            continue;
        if (call.value != NULL && pragma->takes == TAKES_NO_VALUE)
            return refuse_pragma(&call, SQLITE_ERROR,
                                 sqlite3_mprintf("%s takes no value", call.name));
        if (call.value != NULL && member->refuses_control && pragma->takes != TAKES_QUESTION)
            return serve_without_control(pragma, &call);
        return pragma->serve(&call);
    }
    return refuse_pragma(&call, SQLITE_ERROR, sqlite3_mprintf("no such PRAGMA: %s", call.name));
}
