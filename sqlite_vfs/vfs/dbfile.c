/*
 * A main database.
 *
 * Every change goes through mfs_undo_prepare() first, and every way out of a
 * transaction through mfs_undo_commit() (in control.c) or mfs_undo_roll_back().
 * The undo is always done before the lock is let go.
 *
 * From its first write into the file to the unlock, and while it maps the WAL
 * index, the connection holds the file private: a copy that somebody takes
 * meanwhile must not make a rollback or a checkpoint allocate.
 */
#include "vfs/dbfile.h"

#include "base/errmap.h"
#include "locks/waiting.h"
#include "names/sibling.h"
#include "transaction/wal.h"
#include "vfs/control.h"

#include <memfs/storage.h>

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* The header's write and read version. */
enum { FORMAT_OFFSET = 18, FORMAT_BYTES = 2, FORMAT_ROLLBACK = 1, FORMAT_WAL = 2 };

/* Of the WAL index: SQLite's WAL_CKPT_LOCK and WAL_READ_LOCK(0). */
enum { CHECKPOINT_SLOT = 1, FIRST_READER_SLOT = 3 };

/* Where the pager reads to see whether its cache is still good. */
enum { VERSION_OFFSET = 24, VERSION_BYTES = 16 };

static struct mfs_dbfile *dbfile_of(sqlite3_file *file)
{
    return (struct mfs_dbfile *)file;
}

/* The name of a rollback journal beside the database, which this connection may write: what it
 * says of a transaction that never reached the file must not be played back later. */
static void quench_journal(struct mfs_dbfile *db)
{
    char name[MFS_FILE_NAME_BYTES];
    if (mfs_name_cache_knows(&db->nearby, db->file.fs, MFS_FACT_NO_JOURNAL) ||
        !mfs_file_sibling(&db->file, "-journal", name))
        return;
    if (mfs_sibling_journal_is_live(db->file.fs, name))
        (void)memfs_truncate(db->file.fs, name, 0);
}

static void abandon(struct mfs_dbfile *db)
{
    if (!mfs_member_is_isolated(&db->member))
        return;
    (void)mfs_member_abandon(&db->member);
    if (db->member.level > MFS_LOCK_SHARED && db->member.isolation.skips_journal)
        quench_journal(db);
}

/* Ends a transaction that writes, if there is one: what was not committed goes. */
static void end_writing(struct mfs_dbfile *db)
{
    mfs_undo_roll_back(&db->undo);
    abandon(db);
    mfs_file_release_room(&db->file);
}

static int db_close(sqlite3_file *file)
{
    struct mfs_dbfile *db = dbfile_of(file);
    end_writing(db);
    mfs_member_unmap_shm(&db->member, db->registry, false);
    mfs_registry_remove_nearby(db->registry, &db->nearby);
    mfs_waiting_end(&db->member, db->registry);
    mfs_member_leave(&db->member, db->registry);
    mfs_view_drop(&db->view);
    int rc = mfs_file_close(&db->file);
    atomic_fetch_sub(&db->registry->open_files, 1u);
    return rc;
}

static int read_bytes(struct mfs_dbfile *db, void *buffer, int count, sqlite3_int64 offset)
{
    return mfs_view_is_used(&db->view) ? mfs_view_read(&db->view, buffer, count, offset)
                                       : mfs_file_read(&db->file, buffer, count, offset);
}

/*
 * The pager begins a read transaction: it compares these bytes with those of its cache.  If what
 * it had cached is not what is in the view now, they must differ, and under
 * locking_mode=EXCLUSIVE a writer does not change them with every commit.
 */
static int read_version(struct mfs_dbfile *db, unsigned char *bytes)
{
    struct mfs_isolation *isolation = &db->member.isolation;
    if (db->undo.state == MFS_UNDO_ARMED)
        mfs_undo_roll_back(&db->undo);
    abandon(db);
    mfs_fetch_note_change(&db->member.fetch);
    int rc = read_bytes(db, bytes, VERSION_BYTES, VERSION_OFFSET);
    for (int index = 0; isolation->is_news && index < VERSION_BYTES; index++)
        bytes[index] ^= 0xFFu;
    isolation->is_news = false;
    return rc;
}

/* An image has no WAL beside it, so SQLite must not look for one. */
static void hide_wal_mode(unsigned char format[FORMAT_BYTES])
{
    if (format[0] == FORMAT_WAL && format[1] == FORMAT_WAL)
        memset(format, FORMAT_ROLLBACK, FORMAT_BYTES);
}

static int db_read(sqlite3_file *file, void *buffer, int count, sqlite3_int64 offset)
{
    struct mfs_dbfile *db = dbfile_of(file);
    if (offset == VERSION_OFFSET && count == VERSION_BYTES)
        return read_version(db, buffer);
    int rc = read_bytes(db, buffer, count, offset);
    if (db->member.is_image && offset == 0 && count >= FORMAT_OFFSET + FORMAT_BYTES)
        hide_wal_mode((unsigned char *)buffer + FORMAT_OFFSET);
    return rc;
}

static int64_t size_of(const struct mfs_dbfile *db)
{
    return mfs_view_is_used(&db->view) ? mfs_view_size(&db->view)
                                       : memfs_file_size(db->file.handle);
}

static struct mfs_fetch_source fetch_source_of(const struct mfs_dbfile *db)
{
    return (struct mfs_fetch_source){
        .file = db->file.handle,
        .version = mfs_view_is_used(&db->view) ? &db->view.version : NULL,
        .version_generation = db->view.generation,
    };
}

static void hold_private(struct mfs_dbfile *db, bool on)
{
    if (db->holds_private == on)
        return;
    int error = memfs_hold_private(db->file.handle, on);
    assert(error == 0);
    (void)error;
    db->holds_private = on;
}

/* Whether a limit of this database, not the file system's, forbids the size.  A checkpoint is
 * not asked: its growth was allowed when the WAL was written. */
static bool exceeds_limit(struct mfs_dbfile *db, sqlite3_int64 size)
{
    if (db->member.shm != NULL && db->member.level < MFS_LOCK_RESERVED)
        return false;
    if (size <= size_of(db))
        return false;
    int64_t limit = mfs_member_size_limit(&db->member);
    return limit != MFS_SIZE_UNLIMITED && size > limit;
}

/* Whether the range holds exactly these bytes already. */
static bool holds(struct mfs_dbfile *db, const void *bytes, int count, sqlite3_int64 offset)
{
    char piece[512];
    for (int done = 0; done < count;) {
        int length = count - done < (int)sizeof piece ? count - done : (int)sizeof piece;
        if (read_bytes(db, piece, length, offset + done) != SQLITE_OK ||
            memcmp(piece, (const char *)bytes + done, (size_t)length) != 0)
            return false;
        done += length;
    }
    return true;
}

static int write_bytes(struct mfs_dbfile *db, const void *buffer, int count, sqlite3_int64 offset)
{
    if (mfs_view_is_used(&db->view))
        return mfs_view_write(&db->view, buffer, count, offset);
    hold_private(db, true);
    return mfs_file_write(&db->file, buffer, count, offset);
}

/* A database that said so could not be opened any more: isolated, there is no shared memory. */
static bool says_wal(const struct mfs_dbfile *db, const unsigned char *bytes, int count,
                     sqlite3_int64 offset)
{
    if (offset != 0 || count <= FORMAT_OFFSET + 1 || !mfs_member_is_isolated(&db->member) ||
        (bytes[FORMAT_OFFSET] != FORMAT_WAL && bytes[FORMAT_OFFSET + 1] != FORMAT_WAL))
        return false;
    sqlite3_log(SQLITE_CANTOPEN, "memfs: %s: no WAL mode with memfs_mvcc=1", db->file.path);
    return true;
}

static int db_write(sqlite3_file *file, const void *buffer, int count, sqlite3_int64 offset)
{
    struct mfs_dbfile *db = dbfile_of(file);
    if (exceeds_limit(db, offset + count))
        return SQLITE_FULL;
    mfs_fetch_note_change(&db->member.fetch);
    if (says_wal(db, buffer, count, offset))
        return SQLITE_CANTOPEN;
    int rc = mfs_undo_prepare(&db->undo, &db->file, db->member.level);
    if (rc != SQLITE_OK)
        return rc;
    rc = write_bytes(db, buffer, count, offset);
    /* A rollback also writes pages that the transaction had not written yet.  Where the file or a
     * copy shares them, that takes memory; but such a write changes nothing, so it may not fail. */
    if ((rc == SQLITE_FULL || rc == SQLITE_IOERR_NOMEM) && holds(db, buffer, count, offset))
        return SQLITE_OK;
    return rc;
}

static int db_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct mfs_dbfile *db = dbfile_of(file);
    if (exceeds_limit(db, size))
        return SQLITE_FULL;
    mfs_fetch_note_change(&db->member.fetch);
    int rc = mfs_undo_prepare(&db->undo, &db->file, db->member.level);
    if (rc != SQLITE_OK)
        return rc;
    return mfs_view_is_used(&db->view) ? mfs_view_truncate(&db->view, size)
                                       : mfs_file_truncate(&db->file, size);
}

static int db_sync(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    return SQLITE_OK;
}

static int db_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct mfs_dbfile *db = dbfile_of(file);
    if (!mfs_view_is_used(&db->view))
        return mfs_file_size(&db->file, size);
    *size = mfs_view_size(&db->view);
    return SQLITE_OK;
}

static int answer_to_code(enum mfs_lock_answer answer)
{
    switch (answer) {
    case MFS_LOCK_GRANTED:
        return SQLITE_OK;
    case MFS_LOCK_BUSY:
        return SQLITE_BUSY;
    case MFS_LOCK_OUTDATED:
        return SQLITE_BUSY_SNAPSHOT;
    case MFS_LOCK_MISUSE:
    default:
        return SQLITE_MISUSE;
    }
}

static int db_lock(sqlite3_file *file, int level)
{
    struct mfs_dbfile *db = dbfile_of(file);
    enum mfs_lock_level before = db->member.level;
    enum mfs_lock_answer answer = mfs_waiting_lock(&db->member, db->registry,
                                                   (enum mfs_lock_level)level);
    mfs_undo_note_lock(&db->undo, before, db->member.level);
    db->nearby.ignores_journal = db->member.isolation.skips_journal;
    return answer_to_code(answer);
}

static int db_unlock(sqlite3_file *file, int level)
{
    struct mfs_dbfile *db = dbfile_of(file);
    bool has_written = db->member.level == MFS_LOCK_EXCLUSIVE;
    if (db->member.level > MFS_LOCK_SHARED) {
        end_writing(db);
        if (mfs_member_is_isolated(&db->member))
            mfs_member_end_recovery(&db->member);
        mfs_fetch_note_change(&db->member.fetch);
    }
    if (db->member.shm == NULL)
        hold_private(db, false);
    if (has_written)
        mfs_member_reclaim_pages(&db->member, db->file.handle);
    if (mfs_member_is_isolated(&db->member))
        db->view.generation++; /* an idle connection must not keep pages of an old version */
    struct mfs_fetch_source source = fetch_source_of(db);
    if (level == SQLITE_LOCK_NONE)
        mfs_fetch_end_transaction(&db->member.fetch, &source);
    int rc = answer_to_code(mfs_member_unlock(&db->member, (enum mfs_lock_level)level));
    mfs_waiting_wake(&db->member, db->registry);
    return rc;
}

static int db_check_reserved_lock(sqlite3_file *file, int *is_reserved)
{
    *is_reserved = mfs_member_sees_reserved(&dbfile_of(file)->member);
    return SQLITE_OK;
}

static int db_control(sqlite3_file *file, int operation, void *argument)
{
    struct mfs_dbfile *db = dbfile_of(file);
    return mfs_control_database(&db->file, &db->member, &db->undo, operation, argument);
}

static int db_sector_size(sqlite3_file *file)
{
    (void)file;
    return MFS_FILE_SECTOR_BYTES;
}

static int db_characteristics(sqlite3_file *file)
{
    struct mfs_dbfile *db = dbfile_of(file);
    int characteristics = mfs_file_characteristics(&db->file);
    if (db->member.is_image)
        characteristics |= SQLITE_IOCAP_IMMUTABLE;
    /* Readers do not wait for the writer, so no journal may stay open: they would look into it. */
    if (mfs_member_is_isolated(&db->member))
        characteristics &= ~SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN;
    return characteristics;
}

/* ------------------------------------------------------------ shared memory */

static int db_shm_map(sqlite3_file *file, int region, int region_bytes, int extends,
                      void volatile **out)
{
    struct mfs_dbfile *db = dbfile_of(file);
    char wal_path[MFS_FILE_NAME_BYTES];
    void *address;
    *out = NULL;
    if (region < 0 || region_bytes != MFS_SHM_REGION_BYTES ||
        !mfs_file_sibling(&db->file, "-wal", wal_path))
        return SQLITE_IOERR_SHMMAP;
    int error = mfs_member_map_shm(&db->member, db->registry, db->file.fs, wal_path);
    if (error == 0)
        error = mfs_member_shm_region(&db->member, (uint32_t)region, extends != 0, &address);
    if (error != 0)
        return mfs_errmap(MFS_OPERATION_WRITE, error);
    hold_private(db, true);
    *out = address;
    return SQLITE_OK;
}

/* In WAL mode giving back a reader's lock ends a transaction, and the checkpointer's lock what
 * may have cut the database. */
static void settle_fetches(struct mfs_member *member, memfs_file *file, int slot, bool exclusive)
{
    struct mfs_fetch_source source = {.file = file};
    if (!exclusive && slot >= FIRST_READER_SLOT)
        mfs_fetch_end_transaction(&member->fetch, &source);
    else if (exclusive && slot == CHECKPOINT_SLOT)
        mfs_member_reclaim_pages(member, file);
}

static int db_shm_lock(sqlite3_file *file, int first, int count, int flags)
{
    struct mfs_dbfile *db = dbfile_of(file);
    struct mfs_member *member = &db->member;
    bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    if (member->shm == NULL || first < 0 || count < 1 || first + count > SQLITE_SHM_NLOCK)
        return SQLITE_IOERR_SHMLOCK;
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
        mfs_shm_unlock(member->shm, &member->hold, (unsigned)first, (unsigned)count, exclusive);
        mfs_waiting_wake(member, db->registry);
        settle_fetches(member, db->file.handle, first, exclusive);
        return SQLITE_OK;
    }
    return mfs_waiting_lock_wal(member, db->registry, (unsigned)first, (unsigned)count, exclusive)
               ? SQLITE_OK
               : SQLITE_BUSY;
}

static void db_shm_barrier(sqlite3_file *file)
{
    struct mfs_member *member = &dbfile_of(file)->member;
    if (member->shm != NULL)
        mfs_shm_barrier(member->shm);
}

static int db_shm_unmap(sqlite3_file *file, int deletes)
{
    struct mfs_dbfile *db = dbfile_of(file);
    if (deletes && db->member.shm != NULL)
        mfs_wal_end_reservation(&db->file, &db->member);
    mfs_member_unmap_shm(&db->member, db->registry, deletes != 0);
    mfs_waiting_wake(&db->member, db->registry);
    if (db->member.level < MFS_LOCK_RESERVED)
        hold_private(db, false);
    return SQLITE_OK;
}

/* ------------------------------------------------------------------- mappings */

static int db_fetch(sqlite3_file *file, sqlite3_int64 offset, int count, void **out)
{
    struct mfs_dbfile *db = dbfile_of(file);
    struct mfs_fetch_source source = fetch_source_of(db);
    *out = mfs_fetch_page(&db->member.fetch, &source, offset, count);
    return SQLITE_OK;
}

/* A null page: what is mapped may be old. */
static int db_unfetch(sqlite3_file *file, sqlite3_int64 offset, void *page)
{
    struct mfs_dbfile *db = dbfile_of(file);
    if (page != NULL)
        mfs_fetch_give_back(&db->member.fetch, offset, page);
    else
        mfs_fetch_note_change(&db->member.fetch);
    return SQLITE_OK;
}

static const sqlite3_io_methods db_methods = {
    .iVersion = 3,
    .xClose = db_close,
    .xRead = db_read,
    .xWrite = db_write,
    .xTruncate = db_truncate,
    .xSync = db_sync,
    .xFileSize = db_size,
    .xLock = db_lock,
    .xUnlock = db_unlock,
    .xCheckReservedLock = db_check_reserved_lock,
    .xFileControl = db_control,
    .xSectorSize = db_sector_size,
    .xDeviceCharacteristics = db_characteristics,
    .xShmMap = db_shm_map,
    .xShmLock = db_shm_lock,
    .xShmBarrier = db_shm_barrier,
    .xShmUnmap = db_shm_unmap,
    .xFetch = db_fetch,
    .xUnfetch = db_unfetch,
};

/* Without shared memory SQLite does not offer WAL mode. */
static const sqlite3_io_methods isolated_methods = {
    .iVersion = 3,
    .xClose = db_close,
    .xRead = db_read,
    .xWrite = db_write,
    .xTruncate = db_truncate,
    .xSync = db_sync,
    .xFileSize = db_size,
    .xLock = db_lock,
    .xUnlock = db_unlock,
    .xCheckReservedLock = db_check_reserved_lock,
    .xFileControl = db_control,
    .xSectorSize = db_sector_size,
    .xDeviceCharacteristics = db_characteristics,
    .xFetch = db_fetch,
    .xUnfetch = db_unfetch,
};

struct mfs_dbfile *mfs_dbfile_of_wal(struct mfs_registry *registry, const char *name)
{
    struct mfs_nearby *nearby = mfs_registry_find_wal(registry, name);
    if (nearby == NULL)
        return NULL;
    return (struct mfs_dbfile *)(void *)((char *)nearby - offsetof(struct mfs_dbfile, nearby));
}

/* Isolation is for rollback modes; WAL mode has its own. */
static bool is_in_wal_mode(struct mfs_dbfile *db)
{
    char name[MFS_FILE_NAME_BYTES];
    unsigned char formats[2];
    if (mfs_file_read(&db->file, formats, sizeof formats, FORMAT_OFFSET) == SQLITE_OK &&
        (formats[0] == FORMAT_WAL || formats[1] == FORMAT_WAL))
        return true;
    return mfs_file_sibling(&db->file, "-wal", name) && mfs_sibling_has_content(db->file.fs, name);
}

static int join(struct mfs_dbfile *db, struct mfs_registry *registry, enum mfs_isolation_wish wish)
{
    if (wish == MFS_ISOLATION_ON && is_in_wal_mode(db)) {
        sqlite3_log(SQLITE_CANTOPEN, "memfs: %s is in WAL mode, which memfs_mvcc=1 is not for",
                    db->file.path);
        return SQLITE_CANTOPEN;
    }
    switch (
        mfs_member_join(&db->member, registry, db->file.number, wish, db->file.handle, &db->view)) {
    case MFS_JOINED:
        return SQLITE_OK;
    case MFS_JOIN_DISAGREES:
        sqlite3_log(SQLITE_CANTOPEN, "memfs: %s is open with memfs_mvcc=%d", db->file.path,
                    wish != MFS_ISOLATION_ON);
        return SQLITE_CANTOPEN;
    case MFS_JOIN_NO_MEMORY:
    default:
        return SQLITE_NOMEM;
    }
}

/* Says in SQLite's log why not, since SQLite has no other place for it. */
static int admit(struct mfs_dbfile *db, bool is_image)
{
    char name[MFS_FILE_NAME_BYTES];
    const char *path = db->file.path;
    if (!mfs_member_admit(&db->member, is_image, !db->file.is_read_only)) {
        sqlite3_log(SQLITE_BUSY,
                    is_image ? "memfs: %s is open for writing, and so is no read-only image"
                             : "memfs: %s is open as a read-only image, and cannot be written",
                    path);
        return SQLITE_BUSY;
    }
    if (!is_image || !((mfs_file_sibling(&db->file, "-journal", name) &&
                        mfs_sibling_journal_is_live(db->file.fs, name)) ||
                       (mfs_file_sibling(&db->file, "-wal", name) &&
                        mfs_sibling_has_content(db->file.fs, name))))
        return SQLITE_OK;
    sqlite3_log(SQLITE_CANTOPEN, "memfs: %s is no whole image without %s", path, name);
    return SQLITE_CANTOPEN;
}

int mfs_dbfile_open(struct mfs_dbfile *db, memfs *fs, const char *vfs_name,
                    struct mfs_registry *registry, const char *path, int open_flags,
                    enum mfs_isolation_wish wish, bool is_image)
{
    assert(path != NULL);
    db->file.base.pMethods = NULL;
    if (is_image)
        open_flags &= ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    int rc = mfs_file_open(&db->file, fs, vfs_name, path, open_flags, true);
    if (rc != SQLITE_OK)
        return rc;
    db->registry = registry;
    db->view = (struct mfs_view){0};
    db->undo = (struct mfs_undo){
        .nearby = &db->nearby, .view = &db->view, .state = MFS_UNDO_UNDECIDED};
    db->holds_private = false;
    rc = join(db, registry, wish);
    if (rc != SQLITE_OK) {
        (void)mfs_file_close(&db->file);
        return rc;
    }
    rc = admit(db, is_image);
    if (rc != SQLITE_OK) {
        mfs_member_leave(&db->member, registry);
        (void)mfs_file_close(&db->file);
        return rc;
    }
    bool is_own_name = mfs_name_cache_is_own_name(db, registry->file_bytes, path);
    mfs_registry_add_nearby(registry, &db->nearby, is_own_name ? path : NULL);
    atomic_fetch_add(&registry->open_files, 1u);
    db->file.base.pMethods = mfs_member_is_isolated(&db->member) ? &isolated_methods : &db_methods;
    return SQLITE_OK;
}
