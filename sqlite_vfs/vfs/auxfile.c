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
 * 3. Before a WAL grows, the checkpoint's growth is charged (transaction/wal.h).
 * 4. A super-journal that no journal names is deleted when it is closed (names/superjournal.h).
 *
 * Cost: opening, closing and deleting a journal take the registry's mutex.
 */
#include "vfs/auxfile.h"

#include "base/assertion.h"
#include "base/lasterror.h"
#include "locks/journal.h"
#include "names/superjournal.h"
#include "vfs/control.h"
#include "vfs/dbstate.h"

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
    MFS_ASSERT(aux->is_journal || aux->names == NULL);
    if (aux->is_journal) {
        mfs_mutex_lock(&aux->registry->mutex);
        mfs_journal_leave(&aux->journal, aux->registry);
        mfs_mutex_unlock(&aux->registry->mutex);
    }
    if (aux->names != NULL && aux->names->journal == &aux->file)
        aux->names->journal = NULL;
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

static int aux_write(sqlite3_file *file, const void *buffer, int count, sqlite3_int64 offset)
{
    struct mfs_auxfile *aux = auxfile_of(file);
    int rc = mfs_wal_before_write(&aux->wal, &aux->file, buffer, count, offset);
    if (rc == SQLITE_OK)
        rc = mfs_bytes_write(&aux->file.bytes, buffer, count, offset);
    return mfs_file_note_result(&aux->file, rc);
}

static int aux_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct mfs_auxfile *aux = auxfile_of(file);
    int rc = mfs_bytes_truncate(&aux->file.bytes, size);
    if (rc == SQLITE_OK)
        mfs_wal_after_truncate(&aux->wal, size);
    return mfs_file_note_result(&aux->file, rc);
}

static int aux_sync(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    return SQLITE_OK;
}

static int aux_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return mfs_bytes_report_size(&auxfile_of(file)->file.bytes, size);
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
    (void)file;
    return MFS_FILE_SECTOR_BYTES;
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

/* The mode of the database whose journal or WAL `path` is.  `database` is a handle of it if
 * it is known; otherwise it is found by its name. */
static uint32_t mode_of_database(memfs *fs, memfs_file *database, const char *path)
{
    char name[MFS_FILE_NAME_BYTES];
    memfs_stat_info info;
    info.struct_size = sizeof info;
    const char *suffix = strrchr(path, '-');
    int error = MEMFS_ENOENT;
    if (database != NULL) {
        error = memfs_fstat(database, &info);
    } else if (suffix != NULL && (size_t)(suffix - path) < sizeof name) {
        memcpy(name, path, (size_t)(suffix - path));
        name[suffix - path] = '\0';
        error = memfs_stat(fs, name, &info);
    }
    return error == 0 ? info.mode & 0777u : MFS_FILE_MODE;
}

/* A journal that is known not to exist is created without looking for it first.  With the
 * registry's mutex held. */
static int open_journal(struct mfs_auxfile *aux, memfs *fs, const char *vfs_name, const char *path,
                        int open_flags)
{
    struct mfs_name_cache *names = mfs_name_cache_find(&aux->registry->names, path);
    MFS_ASSERT(mfs_mutex_is_held(&aux->registry->mutex));
    memfs_file *database = NULL;
    if (names != NULL)
        database = MFS_LIST_ENTRY(names, struct mfs_dbfile, names)->file.bytes.file;
    uint32_t mode = MFS_FILE_MODE;
    if ((open_flags & SQLITE_OPEN_CREATE) != 0)
        mode = mode_of_database(fs, database, path);
    if (names != NULL && (open_flags & SQLITE_OPEN_CREATE) != 0 &&
        mfs_name_cache_knows(names, fs, MFS_FACT_NO_JOURNAL) &&
        mfs_file_open(&aux->file, fs, vfs_name, path, open_flags | SQLITE_OPEN_EXCLUSIVE, mode,
                      false) == SQLITE_OK) {
        mfs_name_cache_note_change(names, fs, 0, MFS_FACT_NO_JOURNAL);
    } else {
        int rc = mfs_file_open(&aux->file, fs, vfs_name, path, open_flags, mode, false);
        if (rc != SQLITE_OK)
            return rc;
    }
    if (names != NULL && names->journal == NULL)
        mfs_name_cache_set_journal(names, &aux->file, &aux->names);
    return SQLITE_OK;
}

int mfs_auxfile_open(struct mfs_auxfile *aux, memfs *fs, const char *vfs_name,
                     struct mfs_registry *registry, const char *path, const struct mfs_wal *wal,
                     int open_flags)
{
    aux->file.base.pMethods = NULL;
    aux->registry = registry;
    aux->names = NULL;
    aux->wal = *wal;
    aux->is_journal = path != NULL && (open_flags & SQLITE_OPEN_MAIN_JOURNAL);
    aux->is_super = path != NULL && (open_flags & SQLITE_OPEN_SUPER_JOURNAL) != 0 &&
                    (open_flags & SQLITE_OPEN_CREATE) != 0;
    int rc;
    if (aux->is_journal) {
        mfs_mutex_lock(&registry->mutex);
        rc = open_journal(aux, fs, vfs_name, path, open_flags);
        if (rc == SQLITE_OK)
            mfs_journal_enter(&aux->journal, registry, aux->file.number);
        mfs_mutex_unlock(&registry->mutex);
    } else {
        bool makes_wal = path != NULL && (open_flags & SQLITE_OPEN_WAL) != 0 &&
                         (open_flags & SQLITE_OPEN_CREATE) != 0;
        memfs_file *database = wal->member != NULL ? wal->member->file : NULL;
        uint32_t mode = makes_wal ? mode_of_database(fs, database, path) : MFS_FILE_MODE;
        rc = mfs_file_open(&aux->file, fs, vfs_name, path, open_flags, mode, false);
    }
    if (rc != SQLITE_OK)
        return rc;
    atomic_fetch_add(&registry->open_files, 1u);
    aux->file.base.pMethods = &aux_methods;
    return SQLITE_OK;
}

/* Whether the file at `path` is an open rollback journal.  With the registry's mutex held. */
static int find_open_journal(memfs *fs, const struct mfs_registry *registry, const char *path,
                             bool *out)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    MFS_ASSERT(mfs_mutex_is_held(&registry->mutex));
    *out = false;
    if (registry->open_journals == 0)
        return 0;
    int error = memfs_lstat(fs, path, &info);
    if (error == 0)
        *out = mfs_journal_is_open(registry, info.number);
    return error;
}

int mfs_auxfile_delete(memfs *fs, struct mfs_registry *registry, const char *path)
{
    struct mfs_name_cache *names = mfs_name_cache_find(&registry->names, path);
    bool is_open;
    mfs_mutex_lock(&registry->mutex);
    int error = find_open_journal(fs, registry, path, &is_open);
    if (error == 0 && is_open) {
        error = memfs_truncate(fs, path, 0);
    } else if (error == 0) {
        if (names != NULL)
            mfs_name_cache_refresh(names, fs);
        error = memfs_unlink(fs, path);
        if (error == 0 && names != NULL)
            mfs_name_cache_note_change(names, fs, mfs_name_cache_absence(names, path), 0);
    }
    mfs_mutex_unlock(&registry->mutex);
    return mfs_lasterror_code(MFS_OPERATION_DELETE, error);
}
