/*
 * Registering and unregistering.
 *
 * SQLite's list of VFSes is the only place that knows what is registered; we
 * keep no list of our own.  "Is this one ours?" is asked of its xOpen.
 *
 * SQLite's own functions look up and add in two steps; the process's mutex makes
 * one of them.  Lock order: the process's mutex, then SQLite's of the list.
 */
#include "entry/registration.h"

#include "base/mutex.h"
#include "entry/newconnection.h"
#include "vfs/vfs.h"

#include <memfs/memfs.h>

#include <memfs/sqlite.h>

#include <string.h>

/* The VFS of a file system, or any of ours for null. */
static struct mfs_vfs *find(const memfs *fs)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    mfs_mutex *list = mfs_mutex_of_vfs_list();
    struct mfs_vfs *found = NULL;
    mfs_mutex_lock(list);
    for (; vfs != NULL && found == NULL; vfs = vfs->pNext) {
        struct mfs_vfs *ours = mfs_vfs_from(vfs);
        if (ours != NULL && (fs == NULL || ours->fs == fs))
            found = ours;
    }
    mfs_mutex_unlock(list);
    return found;
}

struct mfs_vfs *mfs_registration_of(memfs *fs)
{
    return fs != NULL ? find(fs) : NULL;
}

sqlite3_vfs *mfs_registration_host(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    struct mfs_vfs *ours = mfs_vfs_from(vfs);
    return ours != NULL ? ours->host : vfs;
}

/*
 * The reserve that a file system gets if it has none: enough for the journals and the WAL
 * index of small transactions, and a small part of the quota (see README.md).
 */
enum { RESERVE_MOST = 512 * 1024, RESERVE_LEAST = 96 * 1024 };

static uint64_t usual_reserve(uint64_t quota_bytes)
{
    uint64_t eighth = quota_bytes / 8;
    if (eighth / 2 > RESERVE_MOST)
        return RESERVE_MOST;
    if (eighth / 2 > RESERVE_LEAST)
        return eighth / 2;
    return eighth < RESERVE_LEAST ? eighth : RESERVE_LEAST;
}

static void give_reserve(struct mfs_vfs *vfs)
{
    memfs_statfs_info info;
    info.struct_size = sizeof info;
    if (memfs_statfs(vfs->fs, &info) != 0 || info.emergency_reserve_bytes != 0 ||
        info.quota_bytes == 0)
        return;
    vfs->given_reserve = usual_reserve(info.quota_bytes);
    (void)memfs_set_emergency_reserve(vfs->fs, vfs->given_reserve);
}

/* Unless somebody has set another one since. */
static void take_reserve_back(const struct mfs_vfs *vfs)
{
    memfs_statfs_info info;
    info.struct_size = sizeof info;
    if (vfs->given_reserve != 0 && memfs_statfs(vfs->fs, &info) == 0 &&
        info.emergency_reserve_bytes == vfs->given_reserve)
        (void)memfs_set_emergency_reserve(vfs->fs, 0);
}

/* Unless another file system is still registered. */
static void stop_watching(void)
{
    if (find(NULL) == NULL)
        mfs_newconnection_unwatch();
}

static int register_locked(memfs *fs, const char *name, unsigned flags)
{
    if (sqlite3_vfs_find(name) != NULL)
        return MEMFS_EEXIST;
    if (mfs_registration_of(fs) != NULL)
        return MEMFS_EBUSY;
    struct mfs_vfs *vfs;
    int error = mfs_vfs_create(fs, name, mfs_registration_host(), &vfs);
    if (error != 0)
        return error;
    int is_default = (flags & MEMFS_SQLITE_REGISTER_DEFAULT) != 0;
    error = mfs_newconnection_watch() == SQLITE_OK ? 0 : MEMFS_ENOMEM;
    if (error == 0 && sqlite3_vfs_register(&vfs->base, is_default) != SQLITE_OK)
        error = MEMFS_EOPNOTSUPP;
    if (error != 0) {
        stop_watching();
        mfs_vfs_destroy(vfs);
        return error;
    }
    if ((flags & MEMFS_SQLITE_REGISTER_NO_EMERGENCY_RESERVE) == 0)
        give_reserve(vfs);
    return 0;
}

int memfs_sqlite_register(memfs *fs, const char *vfs_name, unsigned flags)
{
    if (fs == NULL || vfs_name == NULL ||
        (flags & ~(MEMFS_SQLITE_REGISTER_DEFAULT | MEMFS_SQLITE_REGISTER_NO_EMERGENCY_RESERVE)) !=
            0)
        return MEMFS_EINVAL;
    size_t length = strlen(vfs_name);
    if (length == 0 || length > MEMFS_SQLITE_NAME_MAX)
        return MEMFS_EINVAL;
    if (sqlite3_libversion_number() < MFS_SQLITE_VERSION_MIN)
        return MEMFS_EOPNOTSUPP;
    mfs_mutex *process = mfs_mutex_of_process();
    mfs_mutex_lock(process);
    int error = register_locked(fs, vfs_name, flags);
    mfs_mutex_unlock(process);
    return error;
}

static int unregister_locked(const char *name)
{
    sqlite3_vfs *registered = sqlite3_vfs_find(name);
    if (registered == NULL)
        return MEMFS_ENOENT;
    struct mfs_vfs *vfs = mfs_vfs_from(registered);
    if (vfs == NULL)
        return MEMFS_EINVAL;
    if (atomic_load(&vfs->registry.open_files) > 0)
        return MEMFS_EBUSY;
    (void)sqlite3_vfs_unregister(registered);
    take_reserve_back(vfs);
    stop_watching();
    mfs_vfs_destroy(vfs);
    return 0;
}

int memfs_sqlite_unregister(const char *vfs_name)
{
    if (vfs_name == NULL)
        return MEMFS_EINVAL;
    mfs_mutex *process = mfs_mutex_of_process();
    mfs_mutex_lock(process);
    int error = unregister_locked(vfs_name);
    mfs_mutex_unlock(process);
    return error;
}

memfs *memfs_sqlite_find(const char *vfs_name)
{
    struct mfs_vfs *vfs = vfs_name != NULL ? mfs_vfs_from(sqlite3_vfs_find(vfs_name)) : NULL;
    return vfs != NULL ? vfs->fs : NULL;
}
