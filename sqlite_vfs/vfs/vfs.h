/* The sqlite3_vfs of one file system. */
#ifndef MFS_VFS_H
#define MFS_VFS_H

#include "base/sqliteapi.h"
#include "locks/registry.h"

#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <stdbool.h>

/* Lies in charged memory of its file system. */
struct mfs_vfs {
    sqlite3_vfs base; /* first: SQLite's pointer is ours */
    memfs *fs;
    sqlite3_vfs *lower_vfs; /* for time, randomness and libraries; never one of ours; may be null */
    struct mfs_registry registry;
    /* Has SQLite report new connections, again if it forgot; one of SQLite's codes.  Null: none. */
    int (*watch)(void);
    bool makes_parents;           /* memfs_make_parents=1 unless the URI says otherwise; set once */
    uint64_t given_reserve_bytes; /* the emergency reserve that registering has set; 0: none */
    char name[MEMFS_SQLITE_NAME_MAX + 1];
};

/*
 * Makes a VFS, which is not registered yet.  `name` has 1 to MEMFS_SQLITE_NAME_MAX bytes.
 * Errors: EDQUOT, ENOMEM.
 */
int mfs_vfs_create(memfs *fs, const char *name, sqlite3_vfs *lower_vfs, struct mfs_vfs **out);

/* No file may be open through it, and it may not be registered. */
void mfs_vfs_destroy(struct mfs_vfs *vfs);

/* The VFS as one of ours; null if another library made it, or if it is null. */
struct mfs_vfs *mfs_vfs_from(sqlite3_vfs *vfs);

/* The VFS through which a file system is registered with SQLite, or null; null as `fs`: any of
 * ours.  The second is for callers that hold the process's mutex. */
struct mfs_vfs *mfs_vfs_find(const memfs *fs);
struct mfs_vfs *mfs_vfs_find_locked(const memfs *fs);

#endif
