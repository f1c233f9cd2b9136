/*
 * SQL values and memfs.
 *
 * 1. Names in memfs are bytes; SQL's text is UTF-8 by convention, which SQLite does not check.  So
 *    other bytes pass both ways unchanged, except through a database whose encoding is UTF-16.
 * 2. A blob as a path stands for its bytes.  It is never read as text: SQLite would take the
 *    bytes for text in the database's encoding, and convert them.
 * 3. A path with a NUL character in it is refused, not cut off there.
 *
 * Cost: a text argument is used where SQLite has it; a blob is copied, to put a NUL behind it.
 */
#include "sql/sqlvalue.h"

#include "base/assertion.h"

#include <string.h>

char *mfs_sqlvalue_copy(sqlite3_value *value, size_t *count)
{
    bool is_blob = sqlite3_value_type(value) == SQLITE_BLOB;
    const void *bytes = is_blob ? sqlite3_value_blob(value) : sqlite3_value_text(value);
    *count = (size_t)sqlite3_value_bytes(value);
    if (bytes == NULL && (!is_blob || *count > 0))
        return NULL;
    char *copy = sqlite3_malloc64((sqlite3_uint64)*count + 1);
    if (copy == NULL)
        return NULL;
    if (*count > 0)
        memcpy(copy, bytes, *count);
    copy[*count] = '\0';
    return copy;
}

/* The blob's bytes with a NUL behind them.  SQLite keeps the copy until the function returns. */
static const char *blob_path(sqlite3_context *context, int index, sqlite3_value *value,
                             size_t *count)
{
    char *copy = mfs_sqlvalue_copy(value, count);
    if (copy == NULL)
        return NULL;
    sqlite3_set_auxdata(context, index, copy, sqlite3_free);
    return sqlite3_get_auxdata(context, index); /* null: no memory; SQLite has freed the copy */
}

const char *mfs_sqlvalue_path(sqlite3_context *context, const char *function,
                              sqlite3_value **values, int index)
{
    MFS_ASSERT(index >= 0);
    sqlite3_value *value = values[index];
    int type = sqlite3_value_type(value);
    if (type == SQLITE_NULL) {
        mfs_sqlvalue_fail(context, function, "NULL", MEMFS_EINVAL);
        return NULL;
    }
    size_t count = 0;
    const char *path = type == SQLITE_BLOB ? blob_path(context, index, value, &count)
                                           : (const char *)sqlite3_value_text(value);
    if (path == NULL) {
        sqlite3_result_error_nomem(context);
        return NULL;
    }
    if (type != SQLITE_BLOB)
        count = (size_t)sqlite3_value_bytes(value);
    if (strlen(path) != count) {
        mfs_sqlvalue_fail(context, function, "a path with a NUL in it", MEMFS_EINVAL);
        return NULL;
    }
    return path;
}

bool mfs_sqlvalue_read_pair(sqlite3_context *context, const char *function, sqlite3_value **values,
                            struct mfs_sqlvalue_pair *out)
{
    out->from = mfs_sqlvalue_path(context, function, values, 0);
    if (out->from == NULL)
        return false;
    out->to = mfs_sqlvalue_path(context, function, values, 1);
    return out->to != NULL;
}

int mfs_sqlvalue_code(int error)
{
    MFS_ASSERT(error < 0);
    switch (error) {
    case MEMFS_EDQUOT:
    case MEMFS_ENOSPC:
        return SQLITE_FULL;
    case MEMFS_ENOMEM:
        return SQLITE_NOMEM;
    case MEMFS_EFBIG:
        return SQLITE_TOOBIG;
    default:
        return SQLITE_ERROR;
    }
}

void mfs_sqlvalue_fail(sqlite3_context *context, const char *function, const char *path, int error)
{
    char *message = sqlite3_mprintf("%s: %s: %s", function, path, memfs_error_text(error));
    if (message == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    sqlite3_result_error(context, message, -1);
    sqlite3_free(message);
    /* After the message, because without one SQLite would put its own there. */
    sqlite3_result_error_code(context, mfs_sqlvalue_code(error));
}

void mfs_sqlvalue_fail_pair(sqlite3_context *context, const char *function,
                            const struct mfs_sqlvalue_pair *pair, int error)
{
    char *what = sqlite3_mprintf("%s to %s", pair->from, pair->to);
    mfs_sqlvalue_fail(context, function, what != NULL ? what : pair->from, error);
    sqlite3_free(what);
}

int mfs_sqlvalue_content(sqlite3_context *context, memfs_file *file, int64_t offset, int64_t length)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    MFS_ASSERT(offset >= 0 && length >= 0);
    int error = memfs_fstat(file, &info);
    if (error != 0)
        return error;
    if (info.kind == MEMFS_KIND_DIRECTORY)
        return MEMFS_EISDIR;
    int64_t size = (int64_t)info.size_bytes;
    int64_t wanted = offset < size ? size - offset : 0;
    if (wanted > length)
        wanted = length;
    if (wanted > sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1))
        return MEMFS_EFBIG;
    void *buffer = sqlite3_malloc64(wanted > 0 ? (sqlite3_uint64)wanted : 1);
    if (buffer == NULL)
        return MEMFS_ENOMEM;
    int64_t count = memfs_pread(file, buffer, (size_t)wanted, offset);
    if (count < 0) {
        sqlite3_free(buffer);
        return (int)count;
    }
    MFS_ASSERT(count <= wanted);
    sqlite3_result_blob64(context, buffer, (sqlite3_uint64)count, sqlite3_free);
    return 0;
}

const char *mfs_sqlvalue_kind(uint32_t kind)
{
    switch (kind) {
    case MEMFS_KIND_DIRECTORY:
        return "directory";
    case MEMFS_KIND_SYMLINK:
        return "symlink";
    default:
        MFS_ASSERT(kind == MEMFS_KIND_FILE);
        return "file";
    }
}
