/*
 * Registering and unregistering.
 *
 * 1. SQLite's list of VFSes is the only record of what is registered.  Whether a VFS in it is one
 *    of ours is seen by its xOpen.
 * 2. A name has one VFS and a file system has one name: its connections would not see each other's
 *    locks through two.
 * 3. Looking a name up and adding it are two calls of SQLite; the process's mutex makes one step of
 *    them.  Functions that end in `_locked` are called with it held.  Nothing looks into a VFS of
 *    SQLite's list without it, since another thread may unregister and free that VFS.
 * 4. Connections are watched for (newconnection) exactly while any of ours is registered; but
 *    sqlite3_shutdown() ends that, until the next database is opened.
 *
 * Lock order: the process's mutex, then SQLite's mutex of the list.
 *
 * Cost: a walk through SQLite's list, which is short.  Opening a database does not come here.
 *
 * Left undone on purpose: a connection without an open file (":memory:") keeps a pointer to its VFS
 * and is not counted, since SQLite has no call that tells of it; sqlite.h says so.
 */
#include "entry/registration.h"

#include "base/assertion.h"
#include "base/mutex.h"
#include "entry/newconnection.h"
#include "vfs/vfs.h"

#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <string.h>

struct mfs_vfs *mfs_registration_of(memfs *fs)
{
    return fs != NULL ? mfs_vfs_find(fs) : NULL;
}

sqlite3_vfs *mfs_registration_lower_vfs(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    struct mfs_vfs *ours = mfs_vfs_from(vfs);
    return ours != NULL ? ours->lower_vfs : vfs;
}

/*
 * The emergency reserve of a file system that has none: enough for the journals and the WAL index
 * of small transactions, and a small part of the quota (README.md has the measurements).
 */
enum { DEFAULT_RESERVE_MOST = 512 * 1024, DEFAULT_RESERVE_LEAST = 96 * 1024 };

static uint64_t default_reserve(uint64_t quota_bytes)
{
    uint64_t eighth = quota_bytes / 8;
    MFS_ASSERT(quota_bytes > 0);
    if (eighth / 2 > DEFAULT_RESERVE_MOST)
        return DEFAULT_RESERVE_MOST;
    if (eighth / 2 > DEFAULT_RESERVE_LEAST)
        return eighth / 2;
    return eighth < DEFAULT_RESERVE_LEAST ? eighth : DEFAULT_RESERVE_LEAST;
}

static void give_reserve(struct mfs_vfs *vfs)
{
    memfs_statfs_info info;
    info.struct_size = sizeof info;
    if (memfs_statfs(vfs->fs, &info) != 0 || info.emergency_reserve_bytes != 0 ||
        info.quota_bytes == 0)
        return;
    vfs->given_reserve_bytes = default_reserve(info.quota_bytes);
    MFS_ASSERT(vfs->given_reserve_bytes <= info.quota_bytes);
    (void)memfs_set_emergency_reserve(vfs->fs, vfs->given_reserve_bytes);
}

/* Unless the program has set another one since. */
static void take_reserve_back(const struct mfs_vfs *vfs)
{
    memfs_statfs_info info;
    info.struct_size = sizeof info;
    if (vfs->given_reserve_bytes != 0 && memfs_statfs(vfs->fs, &info) == 0 &&
        info.emergency_reserve_bytes == vfs->given_reserve_bytes)
        (void)memfs_set_emergency_reserve(vfs->fs, 0);
}

/* Unless another file system of ours is registered. */
static void stop_watching_locked(void)
{
    MFS_ASSERT(mfs_mutex_is_process_held());
    if (mfs_vfs_find_locked(NULL) == NULL)
        mfs_newconnection_unwatch();
}

#define ALL_REGISTER_FLAGS \
    (MEMFS_SQLITE_REGISTER_DEFAULT | MEMFS_SQLITE_REGISTER_NO_EMERGENCY_RESERVE | \
     MEMFS_SQLITE_REGISTER_MAKE_PARENTS | MEMFS_SQLITE_REGISTER_NO_CONTROL)

static int register_locked(memfs *fs, const char *name, unsigned flags, int (*watch)(void))
{
    MFS_ASSERT(mfs_mutex_is_process_held());
    if (sqlite3_vfs_find(name) != NULL)
        return MEMFS_EEXIST;
    if (mfs_vfs_find_locked(fs) != NULL)
        return MEMFS_EBUSY;
    struct mfs_vfs *vfs;
    int error = mfs_vfs_create(fs, name, mfs_registration_lower_vfs(), &vfs);
    if (error != 0)
        return error;
    vfs->registry.refuses_control = (flags & MEMFS_SQLITE_REGISTER_NO_CONTROL) != 0;
    vfs->makes_parents = (flags & MEMFS_SQLITE_REGISTER_MAKE_PARENTS) != 0;
    vfs->watch = watch;
    int is_default = (flags & MEMFS_SQLITE_REGISTER_DEFAULT) != 0;
    error = mfs_newconnection_watch() == SQLITE_OK ? 0 : MEMFS_ENOMEM;
    if (error == 0 && sqlite3_vfs_register(&vfs->base, is_default) != SQLITE_OK)
        error = MEMFS_EOPNOTSUPP;
    if (error != 0) {
        stop_watching_locked();
        mfs_vfs_destroy(vfs);
        return error;
    }
    if ((flags & MEMFS_SQLITE_REGISTER_NO_EMERGENCY_RESERVE) == 0)
        give_reserve(vfs);
    MFS_ASSERT(mfs_vfs_find_locked(fs) == vfs);
    return 0;
}

/* An SQLite that loads an extension is initialised, and does not pass the function for it. */
static int initialize_sqlite(void)
{
#ifdef SQLITE_CORE
    return sqlite3_initialize();
#else
    return SQLITE_OK;
#endif
}

int mfs_registration_add(memfs *fs, const char *vfs_name, unsigned flags, int (*watch)(void))
{
    if (fs == NULL || vfs_name == NULL || (flags & ~ALL_REGISTER_FLAGS) != 0)
        return MEMFS_EINVAL;
    size_t length = strlen(vfs_name);
    if (length == 0 || length > MEMFS_SQLITE_NAME_MAX)
        return MEMFS_EINVAL;
    if (sqlite3_libversion_number() < MFS_SQLITE_VERSION_MIN)
        return MEMFS_EOPNOTSUPP;
    int rc = initialize_sqlite();
    if (rc != SQLITE_OK)
        return rc == SQLITE_NOMEM ? MEMFS_ENOMEM : MEMFS_EOPNOTSUPP;
    struct sqlite3_mutex *process = mfs_mutex_enter_process();
    int error = register_locked(fs, vfs_name, flags, watch);
    mfs_mutex_leave(process);
    return error;
}

int memfs_sqlite_register(memfs *fs, const char *vfs_name, unsigned flags)
{
    return mfs_registration_add(fs, vfs_name, flags, mfs_newconnection_watch);
}

static int unregister_locked(const char *name)
{
    MFS_ASSERT(mfs_mutex_is_process_held());
    sqlite3_vfs *registered = sqlite3_vfs_find(name);
    if (registered == NULL)
        return MEMFS_ENOENT;
    struct mfs_vfs *vfs = mfs_vfs_from(registered);
    if (vfs == NULL)
        return MEMFS_EINVAL;
    if (atomic_load(&vfs->registry.open_files) > 0)
        return MEMFS_EBUSY;
    (void)sqlite3_vfs_unregister(registered);
    MFS_ASSERT(mfs_vfs_find_locked(vfs->fs) == NULL);
    take_reserve_back(vfs);
    stop_watching_locked();
    mfs_vfs_destroy(vfs);
    return 0;
}

int memfs_sqlite_unregister(const char *vfs_name)
{
    if (vfs_name == NULL)
        return MEMFS_EINVAL;
    struct sqlite3_mutex *process = mfs_mutex_enter_process();
    int error = unregister_locked(vfs_name);
    mfs_mutex_leave(process);
    return error;
}

memfs *memfs_sqlite_find(const char *vfs_name)
{
    if (vfs_name == NULL)
        return NULL;
    struct sqlite3_mutex *process = mfs_mutex_enter_process();
    const struct mfs_vfs *vfs = mfs_vfs_from(sqlite3_vfs_find(vfs_name));
    memfs *fs = vfs != NULL ? vfs->fs : NULL;
    mfs_mutex_leave(process);
    return fs;
}
