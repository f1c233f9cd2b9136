/*
 * A main database: opening, closing, and the table of its methods.
 *
 * 1. Opening takes four steps: the file, the index of names, the share, admission as an image or a
 *    writer.  A refusal undoes those before it.
 * 2. Closing undoes them in reverse, after everything that was not committed.
 * 3. Without shared memory SQLite does not offer WAL mode, so an isolated database has no methods
 *    for it.
 *
 * Cost: opening an existing database needs no memory of the file system.
 */
#include "vfs/dbfile.h"

#include "base/assertion.h"
#include "base/lasterror.h"
#include "file/filesync.h"
#include "file/sibling.h"
#include "locks/waiting.h"
#include "locks/walindex.h"
#include "names/place.h"
#include "vfs/control.h"
#include "vfs/dbio.h"
#include "vfs/dblock.h"
#include "vfs/dbshm.h"

/* --------------------------------------------------------------------- methods */

static void clear_place(struct mfs_dbfile *db)
{
    char journal[MFS_FILE_NAME_BYTES];
    char wal[MFS_FILE_NAME_BYTES];
    if (db->names.journal.claimed == 0 && db->names.wal.claimed == 0)
        return;
    if (mfs_file_sibling(&db->file, "-journal", journal) &&
        mfs_file_sibling(&db->file, "-wal", wal))
        mfs_place_clear(&db->names, db->file.fs, journal, wal);
}

static int db_close(sqlite3_file *file)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    if (mfs_file_is_inherited(db->file.fs))
        return SQLITE_IOERR_CLOSE;
    mfs_dbstate_end_writing(db);
    mfs_walindex_unmap(&db->member, db->registry, db->names.is_kept);
    clear_place(db);
    mfs_registry_leave_names(db->registry, &db->names);
    mfs_waiting_end(&db->member, db->registry);
    MFS_ASSERT(db->member.level == MFS_LOCK_NONE && db->undo.state == MFS_UNDO_UNDECIDED);
    mfs_member_leave(&db->member, db->registry);
    mfs_kept_close(&db->kept);
    int rc = mfs_file_close(&db->file);
    atomic_fetch_sub(&db->registry->open_files, 1u);
    return rc;
}

static int db_sync(sqlite3_file *file, int flags)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    (void)flags;
    return mfs_file_note_result(&db->file, mfs_filesync(&db->file));
}

static int db_control(sqlite3_file *file, int operation, void *argument)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    if (mfs_file_is_inherited(db->file.fs))
        return SQLITE_IOERR;
    mfs_name_cache_note_use(&db->names);
    return mfs_control_database(&db->file, &db->member, &db->undo, operation, argument);
}

static int db_sector_size(sqlite3_file *file)
{
    return mfs_dbstate_of(file)->file.device.sector_bytes;
}

static int db_characteristics(sqlite3_file *file)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    int characteristics = mfs_file_characteristics(&db->file);
    if (db->member.is_image)
        characteristics |= SQLITE_IOCAP_IMMUTABLE;
    /* Readers do not wait for the writer, so they would look into the journal that they keep open
     * themselves, and take the writer's for a hot one. */
    if (mfs_member_is_isolated(&db->member))
        characteristics &= ~SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN;
    return characteristics;
}

/* clang-format off */
#define METHODS_OF_EVERY_DATABASE                   \
    .iVersion = 3,                                  \
    .xClose = db_close,                             \
    .xRead = mfs_dbio_read,                         \
    .xWrite = mfs_dbio_write,                       \
    .xTruncate = mfs_dbio_truncate,                 \
    .xSync = db_sync,                               \
    .xFileSize = mfs_dbio_size,                     \
    .xLock = mfs_dblock_lock,                       \
    .xUnlock = mfs_dblock_unlock,                   \
    .xCheckReservedLock = mfs_dblock_check_reserved, \
    .xFileControl = db_control,                     \
    .xSectorSize = db_sector_size,                  \
    .xDeviceCharacteristics = db_characteristics,   \
    .xFetch = mfs_dbio_fetch,                       \
    .xUnfetch = mfs_dbio_unfetch
/* clang-format on */

static const sqlite3_io_methods isolated_methods = {METHODS_OF_EVERY_DATABASE};

static const sqlite3_io_methods db_methods = {
    METHODS_OF_EVERY_DATABASE,        .xShmMap = mfs_dbshm_map,     .xShmLock = mfs_dbshm_lock,
    .xShmBarrier = mfs_dbshm_barrier, .xShmUnmap = mfs_dbshm_unmap,
};

/* --------------------------------------------------------------------- opening */

/* Isolation is for rollback modes; WAL mode has snapshots of its own. */
static bool is_in_wal_mode(struct mfs_dbfile *db)
{
    unsigned char format[MFS_DBIO_FORMAT_BYTES];
    if (mfs_bytes_read(&db->file.bytes, format, sizeof format, MFS_DBIO_FORMAT_OFFSET) ==
            SQLITE_OK &&
        (format[0] == MFS_DBIO_FORMAT_WAL || format[1] == MFS_DBIO_FORMAT_WAL))
        return true;
    return mfs_sibling_has_live_wal(&db->file, &db->names);
}

static int join_database(struct mfs_dbfile *db, struct mfs_registry *registry,
                         enum mfs_isolation_wish wish)
{
    if (wish == MFS_ISOLATION_ON && is_in_wal_mode(db))
        return mfs_lasterror_say(SQLITE_CANTOPEN,
                                 "%s is in WAL mode, which memfs_mvcc=1 is not for", db->file.path);
    switch (mfs_member_join(&db->member, registry, db->file.number, wish, db->file.bytes.file,
                            &db->view)) {
    case MFS_JOINED:
        return SQLITE_OK;
    case MFS_JOIN_DISAGREES:
        return mfs_lasterror_say(SQLITE_CANTOPEN, "%s is open with memfs_mvcc=%d", db->file.path,
                                 wish != MFS_ISOLATION_ON);
    case MFS_JOIN_NO_MEMORY:
    default:
        return SQLITE_NOMEM;
    }
}

/* The suffix of a journal or WAL without which the database is not complete, or null. */
static const char *needed_sibling(struct mfs_dbfile *db)
{
    if (mfs_sibling_has_live_journal(&db->file, &db->names))
        return "-journal";
    return mfs_sibling_has_live_wal(&db->file, &db->names) ? "-wal" : NULL;
}

static int admit(struct mfs_dbfile *db, bool is_image)
{
    const char *path = db->file.path;
    if (!mfs_member_admit(&db->member, is_image, !db->file.is_read_only))
        return mfs_lasterror_say(SQLITE_BUSY,
                                 is_image
                                     ? "%s is open for writing, and so is no read-only image"
                                     : "%s is open as a read-only image, and cannot be written",
                                 path);
    const char *suffix = is_image ? needed_sibling(db) : NULL;
    if (suffix == NULL)
        return SQLITE_OK;
    return mfs_lasterror_say(SQLITE_CANTOPEN, "%s is no whole image without %s%s", path, path,
                             suffix);
}

/* The mode that a new database gets. */
static int find_new_mode(memfs *fs, const struct mfs_uri_parameters *parameters, uint32_t *mode)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    *mode = MFS_FILE_MODE;
    if (parameters->mode_of == NULL)
        return SQLITE_OK;
    int error = memfs_stat(fs, parameters->mode_of, &info);
    if (error != 0)
        return mfs_lasterror_code(MFS_OPERATION_SIZE, error);
    *mode = info.mode & 0777u;
    return SQLITE_OK;
}

static int join_admitted(struct mfs_dbfile *db, struct mfs_registry *registry,
                         enum mfs_isolation_wish wish, bool is_image)
{
    int rc = join_database(db, registry, wish);
    if (rc != SQLITE_OK)
        return rc;
    rc = admit(db, is_image);
    if (rc != SQLITE_OK)
        mfs_member_leave(&db->member, registry);
    return rc;
}

/* From the tree, or from a snapshot. */
static int open_bytes(struct mfs_dbfile *db, memfs *fs, const char *vfs_name, const char *path,
                      int open_flags, const struct mfs_uri_parameters *parameters)
{
    uint32_t mode = MFS_FILE_MODE;
    db->kept = (struct mfs_kept){0};
    if (parameters->snapshot != NULL)
        return mfs_kept_open(&db->kept, &db->file, fs, vfs_name, path, parameters->snapshot);
    int rc = SQLITE_OK;
    if ((open_flags & SQLITE_OPEN_CREATE) != 0)
        rc = find_new_mode(fs, parameters, &mode);
    return rc == SQLITE_OK ? mfs_file_open(&db->file, fs, vfs_name, path, open_flags, mode, true)
                           : rc;
}

int mfs_dbfile_open(struct mfs_dbfile *db, memfs *fs, const char *vfs_name,
                    struct mfs_registry *registry, const char *path, int open_flags,
                    const struct mfs_uri_parameters *parameters)
{
    bool is_kept = parameters->snapshot != NULL;
    bool is_image = parameters->is_image && !is_kept;
    MFS_ASSERT(path != NULL);
    db->file.base.pMethods = NULL;
    if (is_image)
        open_flags &= ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    int rc = open_bytes(db, fs, vfs_name, path, open_flags, parameters);
    if (rc != SQLITE_OK)
        return rc;
    db->file.overwrites_are_safe = parameters->overwrites_are_safe && !parameters->tears_sectors;
    db->file.device = parameters->device;
    db->registry = registry;
    db->view = (struct mfs_view){0};
    db->undo = (struct mfs_undo){
        .names = &db->names, .view = &db->view, .state = MFS_UNDO_UNDECIDED};
    db->holds_private = false;
    db->has_no_free_page = false;
    db->names = (struct mfs_name_cache){
        .path = db->file.path, .number = db->file.number, .is_kept = is_kept};
    bool is_own_name = mfs_name_cache_is_own_name(db, registry->file_bytes, path);
    mfs_registry_enter_names(registry, &db->names, is_own_name ? path : NULL);
    rc = join_admitted(db, registry, is_kept ? MFS_ISOLATION_AS_IT_IS : parameters->isolation,
                       is_image);
    if (rc != SQLITE_OK) {
        mfs_registry_leave_names(registry, &db->names);
        mfs_kept_close(&db->kept);
        (void)mfs_file_close(&db->file);
        return rc;
    }
    MFS_ASSERT(!is_image || db->file.is_read_only);
    atomic_fetch_add(&registry->open_files, 1u);
    db->file.base.pMethods = mfs_member_is_isolated(&db->member) ? &isolated_methods : &db_methods;
    return SQLITE_OK;
}
