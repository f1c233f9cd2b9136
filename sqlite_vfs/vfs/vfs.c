/*
 * The sqlite3_vfs: names to nodes.
 *
 * Names are canonical once xFullPathname has seen them (absolute, no links, no
 * "." or ".."), so that two spellings of one database get one journal.  It says
 * SQLITE_OK_SYMLINK when a link was on the way, for SQLITE_OPEN_NOFOLLOW.
 *
 * What is not about files goes to the host's VFS.
 */
#include "vfs/vfs.h"

#include "base/errmap.h"
#include "file/fullname.h"
#include "locks/waiting.h"
#include "names/parents.h"
#include "names/superjournal.h"
#include "vfs/auxfile.h"
#include "vfs/control.h"
#include "vfs/dbfile.h"
#include "vfs/uri_parameters.h"

#include <assert.h>
#include <string.h>

static struct mfs_vfs *vfs_of(sqlite3_vfs *vfs)
{
    return (struct mfs_vfs *)vfs;
}

/* --------------------------------------------------------------------- files */

/* Which database a WAL that is being opened belongs to. */
static struct mfs_wal wal_of(struct mfs_vfs *vfs, const char *path, int flags)
{
    struct mfs_wal wal = {0};
    struct mfs_dbfile *db = NULL;
    if ((flags & SQLITE_OPEN_WAL) != 0 && path != NULL)
        db = mfs_dbfile_of_wal(&vfs->registry, path);
    if (db != NULL) {
        wal.database = &db->file;
        wal.member = &db->member;
    }
    return wal;
}

/* What mfs_parents_run() runs. */
struct opening {
    struct mfs_vfs *vfs;
    const char *path;
    struct mfs_dbfile *db;
    int flags;
    const struct mfs_parameters *parameters;
    int rc;
};

static int open_once(memfs *fs, void *context)
{
    struct opening *opening = context;
    opening->rc = mfs_dbfile_open(opening->db, fs, opening->vfs->name, &opening->vfs->registry,
                                  opening->path, opening->flags, opening->parameters->isolation,
                                  opening->parameters->is_image);
    if (opening->rc == SQLITE_OK)
        return 0;
    return opening->rc == SQLITE_CANTOPEN ? MEMFS_ENOENT : MEMFS_EIO;
}

static int open_in_parents(struct opening *opening)
{
    int error = mfs_parents_run(opening->vfs->fs, opening->path, open_once, opening);
    if (opening->rc == SQLITE_CANTOPEN && error != MEMFS_ENOENT)
        return mfs_errmap(MFS_OPERATION_OPEN, error); /* of making a directory */
    return opening->rc;
}

/* With what the URI says beyond the name; SQLITE_OPEN_URI tells that the name has such a tail. */
static int open_database(struct mfs_vfs *vfs, const char *path, struct mfs_dbfile *db, int flags)
{
    struct mfs_parameters parameters = mfs_uri_parameters_none();
    int rc = SQLITE_OK;
    db->file.base.pMethods = NULL;
    if ((flags & SQLITE_OPEN_URI) != 0)
        rc = mfs_uri_parameters_read(path, &parameters);
    if (rc != SQLITE_OK)
        return rc;
    struct opening opening = {vfs, path, db, flags, &parameters, SQLITE_OK};
    if (parameters.make_parents && !parameters.is_image && (flags & SQLITE_OPEN_CREATE) != 0)
        rc = open_in_parents(&opening);
    else if (open_once(vfs->fs, &opening) != 0)
        rc = opening.rc;
    if (rc == SQLITE_OK && parameters.mmap_size >= 0)
        db->member.fetch.ceiling = parameters.mmap_size;
    if (rc == SQLITE_OK && parameters.size_limit != 0)
        (void)mfs_control_database(&db->file, &db->member, &db->undo, SQLITE_FCNTL_SIZE_LIMIT,
                                   &parameters.size_limit);
    return rc;
}

static int vfs_open(sqlite3_vfs *base, const char *path, sqlite3_file *file, int flags,
                    int *out_flags)
{
    struct mfs_vfs *vfs = vfs_of(base);
    int rc;
    bool is_isolated = false;
    if ((flags & SQLITE_OPEN_MAIN_DB) && path != NULL) {
        struct mfs_dbfile *db = (struct mfs_dbfile *)file;
        rc = open_database(vfs, path, db, flags);
        is_isolated = rc == SQLITE_OK && mfs_member_is_isolated(&db->member);
    } else {
        struct mfs_wal wal = wal_of(vfs, path, flags);
        rc = mfs_auxfile_open((struct mfs_auxfile *)file, vfs->fs, vfs->name, &vfs->registry, path,
                              &wal, flags);
    }
    if (rc != SQLITE_OK || out_flags == NULL)
        return rc;
    *out_flags = flags;
    if (((struct mfs_file *)file)->is_read_only)
        *out_flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    if (is_isolated)
        *out_flags |= SQLITE_OPEN_MEMORY; /* which makes MEMORY the journal mode */
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *base, const char *path, int sync_directory)
{
    struct mfs_vfs *vfs = vfs_of(base);
    int rc = mfs_auxfile_delete(vfs->fs, &vfs->registry, path);
    /* The commit over several databases; without any change the super-journal has gone already. */
    if (rc == SQLITE_IOERR_DELETE_NOENT && sync_directory && mfs_superjournal_is_name(path))
        return SQLITE_OK;
    return rc;
}

/*
 * For EXISTS a file does not exist if
 *
 * - it is empty.  TRUNCATE leaves an empty journal, and so does deleting a journal that a connection
 *   has open (auxfile.c); a yes would cost SQLite an open and a read in every transaction;
 * - it is the journal of an isolated database in which a connection has had RESERVED
 *   (`no_hot_journal`).  SQLite has played back a hot journal by then; what has the name now is a
 *   live writer's journal, which a reader does not wait for and must not take for a hot one;
 * - the connection's cache knows that nothing has the name.
 */
static int vfs_access(sqlite3_vfs *base, const char *path, int what, int *answer)
{
    struct mfs_vfs *vfs = vfs_of(base);
    struct mfs_name_cache *names = mfs_name_cache_find(&vfs->registry.names, path);
    memfs_stat_info info;
    info.struct_size = sizeof info;
    *answer = 0;
    if (names != NULL) {
        if (names->no_hot_journal && path == names->journal_name)
            return SQLITE_OK;
        if (mfs_name_cache_knows(names, vfs->fs, mfs_name_cache_absence(names, path)))
            return SQLITE_OK;
        mfs_name_cache_refresh(names, vfs->fs);
    }
    int error = memfs_stat(vfs->fs, path, &info);
    if (error == MEMFS_ENOENT && names != NULL)
        mfs_name_cache_learn(names, mfs_name_cache_absence(names, path));
    if (error != 0)
        return SQLITE_OK;
    if (what == SQLITE_ACCESS_EXISTS)
        *answer = info.kind != MEMFS_KIND_FILE || info.size > 0;
    else
        *answer = what == SQLITE_ACCESS_READ || (info.mode & 0222u) != 0;
    return SQLITE_OK;
}

static int vfs_full_pathname(sqlite3_vfs *base, const char *path, int size, char *out)
{
    return mfs_fullname_make(vfs_of(base)->fs, path, size, out);
}

/* ------------------------------------------------------------- the host's work */

static void *vfs_dl_open(sqlite3_vfs *base, const char *path)
{
    sqlite3_vfs *host = vfs_of(base)->host;
    return host != NULL && host->xDlOpen != NULL ? host->xDlOpen(host, path) : NULL;
}

static void vfs_dl_error(sqlite3_vfs *base, int size, char *message)
{
    sqlite3_vfs *host = vfs_of(base)->host;
    if (host != NULL && host->xDlError != NULL)
        host->xDlError(host, size, message);
    else
        sqlite3_snprintf(size, message, "no VFS that can load extensions");
}

static void (*vfs_dl_symbol(sqlite3_vfs *base, void *library, const char *name))(void)
{
    sqlite3_vfs *host = vfs_of(base)->host;
    return host != NULL && host->xDlSym != NULL ? host->xDlSym(host, library, name) : NULL;
}

static void vfs_dl_close(sqlite3_vfs *base, void *library)
{
    sqlite3_vfs *host = vfs_of(base)->host;
    if (host != NULL && host->xDlClose != NULL)
        host->xDlClose(host, library);
}

static int vfs_randomness(sqlite3_vfs *base, int size, char *out)
{
    sqlite3_vfs *host = vfs_of(base)->host;
    if (host != NULL)
        return host->xRandomness(host, size, out);
    memset(out, 0, (size_t)size);
    return 0;
}

static int vfs_sleep(sqlite3_vfs *base, int microseconds)
{
    sqlite3_vfs *host = vfs_of(base)->host;
    if (mfs_waiting_sleep(&vfs_of(base)->registry, microseconds))
        return microseconds;
    return host != NULL ? host->xSleep(host, microseconds) : 0;
}

static int vfs_current_time(sqlite3_vfs *base, double *julian_day)
{
    sqlite3_vfs *host = vfs_of(base)->host;
    return host != NULL ? host->xCurrentTime(host, julian_day) : SQLITE_ERROR;
}

static int vfs_current_time_ms(sqlite3_vfs *base, sqlite3_int64 *julian_ms)
{
    sqlite3_vfs *host = vfs_of(base)->host;
    if (host != NULL && host->iVersion >= 2 && host->xCurrentTimeInt64 != NULL)
        return host->xCurrentTimeInt64(host, julian_ms);
    double julian_day;
    int rc = vfs_current_time(base, &julian_day);
    if (rc == SQLITE_OK)
        *julian_ms = (sqlite3_int64)(julian_day * 86400000.0);
    return rc;
}

/* SQLite calls it with (0, null) too; there is no error text of our own. */
static int vfs_last_error(sqlite3_vfs *base, int size, char *message)
{
    (void)base;
    if (size > 0 && message != NULL)
        message[0] = '\0';
    return 0;
}

/* ------------------------------------------------------------------ lifetime */

int mfs_vfs_create(memfs *fs, const char *name, sqlite3_vfs *host, struct mfs_vfs **out)
{
    size_t length = strlen(name);
    assert(length > 0 && length <= MEMFS_SQLITE_NAME_MAX);
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
    vfs->host = host;
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
    *out = vfs;
    return 0;
}

void mfs_vfs_destroy(struct mfs_vfs *vfs)
{
    mfs_registry_fini(&vfs->registry);
    memfs_free(vfs->fs, vfs);
}

struct mfs_vfs *mfs_vfs_from(sqlite3_vfs *vfs)
{
    return vfs != NULL && vfs->xOpen == vfs_open ? vfs_of(vfs) : NULL;
}
