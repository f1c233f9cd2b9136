/*
 * Files without locks.
 *
 * 1. An open rollback journal is entered in the registry, and keeps its name: deleting it truncates
 *    it to size 0, and for xAccess a file of size 0 does not exist.
 *
 *    Why: files have SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN, so a connection in mode PERSIST or
 *    TRUNCATE keeps its journal open while it holds no lock.  If another connection, in mode
 *    DELETE, removed the name, the first one would write its next journal into a file without a
 *    name.  If that transaction were left unfinished no other connection could find the journal,
 *    and all would read a half-written database.
 * 2. Opening and entering a journal are one step under the registry's mutex, and so is deleting
 *    one: a deletion sees the journal either open or not there.
 * 3. A connection opens and deletes at the names of its journal and WAL only what is its database's
 *    (names/place.h).  What another database has left there loses the name: that database's
 *    connections go on with their handles.
 * 4. A connection whose database has lost its place makes no journal and writes no frame that would
 *    commit.  It may play a journal back and end it, so that a transaction that was under way can
 *    be undone.
 * 5. Before a WAL grows, the checkpoint's growth is charged (transaction/wal.h).
 * 6. Before a page is journalled, what playing it back will need is charged (vfs/journalled.h).
 * 7. Of a database as of a snapshot the siblings are the snapshot's (file/kept.h), and are deleted
 *    for the connection only.
 * 8. A super-journal that no journal names is deleted when it is closed (names/superjournal.h).
 *
 * Cost: opening, closing and deleting a journal take the registry's mutex.
 */
#include "vfs/auxfile.h"

#include "base/assertion.h"
#include "base/lasterror.h"
#include "file/filesync.h"
#include "locks/journal.h"
#include "names/place.h"
#include "names/superjournal.h"
#include "vfs/control.h"
#include "vfs/dbstate.h"

#include <memfs/fault.h>

#include <string.h>

#ifndef SQLITE_OPEN_SUPER_JOURNAL /* its name since 3.34 */
#define SQLITE_OPEN_SUPER_JOURNAL SQLITE_OPEN_MASTER_JOURNAL
#endif

static struct mfs_auxfile *auxfile_of(sqlite3_file *file)
{
    return (struct mfs_auxfile *)file;
}

static int aux_close(sqlite3_file *file)
{
    struct mfs_auxfile *aux = auxfile_of(file);
    if (mfs_file_is_inherited(aux->file.fs))
        return SQLITE_IOERR_CLOSE;
    if (aux->is_journal) {
        mfs_mutex_lock(&aux->registry->mutex);
        mfs_journal_leave(&aux->journal, aux->registry);
        mfs_mutex_unlock(&aux->registry->mutex);
    }
    if (aux->names != NULL) {
        mfs_name_cache_note_use(aux->names); /* the pager deletes the file next */
        mfs_name_cache_note_closing(aux->names, &aux->file);
    }
    if (aux->is_super &&
        mfs_superjournal_is_unused(aux->file.fs, aux->file.bytes.file, aux->file.path))
        (void)memfs_unlink(aux->file.fs, aux->file.path);
    int rc = mfs_file_close(&aux->file);
    atomic_fetch_sub(&aux->registry->open_files, 1u);
    return rc;
}

static int aux_read(sqlite3_file *file, void *buffer, int count, sqlite3_int64 offset)
{
    return mfs_bytes_read(&auxfile_of(file)->file.bytes, buffer, count, offset);
}

/* Before a write to a journal or WAL whose connection is known. */
static int prepare_write(struct mfs_auxfile *aux, const void *buffer, int count,
                         sqlite3_int64 offset)
{
    struct mfs_dbfile *db = mfs_dbstate_of_names(aux->names);
    if (aux->is_journal)
        return mfs_journalled_before_write(&aux->journalled, db, buffer, count, offset);
    MFS_ASSERT(aux->is_wal);
    if (mfs_wal_is_commit(buffer, count) && mfs_place_is_lost(aux->names, aux->file.fs))
        return SQLITE_READONLY_DBMOVED;
    return mfs_wal_before_write(&aux->wal, &db->member, &aux->file, buffer, count, offset);
}

static int aux_write(sqlite3_file *file, const void *buffer, int count, sqlite3_int64 offset)
{
    struct mfs_auxfile *aux = auxfile_of(file);
    int rc = SQLITE_OK;
    if (mfs_file_is_inherited(aux->file.fs))
        return SQLITE_IOERR_WRITE;
    if (aux->names != NULL)
        rc = prepare_write(aux, buffer, count, offset);
    if (rc == SQLITE_OK)
        rc = mfs_bytes_write(&aux->file.bytes, buffer, count, offset);
    return mfs_file_note_result(&aux->file, rc);
}

static int aux_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct mfs_auxfile *aux = auxfile_of(file);
    int rc = mfs_bytes_truncate(&aux->file.bytes, size);
    if (rc == SQLITE_OK && size == 0 && aux->is_wal && aux->names != NULL)
        mfs_wal_end_preallocation(&mfs_dbstate_of_names(aux->names)->member);
    return mfs_file_note_result(&aux->file, rc);
}

static int aux_sync(sqlite3_file *file, int flags)
{
    struct mfs_auxfile *aux = auxfile_of(file);
    (void)flags;
    int rc = mfs_filesync(&aux->file);
    if (rc == SQLITE_OK && aux->needs_name_synced) {
        rc = mfs_filesync_parent(aux->file.fs, aux->file.path);
        aux->needs_name_synced = rc != SQLITE_OK;
    }
    return mfs_file_note_result(&aux->file, rc);
}

/* Within a transaction the pager asks for the size of its journal only when it begins to play it
 * back. */
static int aux_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct mfs_auxfile *aux = auxfile_of(file);
    if (aux->is_journal && aux->names != NULL)
        aux->names->is_playing_back = true;
    return mfs_bytes_report_size(&aux->file.bytes, size);
}

static int aux_lock(sqlite3_file *file, int level)
{
    (void)file;
    (void)level;
    return SQLITE_OK;
}

static int aux_check_reserved_lock(sqlite3_file *file, int *is_reserved)
{
    (void)file;
    *is_reserved = 0;
    return SQLITE_OK;
}

static int aux_control(sqlite3_file *file, int operation, void *argument)
{
    return mfs_control_file(&auxfile_of(file)->file, operation, argument);
}

static int aux_sector_size(sqlite3_file *file)
{
    return auxfile_of(file)->file.device.sector_bytes;
}

static int aux_characteristics(sqlite3_file *file)
{
    return mfs_file_characteristics(&auxfile_of(file)->file);
}

static const sqlite3_io_methods aux_methods = {
    .iVersion = 1,
    .xClose = aux_close,
    .xRead = aux_read,
    .xWrite = aux_write,
    .xTruncate = aux_truncate,
    .xSync = aux_sync,
    .xFileSize = aux_size,
    .xLock = aux_lock,
    .xUnlock = aux_lock,
    .xCheckReservedLock = aux_check_reserved_lock,
    .xFileControl = aux_control,
    .xSectorSize = aux_sector_size,
    .xDeviceCharacteristics = aux_characteristics,
};

/* The mode of the database whose journal or WAL `path` is.  `names` is its connection's if that is
 * known; otherwise the database is found by its name. */
static uint32_t mode_of_database(memfs *fs, struct mfs_name_cache *names, const char *path)
{
    char name[MFS_FILE_NAME_BYTES];
    memfs_stat_info info;
    info.struct_size = sizeof info;
    const char *suffix = strrchr(path, '-');
    int error = MEMFS_ENOENT;
    if (names != NULL) {
        error = memfs_fstat(mfs_dbstate_of_names(names)->file.bytes.file, &info);
    } else if (suffix != NULL && (size_t)(suffix - path) < sizeof name) {
        memcpy(name, path, (size_t)(suffix - path));
        name[suffix - path] = '\0';
        error = memfs_stat(fs, name, &info);
    }
    return error == 0 ? info.mode & 0777u : MFS_FILE_MODE;
}

/*
 * Before a connection opens its journal or WAL: makes sure that what is opened is the database's.
 * A file of another database loses the name.  With the registry's mutex held.
 *
 * A database without its place makes no file; its connections may open what is theirs, which is the
 * WAL of the others, and a journal that waits to be played back.
 */
static int clear_name(struct mfs_name_cache *names, memfs *fs, const char *path, int open_flags)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    bool creates = (open_flags & SQLITE_OPEN_CREATE) != 0;
    bool is_lost = mfs_place_is_lost(names, fs);
    if (is_lost && creates && (open_flags & SQLITE_OPEN_MAIN_JOURNAL) != 0)
        return SQLITE_READONLY_DBMOVED;
    if (memfs_stat(fs, path, &info) != 0)
        return is_lost && creates ? SQLITE_READONLY_DBMOVED : SQLITE_OK;
    if (mfs_place_owns_locked(names, fs, info.number))
        return SQLITE_OK;
    if (is_lost)
        return SQLITE_READONLY_DBMOVED;
    if (!creates)
        return SQLITE_CANTOPEN;
    return mfs_lasterror_code(MFS_OPERATION_OPEN, memfs_unlink(fs, path));
}

/* A journal that is known not to exist, beside a database that is known to be in its place, is
 * created without looking for either. */
static int open_own(struct mfs_auxfile *aux, struct mfs_name_cache *names, memfs *fs,
                    const char *vfs_name, const char *path, int open_flags, uint32_t mode)
{
    int flags = open_flags | SQLITE_OPEN_EXCLUSIVE;
    if (aux->is_journal && (open_flags & SQLITE_OPEN_CREATE) != 0 &&
        mfs_name_cache_knows(names, fs, MFS_FACT_IN_PLACE | MFS_FACT_NO_JOURNAL) &&
        mfs_file_open(&aux->file, fs, vfs_name, path, flags, mode, false) == SQLITE_OK) {
        mfs_name_cache_note_change(names, fs, MFS_FACT_OWN_JOURNAL, MFS_FACT_NO_JOURNAL);
        return SQLITE_OK;
    }
    int rc = clear_name(names, fs, path, open_flags);
    return rc == SQLITE_OK ? mfs_file_open(&aux->file, fs, vfs_name, path, open_flags, mode, false)
                           : rc;
}

/* Opens a journal or WAL of a main database, with the registry's mutex held. */
static int open_sibling(struct mfs_auxfile *aux, memfs *fs, const char *vfs_name, const char *path,
                        int open_flags)
{
    MFS_ASSERT(mfs_mutex_is_held(&aux->registry->mutex));
    struct mfs_name_cache *names = mfs_name_cache_find_any(&aux->registry->names, path);
    uint32_t mode = MFS_FILE_MODE;
    if ((open_flags & SQLITE_OPEN_CREATE) != 0)
        mode = mode_of_database(fs, names, path);
    if (names == NULL)
        return mfs_file_open(&aux->file, fs, vfs_name, path, open_flags, mode, false);
    int rc = names->is_kept ? mfs_kept_open_sibling(&mfs_dbstate_of_names(names)->kept, &aux->file,
                                                    fs, vfs_name, path, aux->is_wal)
                            : open_own(aux, names, fs, vfs_name, path, open_flags, mode);
    if (rc != SQLITE_OK)
        return rc;
    struct mfs_own_file *own = mfs_name_cache_own(names, path);
    if (own->file == NULL)
        mfs_name_cache_claim(names, own, &aux->file, aux->file.number, &aux->names);
    return SQLITE_OK;
}

int mfs_auxfile_open(struct mfs_auxfile *aux, memfs *fs, const char *vfs_name,
                     struct mfs_registry *registry, const char *path, int open_flags)
{
    aux->file.base.pMethods = NULL;
    aux->registry = registry;
    aux->names = NULL;
    aux->wal = (struct mfs_wal){0};
    aux->journalled = (struct mfs_journalled){0};
    aux->is_journal = path != NULL && (open_flags & SQLITE_OPEN_MAIN_JOURNAL) != 0;
    aux->is_wal = path != NULL && (open_flags & SQLITE_OPEN_WAL) != 0;
    aux->is_super = path != NULL && (open_flags & SQLITE_OPEN_SUPER_JOURNAL) != 0 &&
                    (open_flags & SQLITE_OPEN_CREATE) != 0;
    aux->needs_name_synced = (aux->is_journal || aux->is_wal || aux->is_super) &&
                             (open_flags & SQLITE_OPEN_CREATE) != 0;
    int rc;
    if (aux->is_journal || aux->is_wal) {
        mfs_mutex_lock(&registry->mutex);
        rc = open_sibling(aux, fs, vfs_name, path, open_flags);
        if (rc == SQLITE_OK && aux->is_journal)
            mfs_journal_enter(&aux->journal, registry, aux->file.number);
        mfs_mutex_unlock(&registry->mutex);
    } else {
        rc = mfs_file_open(&aux->file, fs, vfs_name, path, open_flags, MFS_FILE_MODE, false);
    }
    if (rc != SQLITE_OK)
        return rc;
    atomic_fetch_add(&registry->open_files, 1u);
    aux->file.base.pMethods = &aux_methods;
    return SQLITE_OK;
}

/* What a deletion finds at a name. */
struct deletion {
    bool is_open;  /* it is an open rollback journal */
    bool is_other; /* it is, or would be, another database's */
};

/* With the registry's mutex held; `names` is the connection's whose journal or WAL it is, or
 * null. */
static int look_before_deletion(memfs *fs, const struct mfs_registry *registry, const char *path,
                                struct mfs_name_cache *names, struct deletion *found)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    MFS_ASSERT(mfs_mutex_is_held(&registry->mutex));
    *found = (struct deletion){0};
    if (names != NULL)
        mfs_name_cache_refresh(names, fs);
    bool is_known = names == NULL || (!mfs_name_cache_is_wal(names, path) &&
                                      (names->facts & MFS_FACT_OWN_JOURNAL) != 0);
    if (is_known && registry->open_journals == 0)
        return 0;
    int error = memfs_lstat(fs, path, &info);
    found->is_other = !is_known && (error == 0 ? !mfs_place_owns_locked(names, fs, info.number)
                                               : mfs_place_is_lost(names, fs));
    found->is_open = error == 0 && mfs_journal_is_open(registry, info.number);
    return found->is_other ? 0 : error;
}

/* With the names refreshed before the deletion was decided. */
static int unlink_sibling(memfs *fs, struct mfs_name_cache *names, const char *path)
{
    int error = memfs_unlink(fs, path);
    if (error != 0)
        return error;
    mfs_name_cache_own(names, path)->claimed = 0;
    unsigned lost = mfs_name_cache_is_wal(names, path) ? 0 : MFS_FACT_OWN_JOURNAL;
    mfs_name_cache_note_change(names, fs, mfs_name_cache_absence(names, path), lost);
    return 0;
}

/* Unlocks the registry's mutex. */
static int delete_kept(struct mfs_registry *registry, struct mfs_name_cache *names,
                       const char *path)
{
    if (!mfs_name_cache_is_wal(names, path))
        mfs_kept_empty_journal(&mfs_dbstate_of_names(names)->kept);
    mfs_mutex_unlock(&registry->mutex);
    return SQLITE_OK;
}

/* In the place of a deletion, which the caller may sync by the directory. */
static int empty_journal(memfs *fs, const char *path)
{
    int error = memfs_truncate(fs, path, 0);
    if (error == 0 && memfs_is_observed(fs) != 0)
        error = memfs_sync(fs, path);
    return error;
}

int mfs_auxfile_delete(memfs *fs, struct mfs_registry *registry, const char *path)
{
    if (mfs_file_is_inherited(fs))
        return SQLITE_IOERR_DELETE;
    struct deletion found;
    mfs_mutex_lock(&registry->mutex);
    struct mfs_name_cache *names = mfs_name_cache_find_any(&registry->names, path);
    if (names != NULL && names->is_kept)
        return delete_kept(registry, names, path);
    int error = look_before_deletion(fs, registry, path, names, &found);
    if (error == 0 && found.is_open && !found.is_other)
        error = empty_journal(fs, path);
    else if (error == 0 && !found.is_other)
        error = names != NULL ? unlink_sibling(fs, names, path) : memfs_unlink(fs, path);
    mfs_mutex_unlock(&registry->mutex);
    return mfs_lasterror_code(MFS_OPERATION_DELETE, error);
}
