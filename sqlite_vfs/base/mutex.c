/*
 * Mutexes from SQLite.
 *
 * An SQLite built with SQLITE_THREADSAFE=0 has no mutex functions.  A program that links such a
 * library compiles this file with the same -DSQLITE_THREADSAFE=0; the extension finds out at run
 * time.  With SQLITE_CONFIG_SINGLETHREAD the functions exist and deal in null pointers.
 *
 * 1. A null mutex is one that is not needed: locking it does nothing, and it counts as held.
 * 2. At check level 1 each thread lists the mutexes that it holds.  sqlite3_mutex_held() would
 *    say the same, but only in an SQLite that was built with SQLITE_DEBUG.
 *
 * The order in which mutexes are locked is not checked here; sqlite_vfs/README.md has it.
 */
#include "base/mutex.h"

#include "base/assertion.h"
#include "base/perthread.h"
#include "base/sqliteapi.h"

#include <stddef.h>

/* ------------------------------------------------------------ which are held */

#if MEMFS_CHECK_LEVEL >= 1

enum { HELD_MAX = 8 }; /* the order of locks has four, each locked once */

static MFS_PER_THREAD const mfs_mutex *held_mutexes[HELD_MAX];
static MFS_PER_THREAD unsigned held_count;

static unsigned held_index(const mfs_mutex *mutex)
{
    unsigned index = 0;
    while (index < held_count && held_mutexes[index] != mutex)
        index++;
    return index;
}

bool mfs_mutex_is_held(const mfs_mutex *mutex)
{
    return mutex == NULL || held_index(mutex) < held_count;
}

static void note_locked(const mfs_mutex *mutex)
{
    MFS_ASSERT(held_count < HELD_MAX);
    held_mutexes[held_count++] = mutex;
}

static void note_unlocked(const mfs_mutex *mutex)
{
    unsigned index = held_index(mutex);
    MFS_ASSERT(index < held_count);
    held_mutexes[index] = held_mutexes[--held_count];
}

#else

static void note_locked(const mfs_mutex *mutex)
{
    (void)mutex;
}

static void note_unlocked(const mfs_mutex *mutex)
{
    (void)mutex;
}

#endif

/* ----------------------------------------------------------------- the mutexes */

#if defined(SQLITE_THREADSAFE) && SQLITE_THREADSAFE == 0

/* SQLITE_THREADSAFE=0: all mutexes are null. */

bool mfs_mutex_create(mfs_mutex **out)
{
    *out = NULL;
    return true;
}

void mfs_mutex_destroy(mfs_mutex *mutex)
{
    MFS_ASSERT(mutex == NULL);
}

void mfs_mutex_lock(mfs_mutex *mutex)
{
    if (mutex != NULL)
        note_locked(mutex);
}

void mfs_mutex_unlock(mfs_mutex *mutex)
{
    if (mutex != NULL)
        note_unlocked(mutex);
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

/* A pure C build of SQLite with threads hands out a null pointer for two reasons; only with
 * mutexes in use does it mean that memory is short. */
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
    if (mutex == NULL)
        return;
    MFS_ASSERT(!mfs_mutex_is_held(mutex));
    sqlite3_mutex_free(mutex);
}

void mfs_mutex_lock(mfs_mutex *mutex)
{
    if (mutex == NULL)
        return;
    MFS_ASSERT(!mfs_mutex_is_held(mutex));
    sqlite3_mutex_enter(mutex);
    note_locked(mutex);
}

void mfs_mutex_unlock(mfs_mutex *mutex)
{
    if (mutex == NULL)
        return;
    note_unlocked(mutex);
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
