/*
 * The old pages are kept in a rollback journal of SQLite's own format, under the name that SQLite
 * looks for.  So what a crash leaves is what a crash of SQLite leaves, and the program
 * that opens the database next, whichever it is, plays it back.
 *
 * 1. The file is locked by a connection of SQLite's in a transaction of its own (BEGIN EXCLUSIVE),
 *    which never writes.  The calls that write go to that connection's file, below its pager.
 * 2. The journal is complete and durable, its directory too, before the file is touched; the file
 *    is durable before the journal is deleted, which is the commit.
 * 3. The count of records is written after the records are durable, as SQLite does it: a header
 *    that reached the disk before them says that there are none.
 *
 * Cost: each page that is replaced is written twice, the old one and the new one; four syncs.
 */
#include "images/hostpages.h"

#include "base/assertion.h"
#include "base/bigendian.h"
#include "base/journalformat.h"
#include "entry/newconnection.h"

#include <string.h>

/* SQLite's file format: the header of a rollback journal, and what surrounds a page in it. */
enum {
    JOURNAL_RECORDS = 8,
    JOURNAL_NONCE = 12,
    JOURNAL_PAGES = 16,
    JOURNAL_SECTOR = 20,
    JOURNAL_PAGE_SIZE = 24,
    RECORD_BYTES = 8, /* the page's number before it, the checksum behind */
    SECTOR_BYTES_MAX = 65536,
    CHECKSUM_STEP = 200
};

static int sync_file(sqlite3_file *file)
{
    return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

static int write_at(struct mfs_hostpages *host, sqlite3_file *file, const void *bytes,
                    uint32_t count, sqlite3_int64 offset)
{
    int rc = file->pMethods->xWrite(file, bytes, (int)count, offset);
    if (rc == SQLITE_OK)
        host->bytes_written += count;
    return rc;
}

/* -------------------------------------------------------------------- the lock */

/* Reading the schema plays back a hot journal, or reads a WAL. */
static int lock_exclusively(struct mfs_hostpages *host)
{
    int rc = mfs_image_open_host(host->vfs, host->path, SQLITE_OPEN_READWRITE, &host->lock);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(host->lock, MFS_NEWCONNECTION_BUSY_MS);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(host->lock, "SELECT count(*) FROM sqlite_master; BEGIN EXCLUSIVE", NULL,
                          NULL, NULL);
    return rc;
}

static int read_shape(struct mfs_hostpages *host)
{
    sqlite3_int64 size;
    int rc = host->file->pMethods->xFileSize(host->file, &size);
    if (rc == SQLITE_OK && size < MFS_IMAGE_HEADER_BYTES)
        return SQLITE_NOTADB;
    if (rc == SQLITE_OK)
        rc = host->file->pMethods->xRead(host->file, host->header, sizeof host->header, 0);
    if (rc == SQLITE_OK)
        rc = mfs_image_check(host->header, (uint64_t)size);
    if (rc != SQLITE_OK)
        return rc;
    host->page_size = mfs_image_page_size(host->header);
    host->pages = (uint32_t)((uint64_t)size / host->page_size);
    return SQLITE_OK;
}

int mfs_hostpages_begin(struct mfs_hostpages *host, sqlite3_vfs *vfs, const char *path)
{
    *host = (struct mfs_hostpages){.vfs = vfs, .path = path};
    int rc = lock_exclusively(host);
    if (rc != SQLITE_OK)
        return rc;
    host->file = mfs_image_file(host->lock);
    if (host->file == NULL)
        return SQLITE_CANTOPEN;
    rc = read_shape(host);
    if (rc != SQLITE_OK)
        return rc;
    host->buffer = sqlite3_malloc64(host->page_size + RECORD_BYTES);
    return host->buffer != NULL ? SQLITE_OK : SQLITE_NOMEM;
}

/* ----------------------------------------------------------------- the journal */

static uint32_t sector_bytes(const struct mfs_hostpages *host)
{
    int bytes = host->file->pMethods->xSectorSize(host->file);
    if (bytes < 512)
        return 512;
    return bytes < SECTOR_BYTES_MAX ? (uint32_t)bytes : SECTOR_BYTES_MAX;
}

static const char *journal_name(const struct mfs_hostpages *host)
{
    return sqlite3_filename_journal(sqlite3_db_filename(host->lock, "main"));
}

/* A header that says "no records", of a whole sector. */
static int begin_journal(struct mfs_hostpages *host)
{
    uint32_t sector = sector_bytes(host);
    unsigned char *header = sqlite3_malloc64(sector);
    host->journal = sqlite3_malloc(host->vfs->szOsFile);
    if (header == NULL || host->journal == NULL) {
        sqlite3_free(header);
        return SQLITE_NOMEM;
    }
    memset(host->journal, 0, (size_t)host->vfs->szOsFile);
    sqlite3_randomness((int)sizeof host->nonce, &host->nonce);
    memset(header, 0, sector);
    memcpy(header, MFS_JOURNAL_MAGIC, MFS_JOURNAL_MAGIC_BYTES);
    mfs_bigendian_write(header + JOURNAL_NONCE, host->nonce);
    mfs_bigendian_write(header + JOURNAL_PAGES, host->pages);
    mfs_bigendian_write(header + JOURNAL_SECTOR, sector);
    mfs_bigendian_write(header + JOURNAL_PAGE_SIZE, host->page_size);
    int rc = host->vfs->xOpen(host->vfs, journal_name(host), host->journal,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL,
                              NULL);
    if (rc == SQLITE_OK)
        rc = host->journal->pMethods->xTruncate(host->journal, 0);
    if (rc == SQLITE_OK)
        rc = write_at(host, host->journal, header, sector, 0);
    host->journal_end = sector;
    sqlite3_free(header);
    return rc;
}

static uint32_t checksum(const struct mfs_hostpages *host, const unsigned char *page)
{
    uint32_t sum = host->nonce;
    for (uint32_t at = host->page_size; at > CHECKSUM_STEP;) {
        at -= CHECKSUM_STEP;
        sum += page[at];
    }
    return sum;
}

int mfs_hostpages_keep(struct mfs_hostpages *host, uint32_t page)
{
    MFS_ASSERT(page >= 1 && page <= host->pages && !host->is_sealed);
    if (mfs_hostpages_is_locked_page(host->page_size, page))
        return SQLITE_OK;
    int rc = host->journal == NULL ? begin_journal(host) : SQLITE_OK;
    unsigned char *record = host->buffer;
    if (rc == SQLITE_OK)
        rc = host->file->pMethods->xRead(host->file, record + 4, (int)host->page_size,
                                         (sqlite3_int64)(page - 1) * host->page_size);
    if (rc != SQLITE_OK)
        return rc;
    uint32_t bytes = host->page_size + RECORD_BYTES;
    mfs_bigendian_write(record, page);
    mfs_bigendian_write(record + 4 + host->page_size, checksum(host, record + 4));
    rc = write_at(host, host->journal, record, bytes, host->journal_end);
    host->journal_end += bytes;
    host->kept++;
    return rc;
}

static int seal(struct mfs_hostpages *host)
{
    unsigned char count[4];
    int rc = host->journal == NULL ? begin_journal(host) : SQLITE_OK;
    mfs_bigendian_write(count, host->kept);
    if (rc == SQLITE_OK)
        rc = sync_file(host->journal);
    if (rc == SQLITE_OK)
        rc = write_at(host, host->journal, count, sizeof count, JOURNAL_RECORDS);
    if (rc == SQLITE_OK)
        rc = sync_file(host->journal);
    host->is_sealed = rc == SQLITE_OK;
    return rc;
}

/* ------------------------------------------------------------------- the pages */

int mfs_hostpages_write(struct mfs_hostpages *host, uint32_t page, const unsigned char *bytes)
{
    MFS_ASSERT(page >= 1 && !host->is_committed);
    if (mfs_hostpages_is_locked_page(host->page_size, page))
        return SQLITE_OK;
    int rc = host->is_sealed ? SQLITE_OK : seal(host);
    if (rc != SQLITE_OK)
        return rc;
    return write_at(host, host->file, bytes, host->page_size,
                    (sqlite3_int64)(page - 1) * host->page_size);
}

static void close_journal(struct mfs_hostpages *host)
{
    if (host->journal != NULL && host->journal->pMethods != NULL)
        (void)host->journal->pMethods->xClose(host->journal);
    sqlite3_free(host->journal);
    host->journal = NULL;
}

int mfs_hostpages_commit(struct mfs_hostpages *host, uint32_t pages)
{
    MFS_ASSERT(host->is_sealed && pages >= 1);
    int rc = SQLITE_OK;
    if (pages < host->pages)
        rc = host->file->pMethods->xTruncate(host->file, (sqlite3_int64)pages * host->page_size);
    if (rc == SQLITE_OK)
        rc = sync_file(host->file);
    if (rc != SQLITE_OK)
        return rc;
    close_journal(host);
    rc = host->vfs->xDelete(host->vfs, journal_name(host), 1);
    host->is_committed = rc == SQLITE_OK;
    return rc;
}

/*
 * What was written without a commit is undone by SQLite, from the journal, when the file is opened
 * next: here and now, or, if the host does not let us, by the next program.
 */
void mfs_hostpages_end(struct mfs_hostpages *host)
{
    bool is_hot = host->is_sealed && !host->is_committed;
    bool has_journal = host->journal != NULL;
    close_journal(host);
    if (has_journal && !is_hot)
        (void)host->vfs->xDelete(host->vfs, journal_name(host), 0);
    (void)sqlite3_close(host->lock);
    host->lock = NULL;
    if (is_hot)
        (void)lock_exclusively(host);
    (void)sqlite3_close(host->lock);
    sqlite3_free(host->buffer);
    *host = (struct mfs_hostpages){0};
}
