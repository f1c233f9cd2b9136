/*
 * The SQL functions.
 *
 * 1. What changes the tree or reaches the host is SQLITE_DIRECTONLY: a view or trigger in a
 *    database of somebody else's cannot do it.  Nothing is SQLITE_DETERMINISTIC, since the
 *    tree changes between two calls.
 * 2. Each function is one call of memfs, or is undone as a whole when it fails.
 * 3. They act at once.  A ROLLBACK does not undo them.
 *
 * SQLITE_FULL and SQLITE_NOMEM are codes after which SQLite itself may end the transaction
 * that is open on the connection (its sqlite3VdbeHalt); SQL.md says so.
 */
#include "sql/functions.h"

#include "base/json.h"
#include "names/parents.h"
#include "sql/hostaccess.h"
#include "sql/sqlvalue.h"

#include <stddef.h>

#define FILE_MODE 0644u
#define DIRECTORY_MODE 0755u

static memfs *fs_of(sqlite3_context *context)
{
    return sqlite3_user_data(context);
}

static void set_stat_size(memfs_stat_info *info)
{
    info->struct_size = sizeof *info;
}

/* That there is nothing of this name is an answer, not an error. */
static bool is_missing(int error)
{
    return error == MEMFS_ENOENT || error == MEMFS_ENOTDIR || error == MEMFS_ELOOP;
}

/* ------------------------------------------------------------------ reading */

/* A number that must not be negative.  False, and the result is an error, if it is. */
static bool read_count(sqlite3_context *context, sqlite3_value *value, const char *what,
                       int64_t *count)
{
    if (sqlite3_value_numeric_type(value) == SQLITE_INTEGER && sqlite3_value_int64(value) >= 0) {
        *count = sqlite3_value_int64(value);
        return true;
    }
    mfs_sqlvalue_fail(context, "memfs_read", what, MEMFS_EINVAL);
    return false;
}

/* memfs_read(path [, offset [, length]]) */
static void sql_read(sqlite3_context *context, int count, sqlite3_value **values)
{
    int64_t offset = 0;
    int64_t length = MFS_SQLVALUE_TO_THE_END;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return;
    const char *path = mfs_sqlvalue_path(context, "memfs_read", values, 0);
    if (path == NULL)
        return;
    if (count > 1 && !read_count(context, values[1], "the offset", &offset))
        return;
    if (count > 2 && !read_count(context, values[2], "the length", &length))
        return;
    memfs_file *file;
    int error = memfs_open(fs_of(context), path, MEMFS_O_READ, 0, &file);
    if (error == 0) {
        error = mfs_sqlvalue_content(context, file, offset, length);
        (void)memfs_close(file);
    }
    if (error != 0)
        mfs_sqlvalue_fail(context, "memfs_read", path, error);
}

static const char *kind_name(uint32_t kind)
{
    return kind == MEMFS_KIND_DIRECTORY ? "directory"
           : kind == MEMFS_KIND_SYMLINK ? "symlink"
                                        : "file";
}

static char *describe(const char *path, const memfs_stat_info *info)
{
    sqlite3_str *out = sqlite3_str_new(NULL);
    sqlite3_str_appendall(out, "{\"path\":");
    mfs_json_append_string(out, path);
    sqlite3_str_appendf(out,
                        ",\"type\":\"%s\",\"size\":%llu,\"allocated\":%llu,\"mode\":%u,"
                        "\"uid\":%u,\"gid\":%u,",
                        kind_name(info->kind), (unsigned long long)info->size,
                        (unsigned long long)info->allocated_bytes, info->mode, info->uid,
                        info->gid);
    sqlite3_str_appendf(out,
                        "\"accessed\":%lld,\"modified\":%lld,\"changed\":%lld,\"born\":%lld,"
                        "\"links\":%u,\"number\":%llu}",
                        (long long)info->access_ns, (long long)info->modify_ns,
                        (long long)info->change_ns, (long long)info->birth_ns, info->links,
                        (unsigned long long)info->number);
    return sqlite3_str_finish(out);
}

/* memfs_stat(path) */
static void sql_stat(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return;
    const char *path = mfs_sqlvalue_path(context, "memfs_stat", values, 0);
    if (path == NULL)
        return;
    memfs_stat_info info;
    set_stat_size(&info);
    int error = memfs_stat(fs_of(context), path, &info);
    if (is_missing(error))
        return;
    if (error != 0) {
        mfs_sqlvalue_fail(context, "memfs_stat", path, error);
        return;
    }
    char *text = describe(path, &info);
    if (text == NULL)
        sqlite3_result_error_nomem(context);
    else
        sqlite3_result_text(context, text, -1, sqlite3_free);
}

/* memfs_exists(path) */
static void sql_exists(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return;
    const char *path = mfs_sqlvalue_path(context, "memfs_exists", values, 0);
    if (path == NULL)
        return;
    int answer = memfs_exists(fs_of(context), path);
    if (answer < 0)
        mfs_sqlvalue_fail(context, "memfs_exists", path, answer);
    else
        sqlite3_result_int(context, answer);
}

/* ------------------------------------------------------------------ writing */

struct writing {
    const char *path;
    const void *data;
    size_t size;
};

/* The two arguments of memfs_write() and memfs_append(); false: the result is an error. */
static bool read_writing(sqlite3_context *context, const char *function, sqlite3_value **values,
                         struct writing *out)
{
    out->path = mfs_sqlvalue_path(context, function, values, 0);
    if (out->path == NULL)
        return false;
    int type = sqlite3_value_type(values[1]);
    if (type == SQLITE_NULL) {
        char *what = sqlite3_mprintf("%s: data is NULL", out->path);
        mfs_sqlvalue_fail(context, function, what != NULL ? what : out->path, MEMFS_EINVAL);
        sqlite3_free(what);
        return false;
    }
    /* Text is asked for as text, because its bytes might be UTF-16. */
    out->data = type == SQLITE_BLOB ? sqlite3_value_blob(values[1])
                                    : (const void *)sqlite3_value_text(values[1]);
    out->size = (size_t)sqlite3_value_bytes(values[1]);
    if (out->data == NULL && (out->size > 0 || type != SQLITE_BLOB)) {
        sqlite3_result_error_nomem(context);
        return false;
    }
    if (out->data == NULL)
        out->data = "";
    return true;
}

static int write_whole(memfs *fs, void *context)
{
    const struct writing *what = context;
    return memfs_write_file(fs, what->path, what->data, what->size, FILE_MODE);
}

static int append_to_existing(memfs *fs, const struct writing *what)
{
    memfs_file *file;
    int error = memfs_open(fs, what->path, MEMFS_O_WRITE | MEMFS_O_APPEND, 0, &file);
    if (error != 0)
        return error;
    int64_t count = memfs_write(file, what->data, what->size);
    (void)memfs_close(file);
    return count < 0 ? (int)count : 0;
}

/* Nobody sees the new file before it is whole, and it replaces nothing: EEXIST. */
static int append_to_new(memfs *fs, const struct writing *what)
{
    memfs_file *file;
    int error = memfs_open(fs, "/", MEMFS_O_WRITE | MEMFS_O_TMPFILE, FILE_MODE, &file);
    if (error != 0)
        return error;
    int64_t count = memfs_write(file, what->data, what->size);
    error = count < 0 ? (int)count : memfs_link_file(file, NULL, what->path);
    (void)memfs_close(file);
    return error;
}

static int append(memfs *fs, void *context)
{
    const struct writing *what = context;
    int error = append_to_existing(fs, what);
    if (error != MEMFS_ENOENT)
        return error;
    error = append_to_new(fs, what);
    /* Somebody else was first, or it is a link that leads nowhere (ENOENT again). */
    return error == MEMFS_EEXIST ? append_to_existing(fs, what) : error;
}

static void write_with(sqlite3_context *context, const char *function, sqlite3_value **values,
                       mfs_parents_operation operation)
{
    struct writing what;
    if (!read_writing(context, function, values, &what))
        return;
    int error = mfs_parents_run(fs_of(context), what.path, operation, &what);
    if (error != 0)
        mfs_sqlvalue_fail(context, function, what.path, error);
    else
        sqlite3_result_int64(context, (sqlite3_int64)what.size);
}

/* memfs_write(path, data) */
static void sql_write(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    write_with(context, "memfs_write", values, write_whole);
}

/* memfs_append(path, data) */
static void sql_append(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    write_with(context, "memfs_append", values, append);
}

/* -------------------------------------------------------------------- names */

static int make_directory(memfs *fs, const char *path)
{
    return memfs_mkdir_parents(fs, path, DIRECTORY_MODE);
}

/* A directory only if it is empty. */
static int delete_entry(memfs *fs, const char *path)
{
    int error = memfs_unlink(fs, path);
    return error == MEMFS_EISDIR ? memfs_rmdir(fs, path) : error;
}

/* For the functions of one path that say nothing. */
static void run_on_path(sqlite3_context *context, const char *function, sqlite3_value **values,
                        int (*operation)(memfs *, const char *))
{
    const char *path = mfs_sqlvalue_path(context, function, values, 0);
    if (path == NULL)
        return;
    int error = operation(fs_of(context), path);
    if (error != 0)
        mfs_sqlvalue_fail(context, function, path, error);
}

/* memfs_mkdir(path) */
static void sql_mkdir(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    run_on_path(context, "memfs_mkdir", values, make_directory);
}

/* memfs_remove(path) */
static void sql_delete(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    run_on_path(context, "memfs_remove", values, delete_entry);
}

/* memfs_remove_tree(path) */
static void sql_delete_tree(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    run_on_path(context, "memfs_remove_tree", values, memfs_remove_tree);
}

struct pair {
    const char *from;
    const char *to;
};

static bool read_pair(sqlite3_context *context, const char *function, sqlite3_value **values,
                      struct pair *out)
{
    out->from = mfs_sqlvalue_path(context, function, values, 0);
    if (out->from == NULL)
        return false;
    out->to = mfs_sqlvalue_path(context, function, values, 1);
    return out->to != NULL;
}

/* The error of two paths names both. */
static void fail_pair(sqlite3_context *context, const char *function, const struct pair *pair,
                      int error)
{
    char *what = sqlite3_mprintf("%s to %s", pair->from, pair->to);
    mfs_sqlvalue_fail(context, function, what != NULL ? what : pair->from, error);
    sqlite3_free(what);
}

/* memfs_rename(from, to) */
static void sql_rename(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    struct pair pair;
    if (!read_pair(context, "memfs_rename", values, &pair))
        return;
    int error = memfs_rename(fs_of(context), pair.from, pair.to, MEMFS_RENAME_MAKE_PARENTS);
    if (error != 0)
        fail_pair(context, "memfs_rename", &pair, error);
}

static int copy_file(memfs *fs, void *context)
{
    const struct pair *pair = context;
    return memfs_copy(fs, pair->from, pair->to, 0);
}

static int copy_tree(memfs *fs, void *context)
{
    const struct pair *pair = context;
    return memfs_copy_tree(fs, pair->from, pair->to, 0);
}

static int copy(memfs *fs, struct pair *pair)
{
    int is_directory = memfs_is_dir(fs, pair->from);
    if (is_directory < 0)
        return is_directory;
    if (is_directory == 0 && memfs_exists(fs, pair->from) == 0)
        return MEMFS_ENOENT;
    return mfs_parents_run(fs, pair->to, is_directory ? copy_tree : copy_file, pair);
}

/* memfs_copy(from, to) */
static void sql_copy(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    struct pair pair;
    if (!read_pair(context, "memfs_copy", values, &pair))
        return;
    int error = copy(fs_of(context), &pair);
    if (error != 0)
        fail_pair(context, "memfs_copy", &pair, error);
}

struct extraction {
    const char *snapshot;
    struct pair pair;
};

static int extract(memfs *fs, void *context)
{
    const struct extraction *extraction = context;
    return memfs_snapshot_extract(fs, extraction->snapshot, extraction->pair.from,
                                  extraction->pair.to);
}

/* memfs_snapshot_extract(snapshot, from, to) */
static void sql_snapshot_extract(sqlite3_context *context, int count, sqlite3_value **values)
{
    static const char function[] = "memfs_snapshot_extract";
    (void)count;
    struct extraction extraction;
    extraction.snapshot = mfs_sqlvalue_path(context, function, values, 0);
    if (extraction.snapshot == NULL || !read_pair(context, function, values + 1, &extraction.pair))
        return;
    int error = mfs_parents_run(fs_of(context), extraction.pair.to, extract, &extraction);
    if (error != 0)
        fail_pair(context, function, &extraction.pair, error);
}

/* --------------------------------------------------------------------- host */

/* memfs_import(host_path, path) */
static void sql_import(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    struct pair pair;
    if (read_pair(context, "memfs_import", values, &pair))
        mfs_hostaccess_import(context, fs_of(context), pair.from, pair.to);
}

/* memfs_export(path, host_path) */
static void sql_export(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    struct pair pair;
    if (read_pair(context, "memfs_export", values, &pair))
        mfs_hostaccess_export(context, fs_of(context), pair.from, pair.to);
}

/* ------------------------------------------------------------- registration */

enum access { READS, CHANGES, REACHES_THE_HOST };

static const struct {
    const char *name;
    int arguments;
    enum access access;
    void (*call)(sqlite3_context *, int, sqlite3_value **);
} functions[] = {
    {"memfs_read", 1, READS, sql_read},
    {"memfs_read", 2, READS, sql_read},
    {"memfs_read", 3, READS, sql_read},
    {"memfs_stat", 1, READS, sql_stat},
    {"memfs_exists", 1, READS, sql_exists},
    {"memfs_write", 2, CHANGES, sql_write},
    {"memfs_append", 2, CHANGES, sql_append},
    {"memfs_mkdir", 1, CHANGES, sql_mkdir},
    {"memfs_remove", 1, CHANGES, sql_delete},
    {"memfs_remove_tree", 1, CHANGES, sql_delete_tree},
    {"memfs_rename", 2, CHANGES, sql_rename},
    {"memfs_copy", 2, CHANGES, sql_copy},
    {"memfs_snapshot_extract", 3, CHANGES, sql_snapshot_extract},
    {"memfs_import", 2, REACHES_THE_HOST, sql_import},
    {"memfs_export", 2, REACHES_THE_HOST, sql_export},
};

enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* Without a file system: takes the function out. */
static int put(sqlite3 *db, int index, memfs *fs)
{
    int flags = SQLITE_UTF8 | (functions[index].access == READS ? 0 : SQLITE_DIRECTONLY);
    return sqlite3_create_function_v2(db, functions[index].name, functions[index].arguments, flags,
                                      fs, fs != NULL ? functions[index].call : NULL, NULL, NULL,
                                      NULL);
}

int mfs_functions_register(sqlite3 *db, memfs *fs, bool has_host_access)
{
    for (int index = 0; index < FUNCTIONS; index++) {
        bool is_wanted = functions[index].access != REACHES_THE_HOST || has_host_access;
        int rc = put(db, index, is_wanted ? fs : NULL);
        if (rc != SQLITE_OK)
            return rc; /* SQLITE_BUSY: at the first, since all were registered together */
    }
    return SQLITE_OK;
}

void mfs_functions_remove(sqlite3 *db)
{
    for (int index = 0; index < FUNCTIONS; index++)
        (void)put(db, index, NULL);
}
