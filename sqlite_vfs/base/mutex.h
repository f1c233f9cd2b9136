/*
 * Mutexes.
 *
 * Those of databases and registries are POSIX threads' where these exist.  A registry lives as long
 * as its VFS is registered, which may be longer than SQLite's own mutexes do: sqlite3_shutdown()
 * ends those, and SQLite may be initialised again with other ones.  Elsewhere they are SQLite's,
 * and without threads there are none.
 *
 * Two more belong to SQLite and are the same for all copies of this code that use one SQLite.
 */
#ifndef MFS_MUTEX_H
#define MFS_MUTEX_H

#include "base/sleeper.h" /* MFS_SLEEPER_IS_AVAILABLE: there are POSIX threads */

#include <stdbool.h>
#include <stddef.h>

struct sqlite3;
struct sqlite3_mutex;

typedef struct mfs_mutex {
#if MFS_SLEEPER_IS_AVAILABLE
    pthread_mutex_t posix;
#else
    struct sqlite3_mutex *sqlites; /* null: none is needed */
#endif
} mfs_mutex;

/* For a static variable, which needs no mfs_mutex_init() and no mfs_mutex_fini(); with SQLite's
 * mutexes it is none. */
#if MFS_SLEEPER_IS_AVAILABLE
#define MFS_MUTEX_STATIC \
    { \
        PTHREAD_MUTEX_INITIALIZER \
    }
#else
#define MFS_MUTEX_STATIC \
    { \
        NULL \
    }
#endif

/* In place; false when out of memory or of what the system has for mutexes. */
bool mfs_mutex_init(mfs_mutex *mutex);
void mfs_mutex_fini(mfs_mutex *mutex);

/* The same on SQLite's heap; null when out of memory. */
mfs_mutex *mfs_mutex_create(void);
void mfs_mutex_destroy(mfs_mutex *mutex);

/* Not recursive. */
void mfs_mutex_lock(mfs_mutex *mutex);
void mfs_mutex_unlock(mfs_mutex *mutex);

/* For assertions, and there only at check level 1 and above: whether the calling thread has locked
 * the mutex. */
bool mfs_mutex_is_held(const mfs_mutex *mutex);

/*
 * Enters the mutex of the whole process under which VFSes are registered and unregistered, the one
 * under which SQLite edits its list of VFSes, or that of a connection.  The answer, null where
 * SQLite has no mutexes, is for mfs_mutex_leave().
 */
struct sqlite3_mutex *mfs_mutex_enter_process(void);
struct sqlite3_mutex *mfs_mutex_enter_vfs_list(void);
struct sqlite3_mutex *mfs_mutex_enter_connection(struct sqlite3 *db);
void mfs_mutex_leave(struct sqlite3_mutex *mutex);

/* As mfs_mutex_is_held(), of the mutex of the process; true where SQLite has no mutexes. */
bool mfs_mutex_is_process_held(void);

#endif
