/*
 * Images: a database as the bytes of one file.
 *
 * 1. A copy is what one read transaction of the source sees, its WAL included.  SQLite's backup
 *    makes it in one step, page by page.
 * 2. The header of a copy says "rollback journal", whatever the source's says: without a WAL beside
 *    it, an image in WAL mode could not be opened read-only.
 *
 * Cost: a copy needs no more memory than the page cache of the destination.
 *
 * Left undone on purpose: an image's pages are not checked, only its header.  PRAGMA
 * integrity_check is for that.
 */
#include "transaction/image.h"

#include "base/assertion.h"
#include "base/bigendian.h"

#include <stdbool.h>
#include <string.h>

static const char image_magic[16] = "SQLite format 3";

/* The page size has 16 bits, in which 1 stands for 65536. */
uint32_t mfs_image_page_size(const unsigned char header[MFS_IMAGE_HEADER_BYTES])
{
    uint32_t size = (uint32_t)header[MFS_IMAGE_PAGE_SIZE_OFFSET] << 8 |
                    header[MFS_IMAGE_PAGE_SIZE_OFFSET + 1];
    return size == 1 ? 65536 : size;
}

int mfs_image_check(const unsigned char header[MFS_IMAGE_HEADER_BYTES], uint64_t size)
{
    if (memcmp(header, image_magic, sizeof image_magic) != 0)
        return SQLITE_NOTADB;
    uint32_t page_size = mfs_image_page_size(header);
    if (page_size < 512 || (page_size & (page_size - 1)) != 0)
        return SQLITE_NOTADB;
    if (size == 0 || size % page_size != 0)
        return SQLITE_NOTADB;
    /* Versions of SQLite before 3.7.0 change a database without keeping the page count. */
    bool is_count_true = memcmp(header + MFS_IMAGE_COUNTER_OFFSET,
                                header + MFS_IMAGE_VALID_FOR_OFFSET, 4) == 0;
    if (is_count_true && mfs_bigendian_read(header + MFS_IMAGE_PAGES_OFFSET) > size / page_size)
        return SQLITE_CORRUPT;
    return SQLITE_OK;
}

int mfs_image_open_host(sqlite3_vfs *lower_vfs, const char *host_path, int flags, sqlite3 **out)
{
    /* "./file:x" is a path, where "file:x" would be a URI. */
    bool is_special = host_path[0] == ':' || strncmp(host_path, "file:", 5) == 0;
    char *name = sqlite3_mprintf("%s%s", is_special ? "./" : "", host_path);
    *out = NULL;
    if (name == NULL)
        return SQLITE_NOMEM;
    int rc = sqlite3_open_v2(name, out, flags, lower_vfs->zName);
    sqlite3_free(name);
    return rc;
}

sqlite3_file *mfs_image_file(sqlite3 *db)
{
    sqlite3_file *file = NULL;
    int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    return rc == SQLITE_OK && file != NULL && file->pMethods != NULL ? file : NULL;
}

/* Prepares "PRAGMA schema.name" and steps to its row. */
static int ask_pragma(sqlite3 *db, const char *schema, const char *name, sqlite3_stmt **out)
{
    char *sql = sqlite3_mprintf("PRAGMA \"%w\".%s", schema, name);
    if (sql == NULL)
        return SQLITE_NOMEM;
    int rc = sqlite3_prepare_v2(db, sql, -1, out, NULL);
    sqlite3_free(sql);
    if (rc != SQLITE_OK)
        return rc;
    rc = sqlite3_step(*out);
    if (rc == SQLITE_ROW)
        return SQLITE_OK;
    int reason = sqlite3_finalize(*out);
    *out = NULL;
    return rc == SQLITE_DONE || reason == SQLITE_OK ? SQLITE_ERROR : reason;
}

int mfs_image_begin(sqlite3 *db, const char *schema, sqlite3_stmt **held, uint64_t *size)
{
    sqlite3_stmt *page_size;
    int rc = ask_pragma(db, schema, "page_count", held);
    if (rc != SQLITE_OK)
        return rc;
    rc = ask_pragma(db, schema, "page_size", &page_size);
    if (rc != SQLITE_OK) {
        (void)sqlite3_finalize(*held);
        return rc;
    }
    /* An empty database becomes one page. */
    MFS_ASSERT(sqlite3_column_int64(page_size, 0) >= 512);
    uint64_t pages = (uint64_t)sqlite3_column_int64(*held, 0);
    *size = (pages > 0 ? pages : 1) * (uint64_t)sqlite3_column_int64(page_size, 0);
    (void)sqlite3_finalize(page_size);
    return SQLITE_OK;
}

static int back_up(sqlite3 *from, const char *schema, sqlite3 *to)
{
    MFS_ASSERT(sqlite3_get_autocommit(to));
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, schema);
    if (backup == NULL)
        return sqlite3_extended_errcode(to);
    int stepped = sqlite3_backup_step(backup, -1);
    int finished = sqlite3_backup_finish(backup);
    if (stepped != SQLITE_DONE && finished == SQLITE_OK)
        return stepped; /* finish() does not report SQLITE_BUSY and SQLITE_LOCKED */
    return finished;
}

/* Writes to the file directly: no statement will read the connection's cache any more. */
static int clear_wal_format(sqlite3_file *file)
{
    static const unsigned char rollback[2] = {MFS_IMAGE_FORMAT_ROLLBACK, MFS_IMAGE_FORMAT_ROLLBACK};
    unsigned char format[2];
    const sqlite3_io_methods *methods = file->pMethods;
    int rc = methods->xRead(file, format, sizeof format, MFS_IMAGE_FORMAT_OFFSET);
    if (rc != SQLITE_OK || memcmp(format, rollback, sizeof format) == 0)
        return rc;
    rc = methods->xWrite(file, rollback, sizeof rollback, MFS_IMAGE_FORMAT_OFFSET);
    return rc == SQLITE_OK ? methods->xSync(file, SQLITE_SYNC_NORMAL) : rc;
}

int mfs_image_copy(sqlite3 *from, const char *schema, sqlite3 *to)
{
    /* No journal is needed: after a failure the caller throws the destination away. */
    int rc = sqlite3_exec(to, "PRAGMA journal_mode=OFF", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = back_up(from, schema, to);
    sqlite3_file *file = mfs_image_file(to);
    if (rc == SQLITE_OK)
        rc = file != NULL ? clear_wal_format(file) : SQLITE_ERROR;
    return rc;
}

/* ------------------------------------------------------------------- to memory */

#ifdef SQLITE_CORE
#define DESERIALIZE_VERSION_MIN 3036000
#else
#define DESERIALIZE_VERSION_MIN 3039000 /* since when extensions can call it */
#endif

#if SQLITE_VERSION_NUMBER >= DESERIALIZE_VERSION_MIN && !defined(SQLITE_OMIT_DESERIALIZE)

/* The SQLite that loads an extension may be older than the one that it was compiled for, or built
 * without. */
bool mfs_image_has_buffers(void)
{
    if (sqlite3_libversion_number() < DESERIALIZE_VERSION_MIN)
        return false;
#ifdef SQLITE_CORE
    return true;
#else
    return sqlite3_api->deserialize != NULL;
#endif
}

static int copy_and_measure(sqlite3 *db, const char *schema, sqlite3 *to, sqlite3_int64 *size)
{
    int rc = mfs_image_copy(db, schema, to);
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_file *file = mfs_image_file(to);
    return file->pMethods->xFileSize(file, size);
}

int mfs_image_copy_to_buffer(sqlite3 *db, const char *schema, void *buffer, uint64_t size)
{
    sqlite3 *to;
    sqlite3_int64 copied = 0;
    if (!mfs_image_has_buffers())
        return SQLITE_ERROR;
    int rc = sqlite3_open_v2(":memory:", &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_deserialize(to, "main", buffer, 0, (sqlite3_int64)size, 0);
    if (rc == SQLITE_OK)
        rc = copy_and_measure(db, schema, to, &copied);
    int closed = sqlite3_close(to);
    if (rc != SQLITE_OK || closed != SQLITE_OK)
        return rc != SQLITE_OK ? rc : closed;
    return (uint64_t)copied == size ? SQLITE_OK : SQLITE_ERROR;
}

#else

bool mfs_image_has_buffers(void)
{
    return false;
}

int mfs_image_copy_to_buffer(sqlite3 *db, const char *schema, void *buffer, uint64_t size)
{
    (void)db;
    (void)schema;
    (void)buffer;
    (void)size;
    return SQLITE_ERROR;
}

#endif
