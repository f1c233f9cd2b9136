/*
 * Reading the tree: memfs_read(), memfs_stat(), memfs_exists(); and memfs_last_error().
 *
 * 1. NULL as the path gives NULL, so that they can be applied to the optional side of a join.
 * 2. memfs_stat() and memfs_exists() answer a question: that no entry has the name is an answer,
 *    not an error.  memfs_read() has no value for it, and fails.
 *
 * Cost: memfs_read() copies the bytes once, from the file into the result.
 *
 * Left undone on purpose: a content larger than an SQL value may be is refused; it can be read in
 * parts.
 */
#include "sql/readers.h"

#include "base/assertion.h"
#include "base/json.h"
#include "base/lasterror.h"
#include "sql/sqlvalue.h"

#include <stdbool.h>
#include <stddef.h>

/* The path of the first argument.  Null: the result is set, to NULL or an error. */
static const char *path_or_null(sqlite3_context *context, const char *function,
                                sqlite3_value **values)
{
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return NULL; /* a result that nothing sets is NULL */
    return mfs_sqlvalue_path(context, function, values, 0);
}

/* An integer that is not negative.  False: it is something else, and the result is an error. */
static bool read_extent(sqlite3_context *context, sqlite3_value *value, const char *what,
                        int64_t *out)
{
    if (sqlite3_value_numeric_type(value) == SQLITE_INTEGER && sqlite3_value_int64(value) >= 0) {
        *out = sqlite3_value_int64(value);
        return true;
    }
    mfs_sqlvalue_fail(context, "memfs_read", what, MEMFS_EINVAL);
    return false;
}

void mfs_readers_read(sqlite3_context *context, int count, sqlite3_value **values)
{
    int64_t offset = 0;
    int64_t length = MFS_SQLVALUE_TO_THE_END;
    MFS_ASSERT(count >= 1 && count <= 3);
    const char *path = path_or_null(context, "memfs_read", values);
    if (path == NULL)
        return;
    if (count > 1 && !read_extent(context, values[1], "the offset", &offset))
        return;
    if (count > 2 && !read_extent(context, values[2], "the length", &length))
        return;
    memfs_file *file;
    int error = memfs_open(sqlite3_user_data(context), path, MEMFS_O_READ, 0, &file);
    if (error == 0) {
        error = mfs_sqlvalue_content(context, file, offset, length);
        (void)memfs_close(file);
    }
    if (error != 0)
        mfs_sqlvalue_fail(context, "memfs_read", path, error);
}

/* No entry has this name, which is an answer. */
static bool has_no_entry(int error)
{
    return error == MEMFS_ENOENT || error == MEMFS_ENOTDIR || error == MEMFS_ELOOP;
}

/* The members bear the names of memfs_tree's columns. */
static char *stat_to_json(const char *path, const memfs_stat_info *info)
{
    sqlite3_str *out = sqlite3_str_new(NULL);
    sqlite3_str_appendall(out, "{\"path\":");
    mfs_json_append_string(out, path);
    sqlite3_str_appendf(out,
                        ",\"kind\":\"%s\",\"size_bytes\":%llu,\"allocated_bytes\":%llu,\"mode\":%u,"
                        "\"uid\":%u,\"gid\":%u,",
                        mfs_sqlvalue_kind(info->kind), (unsigned long long)info->size_bytes,
                        (unsigned long long)info->allocated_bytes, info->mode, info->uid,
                        info->gid);
    sqlite3_str_appendf(out,
                        "\"access_ns\":%lld,\"modify_ns\":%lld,\"change_ns\":%lld,"
                        "\"birth_ns\":%lld,\"links\":%u,\"number\":%llu}",
                        (long long)info->access_ns, (long long)info->modify_ns,
                        (long long)info->change_ns, (long long)info->birth_ns, info->links,
                        (unsigned long long)info->number);
    return sqlite3_str_finish(out);
}

void mfs_readers_stat(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    const char *path = path_or_null(context, "memfs_stat", values);
    if (path == NULL)
        return;
    memfs_stat_info info;
    info.struct_size = sizeof info;
    int error = memfs_stat(sqlite3_user_data(context), path, &info);
    if (has_no_entry(error))
        return;
    if (error != 0) {
        mfs_sqlvalue_fail(context, "memfs_stat", path, error);
        return;
    }
    char *text = stat_to_json(path, &info);
    if (text == NULL)
        sqlite3_result_error_nomem(context);
    else
        sqlite3_result_text(context, text, -1, sqlite3_free);
}

void mfs_readers_exists(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    const char *path = path_or_null(context, "memfs_exists", values);
    if (path == NULL)
        return;
    memfs_stat_info info;
    info.struct_size = sizeof info;
    int error = memfs_stat(sqlite3_user_data(context), path, &info);
    if (error == 0 || has_no_entry(error))
        sqlite3_result_int(context, error == 0);
    else
        mfs_sqlvalue_fail(context, "memfs_exists", path, error);
}

void mfs_readers_last_error(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)values;
    MFS_ASSERT(count == 0);
    const char *text = mfs_lasterror_text();
    if (text[0] != '\0')
        sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}
