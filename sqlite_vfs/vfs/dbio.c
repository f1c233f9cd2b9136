/*
 * Reading and writing a main database.
 *
 * 1. All reads and writes go to mfs_dbstate_bytes(): the view, if the transaction has one, or the
 *    file.
 * 2. A refusal comes before anything has changed: the size limit first, then the undo, then the
 *    write itself, which is all or nothing.
 * 3. A database that has lost its place (names/place.h) is changed no more, but for what undoes a
 *    transaction and for a checkpoint.
 * 4. The read of 16 bytes at offset 24 is special.  The pager makes it in one place
 *    (sqlite3PagerSharedLock), when it begins a read transaction, to compare them with its cache;
 *    every other read is a page or the 100 bytes of the header.
 *
 * Cost: one branch more than mfs_bytes_read(); a write also decides about the undo.
 */
#include "vfs/dbio.h"

#include "base/assertion.h"
#include "base/bigendian.h"
#include "base/lasterror.h"
#include "names/place.h"
#include "vfs/dbstate.h"

#include <string.h>

/* Where the pager reads to see whether its cache is still good. */
enum { VERSION_OFFSET = 24, VERSION_BYTES = 16, FREE_PAGES_IN_VERSION = 12 };

/* --------------------------------------------------------------------- reading */

/*
 * The pager begins a read transaction.  An undo that is still armed belongs to a transaction that
 * ended without a commit or an unlock.
 *
 * If the view has become another version since the pager cached pages, these bytes must differ from
 * those in its cache.  Under locking_mode=EXCLUSIVE a writer does not change them with every
 * commit, so they are returned inverted, once.
 */
static int read_version(struct mfs_dbfile *db, unsigned char *version)
{
    struct mfs_isolation *isolation = &db->member.isolation;
    if (mfs_file_is_inherited(db->file.fs))
        return SQLITE_IOERR_READ;
    MFS_ASSERT(db->undo.state != MFS_UNDO_ARMED || db->member.level == MFS_LOCK_EXCLUSIVE);
    if (db->undo.state == MFS_UNDO_ARMED)
        mfs_undo_roll_back(&db->undo);
    mfs_name_cache_note_use(&db->names);
    if (mfs_member_is_isolated(&db->member))
        mfs_dbstate_abandon(db);
    mfs_fetch_note_change(&db->member.fetch);
    int rc = mfs_bytes_read(mfs_dbstate_bytes(db), version, VERSION_BYTES, VERSION_OFFSET);
    db->has_no_free_page = rc == SQLITE_OK &&
                           mfs_bigendian_read(version + FREE_PAGES_IN_VERSION) == 0;
    for (int index = 0; isolation->has_new_version && index < VERSION_BYTES; index++)
        version[index] ^= 0xFFu;
    isolation->has_new_version = false;
    return rc;
}

/* An image has no WAL beside it, so SQLite must not look for one. */
static void hide_wal_mode(unsigned char format[MFS_DBIO_FORMAT_BYTES])
{
    if (format[0] == MFS_DBIO_FORMAT_WAL && format[1] == MFS_DBIO_FORMAT_WAL)
        memset(format, MFS_DBIO_FORMAT_ROLLBACK, MFS_DBIO_FORMAT_BYTES);
}

int mfs_dbio_read(sqlite3_file *file, void *buffer, int count, sqlite3_int64 offset)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    if (offset == VERSION_OFFSET && count == VERSION_BYTES)
        return read_version(db, buffer);
    int rc = mfs_bytes_read(mfs_dbstate_bytes(db), buffer, count, offset);
    if (db->member.is_image && offset == 0 &&
        count >= MFS_DBIO_FORMAT_OFFSET + MFS_DBIO_FORMAT_BYTES)
        hide_wal_mode((unsigned char *)buffer + MFS_DBIO_FORMAT_OFFSET);
    return rc;
}

int mfs_dbio_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return mfs_bytes_report_size(mfs_dbstate_bytes(mfs_dbstate_of(file)), size);
}

/* --------------------------------------------------------------------- writing */

/* Whether the database's own size limit, not the file system's quota, forbids `size`.  A
 * checkpoint, which writes without RESERVED, is not limited: its growth was allowed when the WAL
 * was written. */
static bool exceeds_limit(struct mfs_dbfile *db, sqlite3_int64 size)
{
    if (db->member.shm != NULL && db->member.level < MFS_LOCK_RESERVED)
        return false;
    if (size <= mfs_bytes_size(mfs_dbstate_bytes(db)))
        return false;
    int64_t limit = mfs_member_size_limit(&db->member);
    return limit != MFS_SIZE_UNLIMITED && size > limit;
}

/* Whether the write would put an isolated database into WAL mode.  Without shared memory it could
 * not be opened any more. */
static bool would_enter_wal_mode(const struct mfs_dbfile *db, const unsigned char *bytes, int count,
                                 sqlite3_int64 offset)
{
    if (offset != 0 || count < MFS_DBIO_FORMAT_OFFSET + MFS_DBIO_FORMAT_BYTES ||
        !mfs_member_is_isolated(&db->member))
        return false;
    const unsigned char *format = bytes + MFS_DBIO_FORMAT_OFFSET;
    if (format[0] != MFS_DBIO_FORMAT_WAL && format[1] != MFS_DBIO_FORMAT_WAL)
        return false;
    (void)mfs_lasterror_say(SQLITE_CANTOPEN, "%s: no WAL mode with memfs_mvcc=1", db->file.path);
    return true;
}

/* The mapped pages may become old, and the undo must have its view.  Nothing has changed if this
 * fails. */
static int prepare_change(struct mfs_dbfile *db)
{
    if (mfs_file_is_inherited(db->file.fs))
        return SQLITE_IOERR_WRITE;
    mfs_fetch_note_change(&db->member.fetch);
    return mfs_undo_prepare(&db->undo, &db->file, db->member.level);
}

/*
 * Whether a write may be made though the database has lost its place: in a playback, in a
 * checkpoint, and if it is what the file has.  The latter is how a rollback is told from a commit
 * where nothing was written to the file: before the first write, and with an undo.  The playback of
 * a journal that is not known to be the connection's cannot be told, and must not be refused.
 */
static bool is_allowed_without_place(struct mfs_dbfile *db, const void *buffer, int count,
                                     sqlite3_int64 offset)
{
    const struct mfs_name_cache *names = &db->names;
    bool has_written = db->undo.state != MFS_UNDO_UNDECIDED ||
                       db->member.level != MFS_LOCK_EXCLUSIVE;
    if (db->undo.is_recovery || (names->is_playing_back && has_written))
        return true;
    if (db->member.shm != NULL || names->wal.file != NULL)
        return true;
    if (db->undo.state == MFS_UNDO_JOURNALLED && names->journal.file == NULL)
        return true;
    return mfs_bytes_range_equals(&db->file.bytes, buffer, count, offset);
}

static int write_bytes(struct mfs_dbfile *db, const void *buffer, int count, sqlite3_int64 offset)
{
    bool is_refused = mfs_place_is_lost(&db->names, db->file.fs) &&
                      !is_allowed_without_place(db, buffer, count, offset);
    if (exceeds_limit(db, offset + count))
        return mfs_lasterror_code(MFS_OPERATION_WRITE, MEMFS_EFBIG);
    if (would_enter_wal_mode(db, buffer, count, offset))
        return SQLITE_CANTOPEN;
    int rc = prepare_change(db);
    if (rc != SQLITE_OK)
        return rc;
    if (is_refused)
        return SQLITE_READONLY_DBMOVED;
    struct mfs_bytes *bytes = mfs_dbstate_bytes(db);
    MFS_ASSERT(db->undo.state != MFS_UNDO_ARMED || bytes == &db->view.bytes);
    if (bytes == &db->file.bytes)
        mfs_dbstate_hold_private(db, true);
    if (offset < VERSION_OFFSET + VERSION_BYTES)
        db->has_no_free_page = false;
    rc = mfs_bytes_write(bytes, buffer, count, offset);
    /* A rollback also writes pages that the transaction had not written yet.  If the file or a copy
     * shares them, that needs memory; but such a write changes nothing, so it must not fail. */
    if ((rc == SQLITE_FULL || rc == SQLITE_IOERR_NOMEM) &&
        mfs_bytes_range_equals(bytes, buffer, count, offset))
        return SQLITE_OK;
    return rc;
}

/*
 * After a refused change of a view SQLite only rolls back, whatever the change was.  A rollback
 * from a heap journal writes every page that the journal has, also what the cache had of free
 * pages, which need not be what the file has; so it could be refused as well.  Under
 * locking_mode=EXCLUSIVE the pager would try it again before every read.
 */
static int end_change(struct mfs_dbfile *db, int rc)
{
    if (rc != SQLITE_OK && db->member.level > MFS_LOCK_SHARED && mfs_view_is_used(&db->view))
        mfs_dbstate_doom(db);
    return rc;
}

int mfs_dbio_write(sqlite3_file *file, const void *buffer, int count, sqlite3_int64 offset)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    if (db->view.is_doomed && !mfs_file_is_inherited(db->file.fs))
        return SQLITE_OK;
    return mfs_file_note_result(&db->file, end_change(db, write_bytes(db, buffer, count, offset)));
}

static int truncate_bytes(struct mfs_dbfile *db, sqlite3_int64 size)
{
    if (exceeds_limit(db, size))
        return mfs_lasterror_code(MFS_OPERATION_TRUNCATE, MEMFS_EFBIG);
    int rc = prepare_change(db);
    return rc != SQLITE_OK ? rc : mfs_bytes_truncate(mfs_dbstate_bytes(db), size);
}

int mfs_dbio_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    if (db->view.is_doomed && !mfs_file_is_inherited(db->file.fs))
        return SQLITE_OK;
    return mfs_file_note_result(&db->file, end_change(db, truncate_bytes(db, size)));
}

/* ----------------------------------------------------------------------- pages */

int mfs_dbio_fetch(sqlite3_file *file, sqlite3_int64 offset, int count, void **out)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    *out = mfs_fetch_page(&db->member.fetch, mfs_dbstate_bytes(db), offset, count);
    return SQLITE_OK;
}

/* A null page tells that mapped pages may be old. */
int mfs_dbio_unfetch(sqlite3_file *file, sqlite3_int64 offset, void *page)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    if (page != NULL)
        mfs_fetch_give_back(&db->member.fetch, offset, page);
    else
        mfs_fetch_note_change(&db->member.fetch);
    return SQLITE_OK;
}
