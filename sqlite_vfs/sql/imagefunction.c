/*
 * memfs_image(path): a database of the tree as a blob.
 *
 * 1. It opens a connection of its own, as any reader: a hot journal is played back, a WAL is read,
 *    and what the calling connection has not committed is not in the image.
 * 2. The path is a path, never a URI or ":memory:".
 *
 * Cost: two copies of the database's pages on SQLite's heap for a moment: the image, and the page
 * cache of the connection.
 */
#include "sql/imagefunction.h"

#include "base/assertion.h"
#include "sql/sqlvalue.h"
#include "transaction/image.h"
#include "vfs/vfs.h"

#include <memfs/memfs.h>

enum { IMAGE_BUSY_MS = 5000 };

/* Names the function, the path, and what SQLite says of `rc`. */
static void fail_image(sqlite3_context *context, const char *path, const char *why, int rc)
{
    char *message = sqlite3_mprintf("memfs_image: %s: %s", path, why);
    MFS_ASSERT(rc != SQLITE_OK);
    if (message == NULL || rc == SQLITE_NOMEM) {
        sqlite3_result_error_nomem(context);
    } else {
        sqlite3_result_error(context, message, -1);
        sqlite3_result_error_code(context, rc);
    }
    sqlite3_free(message);
}

static int open_by_path(const struct mfs_vfs *vfs, const char *path, sqlite3 **out)
{
    char *name = sqlite3_mprintf("%s%s", path[0] == '/' ? "" : "/", path);
    *out = NULL;
    if (name == NULL)
        return SQLITE_NOMEM;
    int rc = sqlite3_open_v2(name, out, SQLITE_OPEN_READWRITE, vfs->name);
    sqlite3_free(name);
    return rc == SQLITE_OK ? sqlite3_busy_timeout(*out, IMAGE_BUSY_MS) : rc;
}

/* `*image` is on SQLite's heap.  SQLITE_TOOBIG: it would be larger than `limit`. */
static int make_image(sqlite3 *from, int limit, void **image, uint64_t *size)
{
    sqlite3_stmt *held;
    *image = NULL;
    int rc = mfs_image_begin(from, "main", &held, size);
    if (rc != SQLITE_OK)
        return rc;
    if (*size > (uint64_t)limit) {
        rc = SQLITE_TOOBIG;
    } else {
        *image = sqlite3_malloc64(*size);
        rc = *image != NULL ? mfs_image_copy_to_buffer(from, "main", *image, *size) : SQLITE_NOMEM;
    }
    (void)sqlite3_finalize(held);
    if (rc != SQLITE_OK) {
        sqlite3_free(*image);
        *image = NULL;
    }
    return rc;
}

static void answer_image(sqlite3_context *context, const struct mfs_vfs *vfs, const char *path)
{
    sqlite3 *from;
    void *image = NULL;
    uint64_t size = 0;
    int limit = sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1);
    int rc = open_by_path(vfs, path, &from);
    if (rc == SQLITE_OK)
        rc = make_image(from, limit, &image, &size);
    if (rc != SQLITE_OK)
        fail_image(context, path, sqlite3_errstr(rc), rc);
    else
        sqlite3_result_blob64(context, image, size, sqlite3_free);
    (void)sqlite3_close(from);
}

void mfs_imagefunction_image(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return; /* the result is NULL */
    const char *path = mfs_sqlvalue_path(context, "memfs_image", values, 0);
    if (path == NULL)
        return;
    const struct mfs_vfs *vfs = mfs_vfs_find(sqlite3_user_data(context));
    if (vfs == NULL)
        fail_image(context, path, "the file system is not registered with SQLite", SQLITE_ERROR);
    else if (!mfs_image_has_buffers())
        fail_image(context, path, "this SQLite has no sqlite3_deserialize()", SQLITE_ERROR);
    else
        answer_image(context, vfs, path);
}
