/* A main database's sqlite3_file: bytes, locks and undo. */
#ifndef MFS_DBFILE_H
#define MFS_DBFILE_H

#include "file/file.h"
#include "file/view.h"
#include "locks/dbshare.h"
#include "transaction/undo.h"

struct mfs_dbfile {
    struct mfs_file file; /* first: SQLite's pointer is ours */
    struct mfs_registry *registry;
    struct mfs_member member;
    struct mfs_undo undo;
    struct mfs_view view; /* if used: what is read and written rather than the file */
    struct mfs_nearby nearby;
    bool holds_private; /* since it writes, or maps the WAL index: no copy may share its pages */
};

/*
 * Opens what SQLite calls a SQLITE_OPEN_MAIN_DB.  On failure nothing is open.
 *
 * As an image: for reading only, without locks and journals, whatever the header says of a
 * WAL.  SQLITE_BUSY: somebody has it open for writing; so has who wants to write while it
 * is open as an image.  SQLITE_CANTOPEN: a journal or a WAL is beside it, without which it is
 * not whole.
 */
int mfs_dbfile_open(struct mfs_dbfile *db, memfs *fs, const char *vfs_name,
                    struct mfs_registry *registry, const char *path, int open_flags,
                    enum mfs_isolation_wish wish, bool is_image);

/* The database whose WAL has this name; null if the name is not SQLite's own (mfs_name_cache_enter). */
struct mfs_dbfile *mfs_dbfile_of_wal(struct mfs_registry *registry, const char *name);

#endif
