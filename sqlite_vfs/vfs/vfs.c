/*
 * The sqlite3_vfs: from names to open files.
 *
 * 1. Names are canonical after xFullPathname (absolute, no links, no "." or ".."), so that two
 *    spellings of one database get one journal.  It says SQLITE_OK_SYMLINK if a link was on the
 *    way, for SQLITE_OPEN_NOFOLLOW.
 * 2. Only a main database is a struct mfs_dbfile, with locks, undo and URI parameters; journals,
 *    WALs and temporary files are a struct mfs_auxfile.  szOsFile fits both.
 * 3. After a failed xOpen pMethods is null: SQLite would otherwise call xClose.
 *
 * Cost: xAccess, which SQLite calls twice in each transaction, walks no path while no name in the
 * tree has changed.
 *
 * What is not about files goes to the VFS below, lower_vfs: time, randomness, sleeping while no
 * lock is waited for, and shared libraries.
 *
 * Left undone on purpose: xSetSystemCall is absent, since no system call is made.
 */
#include "vfs/vfs.h"

#include "base/assertion.h"
#include "base/lasterror.h"
#include "base/mutex.h"
#include "file/filesync.h"
#include "file/fullname.h"
#include "file/sibling.h"
#include "locks/waiting.h"
#include "names/place.h"
#include "names/superjournal.h"
#include "vfs/auxfile.h"
#include "vfs/control.h"
#include "vfs/dbfile.h"
#include "vfs/openparents.h"
#include "vfs/uri_parameters.h"

#include <memfs/storage.h>

#include <string.h>

static struct mfs_vfs *vfs_of(sqlite3_vfs *vfs)
{
    return (struct mfs_vfs *)vfs;
}

/* --------------------------------------------------------------------- files */

/* A main database that is being opened. */
struct database_opening {
    struct mfs_vfs *vfs;
    const char *path;
    struct mfs_dbfile *db;
    int flags;
    const struct mfs_uri_parameters *parameters;
};

static int open_dbfile(void *context)
{
    const struct database_opening *opening = context;
    return mfs_dbfile_open(opening->db, opening->vfs->fs, opening->vfs->name,
                           &opening->vfs->registry, opening->path, opening->flags,
                           opening->parameters);
}

/* Says why `path` was not opened; the thread's error number is that of the attempt. */
static void explain_refused_open(const char *path, int flags, int rc)
{
    int error = -mfs_lasterror_number();
    if (error == MEMFS_ENOENT && (flags & SQLITE_OPEN_CREATE) != 0)
        (void)mfs_lasterror_say(rc,
                                "%s: its directory does not exist (memfs_make_parents=1 in the"
                                " URI makes it)",
                                path);
    else
        (void)mfs_lasterror_say(rc, "%s: %s", path,
                                memfs_error_text(error != 0 ? error : MEMFS_ENOMEM));
}

/* ATTACH, too, can come here.  Where SQL may not change limits it may not lift this one either. */
static void apply_size_limit(struct mfs_dbfile *db, sqlite3_int64 limit)
{
    bool may_set = !db->member.refuses_control ||
                   mfs_member_size_limit(&db->member) == MFS_SIZE_UNLIMITED;
    (void)mfs_control_size_limit(&db->file, &db->member, may_set, &limit);
}

/* SQLITE_OPEN_URI: URI parameters stand in memory behind the name. */
static int try_database(struct mfs_vfs *vfs, const char *path, struct mfs_dbfile *db, int flags)
{
    struct mfs_uri_parameters parameters = mfs_uri_parameters_none();
    int rc = SQLITE_OK;
    parameters.make_parents = vfs->makes_parents;
    db->file.base.pMethods = NULL;
    if ((flags & SQLITE_OPEN_URI) != 0)
        rc = mfs_uri_parameters_read(path, &parameters);
    if (rc != SQLITE_OK)
        return rc;
    struct database_opening opening = {vfs, path, db, flags, &parameters};
    if (parameters.make_parents && !parameters.is_image && parameters.snapshot == NULL &&
        (flags & SQLITE_OPEN_CREATE) != 0)
        rc = mfs_openparents_run(vfs->fs, path, open_dbfile, &opening);
    else
        rc = open_dbfile(&opening);
    if (rc != SQLITE_OK)
        return rc;
    if (parameters.mmap_size >= 0)
        db->member.fetch.ceiling = parameters.mmap_size;
    if (parameters.size_limit != 0)
        apply_size_limit(db, parameters.size_limit);
    return SQLITE_OK;
}

static int open_database(struct mfs_vfs *vfs, const char *path, struct mfs_dbfile *db, int flags)
{
    mfs_lasterror_clear();
    /* sqlite3_shutdown() forgets who watches connections.  This one is reported at its end. */
    if (vfs->watch != NULL)
        (void)vfs->watch();
    int rc = try_database(vfs, path, db, flags);
    if (rc != SQLITE_OK && mfs_lasterror_text()[0] == '\0')
        explain_refused_open(path, flags, rc);
    return rc;
}

static int open_auxiliary(struct mfs_vfs *vfs, const char *path, struct mfs_auxfile *aux, int flags)
{
    int rc = mfs_auxfile_open(aux, vfs->fs, vfs->name, &vfs->registry, path, flags);
    /* SQLite opens journals that need not be there. */
    bool may_be_missing = (flags & SQLITE_OPEN_CREATE) == 0;
    if (rc != SQLITE_OK && !(may_be_missing && mfs_lasterror_number() == -MEMFS_ENOENT))
        explain_refused_open(path != NULL ? path : "a temporary file", flags, rc);
    return rc;
}

/* The flags of what was opened.  A snapshot's database that SQLite must play a journal back into is
 * open for writing, whatever was asked for. */
static int access_of(const struct mfs_file *file, int flags)
{
    if (file->is_read_only)
        return (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    if ((flags & SQLITE_OPEN_READONLY) != 0)
        return (flags & ~SQLITE_OPEN_READONLY) | SQLITE_OPEN_READWRITE;
    return flags;
}

static int vfs_open(sqlite3_vfs *base, const char *path, sqlite3_file *file, int flags,
                    int *out_flags)
{
    struct mfs_vfs *vfs = vfs_of(base);
    int rc;
    bool is_isolated = false;
    MFS_ASSERT(vfs->fs != NULL);
    file->pMethods = NULL;
    if (mfs_file_is_inherited(vfs->fs))
        return SQLITE_CANTOPEN;
    if ((flags & SQLITE_OPEN_MAIN_DB) && path != NULL) {
        struct mfs_dbfile *db = (struct mfs_dbfile *)file;
        rc = open_database(vfs, path, db, flags);
        is_isolated = rc == SQLITE_OK && mfs_member_is_isolated(&db->member);
    } else {
        rc = open_auxiliary(vfs, path, (struct mfs_auxfile *)file, flags);
    }
    MFS_ASSERT((rc == SQLITE_OK) == (file->pMethods != NULL));
    if (rc != SQLITE_OK || out_flags == NULL)
        return rc;
    *out_flags = access_of((struct mfs_file *)file, flags);
    if (is_isolated)
        *out_flags |= SQLITE_OPEN_MEMORY; /* which makes SQLite choose journal mode MEMORY */
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *base, const char *path, int sync_directory)
{
    struct mfs_vfs *vfs = vfs_of(base);
    int rc = mfs_auxfile_delete(vfs->fs, &vfs->registry, path);
    if (rc == SQLITE_OK && sync_directory)
        rc = mfs_filesync_parent(vfs->fs, path);
    /* After a transaction over several databases.  If it changed nothing, the super-journal was
     * deleted when it was closed (auxfile.c), and that it is missing is no error. */
    if (rc == SQLITE_IOERR_DELETE_NOENT && sync_directory && mfs_superjournal_is_name(path))
        return SQLITE_OK;
    return rc;
}

/*
 * A journal or WAL does not exist for SQLite, though the tree may have an entry of this name, in
 * four cases:
 *
 * - it is empty: journal mode TRUNCATE leaves such journals, an open journal is truncated instead
 *   of unlinked, and a yes would cost an open and a read in every transaction;
 * - it is the journal of an isolated database in which a connection has had RESERVED
 *   (`no_hot_journal`): SQLite has played back a hot journal by then, and a live writer's journal,
 *   which readers do not wait for, must not be taken for a hot one;
 * - it is another database's, or this database has lost its place (names/place.h);
 * - the connection knows that nothing has the name, and no name in the tree has changed since.
 *
 * For a database as of a snapshot it exists if it did in the snapshot.
 */
static bool is_known_absent(struct mfs_vfs *vfs, struct mfs_name_cache *names, const char *path)
{
    bool is_wal = mfs_name_cache_is_wal(names, path);
    return (names->no_hot_journal && !is_wal) ||
           mfs_name_cache_knows(names, vfs->fs, is_wal ? MFS_FACT_NO_WAL : MFS_FACT_NO_JOURNAL);
}

/* Of what is there. */
static bool is_hidden(struct mfs_vfs *vfs, struct mfs_name_cache *names, const char *path,
                      uint64_t number)
{
    return (names->no_hot_journal && !mfs_name_cache_is_wal(names, path)) ||
           !mfs_place_owns(names, vfs->fs, number);
}

static bool is_kept_there(struct mfs_name_cache *names, const char *path)
{
    const struct mfs_kept *kept = &mfs_dbstate_of_names(names)->kept;
    return mfs_name_cache_is_wal(names, path) ? kept->wal != NULL : mfs_kept_has_journal(kept);
}

/* A connection that is not found by its name's address is looked for in the whole index only if the
 * answer may depend on it: if the file is there, or if there are databases of snapshots. */
static int vfs_access(sqlite3_vfs *base, const char *path, int what, int *answer)
{
    struct mfs_vfs *vfs = vfs_of(base);
    *answer = 0;
    if (mfs_file_is_inherited(vfs->fs))
        return SQLITE_IOERR_ACCESS;
    struct mfs_name_cache *names = mfs_name_cache_find(&vfs->registry.names, path);
    if (names == NULL && atomic_load(&vfs->registry.names.kept) > 0)
        names = mfs_registry_find_names(&vfs->registry, path);
    memfs_stat_info info;
    info.struct_size = sizeof info;
    if (names != NULL && names->is_kept) {
        *answer = is_kept_there(names, path);
        return SQLITE_OK;
    }
    if (names != NULL) {
        if (is_known_absent(vfs, names, path))
            return SQLITE_OK;
        mfs_name_cache_refresh(names, vfs->fs);
    }
    int error = memfs_stat(vfs->fs, path, &info);
    if (error == MEMFS_ENOENT && names != NULL)
        mfs_name_cache_learn(names, mfs_name_cache_absence(names, path));
    if (error != 0)
        return SQLITE_OK;
    if (what == SQLITE_ACCESS_EXISTS)
        *answer = info.kind != MEMFS_KIND_FILE || info.size_bytes > 0;
    else
        *answer = what == SQLITE_ACCESS_READ || (info.mode & 0222u) != 0;
    if (*answer && names == NULL)
        names = mfs_registry_find_names(&vfs->registry, path);
    if (*answer && names != NULL && is_hidden(vfs, names, path, info.number))
        *answer = 0;
    return SQLITE_OK;
}

static int vfs_full_pathname(sqlite3_vfs *base, const char *path, int size, char *out)
{
    return mfs_fullname_make(vfs_of(base)->fs, path, size, out);
}

/* ----------------------------------------------------- what the lower VFS does */

static void *vfs_dl_open(sqlite3_vfs *base, const char *path)
{
    sqlite3_vfs *lower = vfs_of(base)->lower_vfs;
    return lower != NULL && lower->xDlOpen != NULL ? lower->xDlOpen(lower, path) : NULL;
}

static void vfs_dl_error(sqlite3_vfs *base, int size, char *message)
{
    sqlite3_vfs *lower = vfs_of(base)->lower_vfs;
    if (lower != NULL && lower->xDlError != NULL)
        lower->xDlError(lower, size, message);
    else
        sqlite3_snprintf(size, message, "there is no VFS that can load extensions");
}

static void (*vfs_dl_symbol(sqlite3_vfs *base, void *library, const char *name))(void)
{
    sqlite3_vfs *lower = vfs_of(base)->lower_vfs;
    return lower != NULL && lower->xDlSym != NULL ? lower->xDlSym(lower, library, name) : NULL;
}

static void vfs_dl_close(sqlite3_vfs *base, void *library)
{
    sqlite3_vfs *lower = vfs_of(base)->lower_vfs;
    if (lower != NULL && lower->xDlClose != NULL)
        lower->xDlClose(lower, library);
}

static int vfs_randomness(sqlite3_vfs *base, int size, char *out)
{
    sqlite3_vfs *lower = vfs_of(base)->lower_vfs;
    if (lower != NULL)
        return lower->xRandomness(lower, size, out);
    memset(out, 0, (size_t)size);
    return 0;
}

static int vfs_sleep(sqlite3_vfs *base, int microseconds)
{
    sqlite3_vfs *lower = vfs_of(base)->lower_vfs;
    if (!mfs_file_is_inherited(vfs_of(base)->fs) &&
        mfs_waiting_sleep(&vfs_of(base)->registry, microseconds))
        return microseconds;
    return lower != NULL ? lower->xSleep(lower, microseconds) : 0;
}

static int vfs_current_time(sqlite3_vfs *base, double *julian_day)
{
    sqlite3_vfs *lower = vfs_of(base)->lower_vfs;
    return lower != NULL ? lower->xCurrentTime(lower, julian_day) : SQLITE_ERROR;
}

static int vfs_current_time_ms(sqlite3_vfs *base, sqlite3_int64 *julian_ms)
{
    sqlite3_vfs *lower = vfs_of(base)->lower_vfs;
    if (lower != NULL && lower->iVersion >= 2 && lower->xCurrentTimeInt64 != NULL)
        return lower->xCurrentTimeInt64(lower, julian_ms);
    double julian_day;
    int rc = vfs_current_time(base, &julian_day);
    if (rc == SQLITE_OK)
        *julian_ms = (sqlite3_int64)(julian_day * 86400000.0);
    return rc;
}

/* What sqlite3_system_errno() reports.  SQLite calls it with (0, null) too. */
static int vfs_last_error(sqlite3_vfs *base, int size, char *message)
{
    (void)base;
    if (size > 0 && message != NULL)
        sqlite3_snprintf(size, message, "%s", mfs_lasterror_text());
    return mfs_lasterror_number();
}

/* ------------------------------------------------------------------ lifetime */

int mfs_vfs_create(memfs *fs, const char *name, sqlite3_vfs *lower_vfs, struct mfs_vfs **out)
{
    size_t length = strlen(name);
    MFS_ASSERT(length > 0 && length <= MEMFS_SQLITE_NAME_MAX);
    MFS_ASSERT(mfs_vfs_from(lower_vfs) == NULL);
    void *memory;
    int error = memfs_charged_alloc(fs, sizeof(struct mfs_vfs), &memory);
    if (error != 0)
        return error;
    struct mfs_vfs *vfs = memory; /* zeroed */
    if (!mfs_registry_init(&vfs->registry)) {
        memfs_free(fs, memory);
        return MEMFS_ENOMEM;
    }
    memcpy(vfs->name, name, length + 1);
    vfs->fs = fs;
    vfs->lower_vfs = lower_vfs;
    bool is_db_larger = sizeof(struct mfs_dbfile) > sizeof(struct mfs_auxfile);
    vfs->registry.file_bytes = is_db_larger ? sizeof(struct mfs_dbfile)
                                            : sizeof(struct mfs_auxfile);
    vfs->base = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = (int)vfs->registry.file_bytes,
        .mxPathname = MFS_FILE_PATH_MAX,
        .zName = vfs->name,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_pathname,
        .xDlOpen = vfs_dl_open,
        .xDlError = vfs_dl_error,
        .xDlSym = vfs_dl_symbol,
        .xDlClose = vfs_dl_close,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_current_time,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_current_time_ms,
    };
    MFS_ASSERT(mfs_vfs_from(&vfs->base) == vfs);
    *out = vfs;
    return 0;
}

void mfs_vfs_destroy(struct mfs_vfs *vfs)
{
    MFS_ASSERT(atomic_load(&vfs->registry.open_files) == 0);
    mfs_registry_fini(&vfs->registry);
    memfs_free(vfs->fs, vfs);
}

struct mfs_vfs *mfs_vfs_from(sqlite3_vfs *vfs)
{
    return vfs != NULL && vfs->xOpen == vfs_open ? vfs_of(vfs) : NULL;
}

struct mfs_vfs *mfs_vfs_find_locked(const memfs *fs)
{
    struct mfs_vfs *found = NULL;
    MFS_ASSERT(mfs_mutex_is_process_held());
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    struct sqlite3_mutex *list = mfs_mutex_enter_vfs_list();
    for (; vfs != NULL && found == NULL; vfs = vfs->pNext) {
        struct mfs_vfs *ours = mfs_vfs_from(vfs);
        if (ours != NULL && (fs == NULL || ours->fs == fs))
            found = ours;
    }
    mfs_mutex_leave(list);
    return found;
}

struct mfs_vfs *mfs_vfs_find(const memfs *fs)
{
    struct sqlite3_mutex *process = mfs_mutex_enter_process();
    struct mfs_vfs *found = mfs_vfs_find_locked(fs);
    mfs_mutex_leave(process);
    return found;
}
