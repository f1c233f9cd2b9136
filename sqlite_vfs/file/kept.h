/*
 * A database as of a snapshot (the URI parameter memfs_snapshot): its file, and the journal and the
 * WAL that lay beside it then.
 *
 * Each connection has a private file that shares the snapshot's pages.  So connections exclude
 * nobody, the snapshot may be removed meanwhile, and what SQLite must write to read the database,
 * when it plays a journal back, is written to pages of the connection's own.
 */
#ifndef MFS_KEPT_H
#define MFS_KEPT_H

#include "file/file.h"

#include <memfs/storage.h>

#include <stdbool.h>

/* Null pointers: there was none, or none that is live. */
struct mfs_kept {
    memfs_file *journal, *wal;
};

/*
 * Opens what is at `path` in the snapshot, and takes what is beside it, all from one snapshot.  As
 * mfs_file_open(), for `file`.  With a journal the file is open for writing, so that SQLite plays
 * it back; otherwise it is read-only.
 *
 * Errors:  SQLITE_CANTOPEN (no such snapshot, or no such database in it, which the last error
 *          says), SQLITE_FULL, SQLITE_IOERR_NOMEM.
 * Failure: nothing is open.
 */
int mfs_kept_open(struct mfs_kept *kept, struct mfs_file *file, memfs *fs, const char *vfs_name,
                  const char *path, const char *snapshot);

/* Whether SQLite should look at its journal. */
bool mfs_kept_has_journal(const struct mfs_kept *kept);

/* Opens the journal, or the WAL, which is empty if there was none.  SQLite closes it before the
 * database. */
int mfs_kept_open_sibling(const struct mfs_kept *kept, struct mfs_file *file, memfs *fs,
                          const char *vfs_name, const char *path, bool is_wal);

/* SQLite deletes the journal, which it has played back. */
void mfs_kept_empty_journal(struct mfs_kept *kept);

void mfs_kept_close(struct mfs_kept *kept);

#endif
