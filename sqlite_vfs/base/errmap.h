/*
 * Translates memfs's errors into SQLite's result codes.  A pure function of the error and the
 * operation, since SQLite expects different codes for one error in different calls.
 */
#ifndef MFS_ERRMAP_H
#define MFS_ERRMAP_H

enum mfs_operation {
    MFS_OPERATION_OPEN,
    MFS_OPERATION_READ,
    MFS_OPERATION_WRITE,
    MFS_OPERATION_TRUNCATE,
    MFS_OPERATION_SIZE,
    MFS_OPERATION_DELETE,
    MFS_OPERATION_CLOSE,
    MFS_OPERATION_SYNC,
    MFS_OPERATION_SYNC_DIRECTORY,
    MFS_OPERATION_COUNT
};

/* SQLITE_OK if `error` is 0 or positive; some other code for every error. */
int mfs_errmap(enum mfs_operation operation, int error);

#endif
