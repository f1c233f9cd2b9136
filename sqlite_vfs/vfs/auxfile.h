/*
 * Every file other than a main database: rollback journals, WALs, super-journals, statement
 * journals, temporary databases.  They have bytes and no locks.
 */
#ifndef MFS_AUXFILE_H
#define MFS_AUXFILE_H

#include "file/file.h"
#include "locks/journal.h"
#include "locks/registry.h"
#include "transaction/wal.h"
#include "vfs/journalled.h"

struct mfs_auxfile {
    struct mfs_file file; /* first: SQLite's pointer is ours */
    struct mfs_registry *registry;
    struct mfs_journal journal;   /* entered in the registry if `is_journal` */
    bool is_journal;              /* the rollback journal of a main database */
    bool is_wal;                  /* the WAL of a main database */
    bool is_super;                /* a super-journal that this connection created */
    bool needs_name_synced;       /* it may be new, and its directory was not synced since */
    struct mfs_name_cache *names; /* its connection's, if it is a journal or WAL and that is known;
                                     null from the connection's end on */
    struct mfs_wal wal;
    struct mfs_journalled journalled;
};

/* Opens a file; `path` is null for a temporary one.  On failure nothing is open. */
int mfs_auxfile_open(struct mfs_auxfile *aux, memfs *fs, const char *vfs_name,
                     struct mfs_registry *registry, const char *path, int open_flags);

/*
 * Removes a file by name.  A rollback journal that is open is truncated to size 0 instead, which
 * means the same to SQLite.  At the name of the connection's journal or WAL nothing is removed that
 * is another database's (names/place.h).
 */
int mfs_auxfile_delete(memfs *fs, struct mfs_registry *registry, const char *path);

#endif
