/* Who is registered with SQLite, for what is built on that. */
#ifndef MFS_REGISTRATION_H
#define MFS_REGISTRATION_H

#include "base/sqliteapi.h"
#include "vfs/vfs.h"

/* The VFS through which `fs` is registered, or null. */
struct mfs_vfs *mfs_registration_of(memfs *fs);

/*
 * The VFS of the host: the default, or what the default uses if that is one of ours, which may
 * go away before who asks.  May be null.
 */
sqlite3_vfs *mfs_registration_host(void);

#endif
