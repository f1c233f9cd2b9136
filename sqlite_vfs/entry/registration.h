/* Which of our VFSes are registered with SQLite, and which VFS lies below them. */
#ifndef MFS_REGISTRATION_H
#define MFS_REGISTRATION_H

#include "base/sqliteapi.h"
#include "vfs/vfs.h"

/* memfs_sqlite_register(), with a `watch` (vfs.h) that the caller chooses. */
int mfs_registration_add(memfs *fs, const char *vfs_name, unsigned flags, int (*watch)(void));

/* The VFS through which `fs` is registered, or null. */
struct mfs_vfs *mfs_registration_of(memfs *fs);

/*
 * The VFS that reaches the operating system: SQLite's default, or, if that is one of ours, the one
 * that it uses itself.  (Ours might be unregistered before its user.)  May be null.
 */
sqlite3_vfs *mfs_registration_lower_vfs(void);

#endif
