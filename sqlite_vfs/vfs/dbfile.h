/* Opening a main database, what SQLite calls SQLITE_OPEN_MAIN_DB. */
#ifndef MFS_DBFILE_H
#define MFS_DBFILE_H

#include "vfs/dbstate.h"
#include "vfs/uri_parameters.h"

/*
 * Opens the database at `path`, which SQLite keeps until xClose.  On failure nothing is open.
 *
 * As an image the database is opened for reading only, without locks and journals, whatever its
 * header says of a WAL.
 *
 * Errors: SQLITE_BUSY (an image that another connection has open for writing, or vice versa);
 *         SQLITE_CANTOPEN (an image beside which a journal or WAL is live, so that it is not
 *         complete; isolation that the other connections, or WAL mode, exclude; those of
 *         mfs_file_open()); SQLITE_IOERR_FSTAT (the file of the parameter modeof is not there);
 *         SQLITE_NOMEM.
 */
int mfs_dbfile_open(struct mfs_dbfile *db, memfs *fs, const char *vfs_name,
                    struct mfs_registry *registry, const char *path, int open_flags,
                    const struct mfs_uri_parameters *parameters);

#endif
