/* A new database on the host that appears complete, or not at all. */
#ifndef MFS_NEWFILE_H
#define MFS_NEWFILE_H

#include "base/sqliteapi.h"

#include <stdint.h>

struct mfs_newfile {
    sqlite3_vfs *vfs;
    const char *host_path;
    char *temporary;     /* the name that it has until the commit */
    sqlite3 *connection; /* to the new file, which is empty */
    sqlite3_file *file;  /* its file */
};

/*
 * Opens an empty file beside `host_path`.  SQLITE_BUSY: there is a journal or WAL beside
 * `host_path`, which SQLite would take for the new file's.  mfs_newfile_end() is due in any case.
 */
int mfs_newfile_begin(struct mfs_newfile *file, sqlite3_vfs *vfs, const char *host_path);
int mfs_newfile_write(struct mfs_newfile *file, const void *bytes, uint32_t count,
                      sqlite3_int64 offset);

/* Makes it durable, and renames it to its place: in one step, where rename() replaces a file. */
int mfs_newfile_commit(struct mfs_newfile *file);

/* Without a commit the file is removed. */
void mfs_newfile_end(struct mfs_newfile *file);

#endif
