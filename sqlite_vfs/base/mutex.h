/*
 * Mutexes from SQLite, so that the VFS is exactly as thread-safe as the library that calls it.
 * With SQLITE_THREADSAFE=0 or SQLITE_CONFIG_SINGLETHREAD there are none; a null pointer then
 * stands for the mutex, and every function accepts it.
 */
#ifndef MFS_MUTEX_H
#define MFS_MUTEX_H

#include <stdbool.h>

typedef struct sqlite3_mutex mfs_mutex;

/* False when out of memory; `*out` may be null on success. */
bool mfs_mutex_create(mfs_mutex **out);
void mfs_mutex_destroy(mfs_mutex *mutex);

/* Not recursive. */
void mfs_mutex_lock(mfs_mutex *mutex);
void mfs_mutex_unlock(mfs_mutex *mutex);

/* For assertions, and there only at check level 1 and above: whether the calling thread has locked
 * the mutex.  True for null. */
bool mfs_mutex_is_held(const mfs_mutex *mutex);

/* The mutex of the whole process under which VFSes are registered and unregistered. */
mfs_mutex *mfs_mutex_of_process(void);

/* The mutex under which SQLite edits its list of VFSes. */
mfs_mutex *mfs_mutex_of_vfs_list(void);

#endif
