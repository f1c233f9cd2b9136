/* The sqlite3_vfs of one file system. */
#ifndef MFS_VFS_H
#define MFS_VFS_H

#include "base/sqliteapi.h"
#include "locks/registry.h"

#include <memfs/memfs.h>
#include <memfs/sqlite.h>

/* In charged memory of its file system. */
struct mfs_vfs {
    sqlite3_vfs base; /* first: SQLite's pointer is ours */
    memfs *fs;
    sqlite3_vfs *host; /* never one of ours: for time, randomness, libraries; may be null */
    struct mfs_registry registry;
    uint64_t given_reserve; /* bytes, that registering has given the file system; 0: none */
    char name[MEMFS_SQLITE_NAME_MAX + 1];
};

/*
 * Makes a VFS that is not registered yet.  `name` fits.
 * Errors: EDQUOT, ENOMEM.
 */
int mfs_vfs_create(memfs *fs, const char *name, sqlite3_vfs *host, struct mfs_vfs **out);

/* No file of it is open. */
void mfs_vfs_destroy(struct mfs_vfs *vfs);

/* Whether a VFS that SQLite knows was made here; null: no. */
struct mfs_vfs *mfs_vfs_from(sqlite3_vfs *vfs);

#endif
