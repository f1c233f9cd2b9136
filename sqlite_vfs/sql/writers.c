/*
 * Changing the tree: write, append, mkdir, remove, rename, copy, extract.
 *
 * 1. Each function is one call of memfs, or is undone as a whole if it fails.
 * 2. A function that makes an entry makes the missing directories above it, and removes them again
 *    if it fails.
 * 3. Each acts at once and is no part of SQLite's transaction: ROLLBACK does not undo it.
 *
 * Cost: that of the call of memfs; a second call where a directory was missing.
 */
#include "sql/writers.h"

#include "base/assertion.h"
#include "names/parents.h"
#include "sql/sqlvalue.h"

#include <stdbool.h>
#include <stddef.h>

#define WRITTEN_FILE_MODE 0644u
#define MADE_DIRECTORY_MODE 0755u

/* ------------------------------------------------------------------- content */

struct file_data {
    const char *path;
    const void *bytes; /* never null */
    size_t count;
};

static bool refuse_null_data(sqlite3_context *context, const char *function, const char *path)
{
    char *what = sqlite3_mprintf("%s: data is NULL", path);
    mfs_sqlvalue_fail(context, function, what != NULL ? what : path, MEMFS_EINVAL);
    sqlite3_free(what);
    return false;
}

/* The arguments (path, data).  False: the result is an error. */
static bool read_file_data(sqlite3_context *context, const char *function, sqlite3_value **values,
                           struct file_data *out)
{
    out->path = mfs_sqlvalue_path(context, function, values, 0);
    if (out->path == NULL)
        return false;
    int type = sqlite3_value_type(values[1]);
    if (type == SQLITE_NULL)
        return refuse_null_data(context, function, out->path);
    /* Text is asked for as text: in a UTF-16 database its bytes as a blob would be UTF-16. */
    out->bytes = type == SQLITE_BLOB ? sqlite3_value_blob(values[1])
                                     : (const void *)sqlite3_value_text(values[1]);
    out->count = (size_t)sqlite3_value_bytes(values[1]);
    /* Null is right for an empty blob alone. */
    if (out->bytes == NULL && (out->count > 0 || type != SQLITE_BLOB)) {
        sqlite3_result_error_nomem(context);
        return false;
    }
    if (out->bytes == NULL)
        out->bytes = "";
    MFS_ASSERT(out->path != NULL && out->bytes != NULL);
    return true;
}

static int write_whole_file(memfs *fs, void *context)
{
    const struct file_data *data = context;
    return memfs_write_file(fs, data->path, data->bytes, data->count, WRITTEN_FILE_MODE, 0);
}

static int append_to_existing(memfs *fs, const struct file_data *data)
{
    memfs_file *file;
    int error = memfs_open(fs, data->path, MEMFS_O_WRITE | MEMFS_O_APPEND, 0, &file);
    if (error != 0)
        return error;
    int64_t count = memfs_write(file, data->bytes, data->count);
    (void)memfs_close(file);
    MFS_ASSERT(count < 0 || (size_t)count == data->count);
    return count < 0 ? (int)count : 0;
}

/* The file gets its name when it is complete, and replaces nothing (EEXIST). */
static int append_to_new(memfs *fs, const struct file_data *data)
{
    memfs_file *file;
    int error = memfs_open(fs, "/", MEMFS_O_WRITE | MEMFS_O_TMPFILE, WRITTEN_FILE_MODE, &file);
    if (error != 0)
        return error;
    int64_t count = memfs_write(file, data->bytes, data->count);
    MFS_ASSERT(count < 0 || (size_t)count == data->count);
    error = count < 0 ? (int)count : memfs_link_file(file, NULL, data->path);
    (void)memfs_close(file);
    return error;
}

static int append_to_file(memfs *fs, void *context)
{
    const struct file_data *data = context;
    int error = append_to_existing(fs, data);
    if (error != MEMFS_ENOENT)
        return error;
    error = append_to_new(fs, data);
    /* EEXIST: another thread made the file in between, or the name is a symlink to nothing, for
     * which the second try says ENOENT again. */
    return error == MEMFS_EEXIST ? append_to_existing(fs, data) : error;
}

static void run_with_data(sqlite3_context *context, const char *function, sqlite3_value **values,
                          mfs_parents_operation operation)
{
    struct file_data data;
    if (!read_file_data(context, function, values, &data))
        return;
    int error = mfs_parents_run(sqlite3_user_data(context), data.path, operation, &data);
    if (error != 0)
        mfs_sqlvalue_fail(context, function, data.path, error);
    else
        sqlite3_result_int64(context, (sqlite3_int64)data.count);
}

void mfs_writers_write(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    run_with_data(context, "memfs_write", values, write_whole_file);
}

void mfs_writers_append(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    run_with_data(context, "memfs_append", values, append_to_file);
}

/* ------------------------------------------------------------------ one path */

static int make_directories(memfs *fs, const char *path)
{
    return memfs_mkdir_parents(fs, path, MADE_DIRECTORY_MODE);
}

/* A directory is removed only if it is empty. */
static int remove_entry(memfs *fs, const char *path)
{
    int error = memfs_unlink(fs, path);
    return error == MEMFS_EISDIR ? memfs_rmdir(fs, path) : error;
}

/* Of a function whose result is NULL. */
static void run_on_path(sqlite3_context *context, const char *function, sqlite3_value **values,
                        int (*operation)(memfs *, const char *))
{
    const char *path = mfs_sqlvalue_path(context, function, values, 0);
    if (path == NULL)
        return;
    int error = operation(sqlite3_user_data(context), path);
    MFS_ASSERT(error <= 0);
    if (error != 0)
        mfs_sqlvalue_fail(context, function, path, error);
}

void mfs_writers_mkdir(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    run_on_path(context, "memfs_mkdir", values, make_directories);
}

void mfs_writers_remove(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    run_on_path(context, "memfs_remove", values, remove_entry);
}

void mfs_writers_remove_tree(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    run_on_path(context, "memfs_remove_tree", values, memfs_remove_tree);
}

/* ----------------------------------------------------------------- two paths */

/* Of a function whose result is NULL. */
static void run_on_pair(sqlite3_context *context, const char *function, sqlite3_value **values,
                        int (*operation)(memfs *, struct mfs_sqlvalue_pair *))
{
    struct mfs_sqlvalue_pair pair;
    if (!mfs_sqlvalue_read_pair(context, function, values, &pair))
        return;
    int error = operation(sqlite3_user_data(context), &pair);
    MFS_ASSERT(error <= 0);
    if (error != 0)
        mfs_sqlvalue_fail_pair(context, function, &pair, error);
}

static int rename_pair(memfs *fs, struct mfs_sqlvalue_pair *pair)
{
    return memfs_rename(fs, pair->from, pair->to, MEMFS_RENAME_MAKE_PARENTS);
}

void mfs_writers_rename(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    run_on_pair(context, "memfs_rename", values, rename_pair);
}

static int copy_one_file(memfs *fs, void *context)
{
    const struct mfs_sqlvalue_pair *pair = context;
    return memfs_copy(fs, pair->from, pair->to, 0);
}

static int copy_whole_tree(memfs *fs, void *context)
{
    const struct mfs_sqlvalue_pair *pair = context;
    return memfs_copy_tree(fs, pair->from, pair->to, 0);
}

/* That `from` is missing is found before any directory is made for `to`. */
static int copy_pair(memfs *fs, struct mfs_sqlvalue_pair *pair)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    int error = memfs_stat(fs, pair->from, &info);
    if (error == MEMFS_ENOTDIR || error == MEMFS_ELOOP)
        return MEMFS_ENOENT; /* no entry has this name */
    if (error != 0)
        return error;
    bool is_directory = info.kind == MEMFS_KIND_DIRECTORY;
    return mfs_parents_run(fs, pair->to, is_directory ? copy_whole_tree : copy_one_file, pair);
}

void mfs_writers_copy(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    run_on_pair(context, "memfs_copy", values, copy_pair);
}

/* ----------------------------------------------------------------- snapshots */

struct extraction {
    const char *snapshot;
    struct mfs_sqlvalue_pair pair;
};

static int extract_from_snapshot(memfs *fs, void *context)
{
    const struct extraction *extraction = context;
    return memfs_snapshot_extract(fs, extraction->snapshot, extraction->pair.from,
                                  extraction->pair.to, 0);
}

void mfs_writers_extract(sqlite3_context *context, int count, sqlite3_value **values)
{
    static const char function[] = "memfs_snapshot_extract";
    struct extraction extraction;
    MFS_ASSERT(count == 3);
    (void)count;
    extraction.snapshot = mfs_sqlvalue_path(context, function, values, 0);
    if (extraction.snapshot == NULL ||
        !mfs_sqlvalue_read_pair(context, function, values + 1, &extraction.pair))
        return;
    int error = mfs_parents_run(sqlite3_user_data(context), extraction.pair.to,
                                extract_from_snapshot, &extraction);
    if (error != 0)
        mfs_sqlvalue_fail_pair(context, function, &extraction.pair, error);
}
