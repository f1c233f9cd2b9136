/*
 * Mutexes from SQLite, so that the VFS is exactly as thread-safe as the library
 * that calls it: with SQLITE_THREADSAFE=0, or SQLITE_CONFIG_SINGLETHREAD, there
 * are none, and a null pointer stands for the one that is not there.
 */
#ifndef MFS_MUTEX_H
#define MFS_MUTEX_H

#include <stdbool.h>

typedef struct sqlite3_mutex mfs_mutex;

/* False when out of memory; `*out` may be null on success. */
bool mfs_mutex_create(mfs_mutex **out);
void mfs_mutex_destroy(mfs_mutex *mutex);

void mfs_mutex_lock(mfs_mutex *mutex);
void mfs_mutex_unlock(mfs_mutex *mutex);

/* One mutex for all of SQLite's process, to register and unregister under. */
mfs_mutex *mfs_mutex_of_process(void);

/* The mutex under which SQLite edits its list of VFSes. */
mfs_mutex *mfs_mutex_of_vfs_list(void);

#endif
