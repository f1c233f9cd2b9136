/*
 * Copying by SQLite's backup, in one step: under one read transaction of the source, WAL
 * included, page by page, so that no more of it is in memory than the destination's cache holds.
 */
#include "images/image.h"

#include <stdbool.h>
#include <string.h>

static const char magic[16] = "SQLite format 3";

/* Where things are in the header. */
enum { PAGE_SIZE = 16, CHANGES = 24, PAGES = 28, CHANGES_AT_PAGES = 92 };

static uint32_t big_endian(const unsigned char *bytes, int count)
{
    uint32_t value = 0;
    for (int index = 0; index < count; index++)
        value = value << 8 | bytes[index];
    return value;
}

int mfs_image_check(const unsigned char header[MFS_IMAGE_HEADER_BYTES], uint64_t size)
{
    if (memcmp(header, magic, sizeof magic) != 0)
        return SQLITE_NOTADB;
    uint32_t page_size = big_endian(header + PAGE_SIZE, 2);
    if (page_size == 1)
        page_size = 65536;
    if (page_size < 512 || (page_size & (page_size - 1)) != 0)
        return SQLITE_NOTADB;
    if (size == 0 || size % page_size != 0)
        return SQLITE_NOTADB;
    /* The count of pages is valid only if who made the last change knew of it. */
    bool counts = memcmp(header + CHANGES, header + CHANGES_AT_PAGES, 4) == 0;
    if (counts && big_endian(header + PAGES, 4) > size / page_size)
        return SQLITE_CORRUPT;
    return SQLITE_OK;
}

int mfs_image_open_host(sqlite3_vfs *host, const char *host_path, int flags, sqlite3 **out)
{
    bool is_special = host_path[0] == ':' || strncmp(host_path, "file:", 5) == 0;
    char *name = sqlite3_mprintf("%s%s", is_special ? "./" : "", host_path);
    *out = NULL;
    if (name == NULL)
        return SQLITE_NOMEM;
    int rc = sqlite3_open_v2(name, out, flags, host->zName);
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
static int ask(sqlite3 *db, const char *schema, const char *name, sqlite3_stmt **out)
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
    int rc = ask(db, schema, "page_count", held);
    if (rc != SQLITE_OK)
        return rc;
    rc = ask(db, schema, "page_size", &page_size);
    if (rc != SQLITE_OK) {
        (void)sqlite3_finalize(*held);
        return rc;
    }
    /* An empty database becomes one page. */
    uint64_t pages = (uint64_t)sqlite3_column_int64(*held, 0);
    *size = (pages > 0 ? pages : 1) * (uint64_t)sqlite3_column_int64(page_size, 0);
    (void)sqlite3_finalize(page_size);
    return SQLITE_OK;
}

static int back_up(sqlite3 *from, const char *schema, sqlite3 *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, schema);
    if (backup == NULL)
        return sqlite3_extended_errcode(to);
    int stepped = sqlite3_backup_step(backup, -1);
    int finished = sqlite3_backup_finish(backup);
    if (stepped != SQLITE_DONE && finished == SQLITE_OK)
        return stepped; /* BUSY and LOCKED are not remembered */
    return finished;
}

/* Past SQLite's cache, which nobody looks into any more. */
static int say_no_wal(sqlite3_file *file)
{
    static const unsigned char rollback[2] = {1, 1};
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
    /* Nothing is lost if the destination is: whoever fails throws it away. */
    int rc = sqlite3_exec(to, "PRAGMA journal_mode=OFF", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = back_up(from, schema, to);
    sqlite3_file *file = mfs_image_file(to);
    if (rc == SQLITE_OK)
        rc = file != NULL ? say_no_wal(file) : SQLITE_ERROR;
    return rc;
}
