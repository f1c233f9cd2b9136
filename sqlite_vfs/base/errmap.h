/*
 * From memfs's errors to SQLite's result codes.  One pure function, because the
 * same error means different things to SQLite in different calls.
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
    MFS_OPERATION_COUNT
};

/* SQLITE_OK for 0 and above; never SQLITE_OK for an error. */
int mfs_errmap(enum mfs_operation operation, int error);

#endif
