/*
 * Mutexes from SQLite.
 *
 * An SQLite built with SQLITE_THREADSAFE=0 has no mutex functions: compile this
 * with the same -DSQLITE_THREADSAFE=0 when linking to such a library; the
 * extension finds out at run time.  With SQLITE_CONFIG_SINGLETHREAD they are
 * there and hand out null pointers, which they accept back.
 */
#include "base/mutex.h"

#include "base/sqliteapi.h"

#include <stddef.h>

#if defined(SQLITE_THREADSAFE) && SQLITE_THREADSAFE == 0

bool mfs_mutex_create(mfs_mutex **out)
{
    *out = NULL;
    return true;
}

void mfs_mutex_destroy(mfs_mutex *mutex)
{
    (void)mutex;
}

void mfs_mutex_lock(mfs_mutex *mutex)
{
    (void)mutex;
}

void mfs_mutex_unlock(mfs_mutex *mutex)
{
    (void)mutex;
}

mfs_mutex *mfs_mutex_of_process(void)
{
    return NULL;
}

mfs_mutex *mfs_mutex_of_vfs_list(void)
{
    return NULL;
}

#else

/* SQLITE_MUTEX_STATIC_MAIN, which older headers call _MASTER. */
enum { MUTEX_OF_VFS_LIST = 2 };

/* A pure C build of SQLite with threads hands out a null pointer for two
 * reasons; only with mutexes in use does it mean that memory is short. */
static bool mutexes_are_in_use(void)
{
    return sqlite3_threadsafe() != 0 && sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_VFS3) != NULL;
}

bool mfs_mutex_create(mfs_mutex **out)
{
    *out = NULL;
    if (!mutexes_are_in_use())
        return true;
    *out = sqlite3_mutex_alloc(SQLITE_MUTEX_FAST);
    return *out != NULL;
}

void mfs_mutex_destroy(mfs_mutex *mutex)
{
    if (mutex != NULL)
        sqlite3_mutex_free(mutex);
}

void mfs_mutex_lock(mfs_mutex *mutex)
{
    if (mutex != NULL)
        sqlite3_mutex_enter(mutex);
}

void mfs_mutex_unlock(mfs_mutex *mutex)
{
    if (mutex != NULL)
        sqlite3_mutex_leave(mutex);
}

mfs_mutex *mfs_mutex_of_process(void)
{
    return mutexes_are_in_use() ? sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_VFS3) : NULL;
}

mfs_mutex *mfs_mutex_of_vfs_list(void)
{
    return mutexes_are_in_use() ? sqlite3_mutex_alloc(MUTEX_OF_VFS_LIST) : NULL;
}

#endif
