/*
 * 1. At check level 1 each thread lists the mutexes that it holds.  sqlite3_mutex_held() would say
 *    it of SQLite's own, but only in an SQLite that was built with SQLITE_DEBUG.
 * 2. An SQLite built with SQLITE_THREADSAFE=0 has no mutex functions.  A program that links such a
 *    library compiles this file with the same -DSQLITE_THREADSAFE=0; the extension finds out at run
 *    time.  With SQLITE_CONFIG_SINGLETHREAD the functions exist and deal in null pointers.
 * 3. SQLite's static mutexes are asked for each time, since initialising SQLite again may have
 *    replaced them.
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

static MFS_PER_THREAD const void *held_mutexes[HELD_MAX];
static MFS_PER_THREAD unsigned held_count;

static unsigned held_index(const void *mutex)
{
    unsigned index = 0;
    while (index < held_count && held_mutexes[index] != mutex)
        index++;
    return index;
}

static bool is_noted(const void *mutex)
{
    return held_index(mutex) < held_count;
}

static void note_locked(const void *mutex)
{
    MFS_ASSERT(held_count < HELD_MAX && !is_noted(mutex));
    held_mutexes[held_count++] = mutex;
}

static void note_unlocked(const void *mutex)
{
    unsigned index = held_index(mutex);
    MFS_ASSERT(index < held_count);
    held_mutexes[index] = held_mutexes[--held_count];
}

bool mfs_mutex_is_held(const mfs_mutex *mutex)
{
    return is_noted(mutex);
}

#else

static void note_locked(const void *mutex)
{
    (void)mutex;
}

static void note_unlocked(const void *mutex)
{
    (void)mutex;
}

#endif

/* ------------------------------------------------------- SQLite's own mutexes */

#if defined(SQLITE_THREADSAFE) && SQLITE_THREADSAFE == 0

/* SQLITE_THREADSAFE=0: there are none. */

struct sqlite3_mutex *mfs_mutex_enter_process(void)
{
    return NULL;
}

struct sqlite3_mutex *mfs_mutex_enter_vfs_list(void)
{
    return NULL;
}

void mfs_mutex_leave(struct sqlite3_mutex *mutex)
{
    MFS_ASSERT(mutex == NULL);
}

struct sqlite3_mutex *mfs_mutex_enter_connection(struct sqlite3 *db)
{
    (void)db;
    return NULL;
}

#if MEMFS_CHECK_LEVEL >= 1
bool mfs_mutex_is_process_held(void)
{
    return true;
}
#endif

#else

/* SQLITE_MUTEX_STATIC_MAIN, which older headers call _MASTER. */
enum { MUTEX_OF_VFS_LIST = 2 };

static struct sqlite3_mutex *find_static(int id)
{
    return sqlite3_threadsafe() != 0 ? sqlite3_mutex_alloc(id) : NULL;
}

static struct sqlite3_mutex *enter_static(int id)
{
    struct sqlite3_mutex *mutex = find_static(id);
    if (mutex == NULL)
        return NULL;
    sqlite3_mutex_enter(mutex);
    note_locked(mutex);
    return mutex;
}

struct sqlite3_mutex *mfs_mutex_enter_process(void)
{
    return enter_static(SQLITE_MUTEX_STATIC_VFS3);
}

struct sqlite3_mutex *mfs_mutex_enter_vfs_list(void)
{
    return enter_static(MUTEX_OF_VFS_LIST);
}

struct sqlite3_mutex *mfs_mutex_enter_connection(struct sqlite3 *db)
{
    struct sqlite3_mutex *mutex = sqlite3_db_mutex(db);
    if (mutex == NULL)
        return NULL;
    sqlite3_mutex_enter(mutex);
    note_locked(mutex);
    return mutex;
}

void mfs_mutex_leave(struct sqlite3_mutex *mutex)
{
    if (mutex == NULL)
        return;
    note_unlocked(mutex);
    sqlite3_mutex_leave(mutex);
}

#if MEMFS_CHECK_LEVEL >= 1
bool mfs_mutex_is_process_held(void)
{
    struct sqlite3_mutex *mutex = find_static(SQLITE_MUTEX_STATIC_VFS3);
    return mutex == NULL || is_noted(mutex);
}
#endif

#endif

/* ------------------------------------------------------------------ our mutexes */

#if MFS_SLEEPER_IS_AVAILABLE

bool mfs_mutex_init(mfs_mutex *mutex)
{
    return pthread_mutex_init(&mutex->posix, NULL) == 0;
}

void mfs_mutex_fini(mfs_mutex *mutex)
{
    int error = pthread_mutex_destroy(&mutex->posix);
    MFS_ASSERT(error == 0);
}

void mfs_mutex_lock(mfs_mutex *mutex)
{
    (void)pthread_mutex_lock(&mutex->posix);
    note_locked(mutex);
}

void mfs_mutex_unlock(mfs_mutex *mutex)
{
    note_unlocked(mutex);
    (void)pthread_mutex_unlock(&mutex->posix);
}

#elif defined(MEMFS_NO_THREADS) || (defined(SQLITE_THREADSAFE) && SQLITE_THREADSAFE == 0)

bool mfs_mutex_init(mfs_mutex *mutex)
{
    mutex->sqlites = NULL;
    return true;
}

void mfs_mutex_fini(mfs_mutex *mutex)
{
    MFS_ASSERT(mutex->sqlites == NULL);
}

void mfs_mutex_lock(mfs_mutex *mutex)
{
    note_locked(mutex);
}

void mfs_mutex_unlock(mfs_mutex *mutex)
{
    note_unlocked(mutex);
}

#else

/* SQLite hands out a null pointer for two reasons; only with mutexes in use does it mean that
 * memory is short. */
bool mfs_mutex_init(mfs_mutex *mutex)
{
    mutex->sqlites = NULL;
    if (find_static(SQLITE_MUTEX_STATIC_VFS3) == NULL)
        return true;
    mutex->sqlites = sqlite3_mutex_alloc(SQLITE_MUTEX_FAST);
    return mutex->sqlites != NULL;
}

void mfs_mutex_fini(mfs_mutex *mutex)
{
    sqlite3_mutex_free(mutex->sqlites);
}

void mfs_mutex_lock(mfs_mutex *mutex)
{
    if (mutex->sqlites != NULL)
        sqlite3_mutex_enter(mutex->sqlites);
    note_locked(mutex);
}

void mfs_mutex_unlock(mfs_mutex *mutex)
{
    note_unlocked(mutex);
    if (mutex->sqlites != NULL)
        sqlite3_mutex_leave(mutex->sqlites);
}

#endif

mfs_mutex *mfs_mutex_create(void)
{
    mfs_mutex *mutex = sqlite3_malloc((int)sizeof *mutex);
    if (mutex != NULL && !mfs_mutex_init(mutex)) {
        sqlite3_free(mutex);
        return NULL;
    }
    return mutex;
}

void mfs_mutex_destroy(mfs_mutex *mutex)
{
    mfs_mutex_fini(mutex);
    sqlite3_free(mutex);
}
