/*
 * Why these codes.
 *
 * 1. SQLITE_FULL is the one refusal after which SQLite rolls back the statement alone, so every
 *    limit answers it, the limit on nodes included.
 * 2. When the allocator refuses, the answer is SQLITE_IOERR_NOMEM, which ends the transaction;
 *    in xOpen, where no transaction can be lost, it is SQLITE_NOMEM.
 * 3. A journal that does not exist must be SQLITE_CANTOPEN without an extended code: the pager
 *    compares for equality when it looks for a hot journal.
 *
 * Codes finer than the operation are left out on purpose: SQLite does not act on them.
 */
#include "base/errmap.h"

#include "base/assertion.h"

#include <memfs/memfs.h>
#include <sqlite3.h> /* the codes alone: no function is called */

static int open_error(int error)
{
    switch (error) {
    case MEMFS_EISDIR:
        return SQLITE_CANTOPEN_ISDIR;
    case MEMFS_ENAMETOOLONG:
        return SQLITE_CANTOPEN_FULLPATH;
    default:
        return SQLITE_CANTOPEN;
    }
}

/* The code for an error that has no general meaning for all operations. */
static int other_error(enum mfs_operation operation, int error)
{
    switch (operation) {
    case MFS_OPERATION_OPEN:
        return open_error(error);
    case MFS_OPERATION_READ:
        return SQLITE_IOERR_READ;
    case MFS_OPERATION_WRITE:
        return SQLITE_IOERR_WRITE;
    case MFS_OPERATION_TRUNCATE:
        return SQLITE_IOERR_TRUNCATE;
    case MFS_OPERATION_SIZE:
        return SQLITE_IOERR_FSTAT;
    case MFS_OPERATION_DELETE:
        if (error == MEMFS_ENOENT || error == MEMFS_ENOTDIR)
            return SQLITE_IOERR_DELETE_NOENT;
        return SQLITE_IOERR_DELETE;
    case MFS_OPERATION_CLOSE:
        return SQLITE_IOERR_CLOSE;
    case MFS_OPERATION_SYNC:
        return SQLITE_IOERR_FSYNC;
    case MFS_OPERATION_SYNC_DIRECTORY:
        return SQLITE_IOERR_DIR_FSYNC;
    case MFS_OPERATION_COUNT:
    default:
        return SQLITE_IOERR;
    }
}

int mfs_errmap(enum mfs_operation operation, int error)
{
    MFS_ASSERT(operation < MFS_OPERATION_COUNT);
    if (error >= 0)
        return SQLITE_OK;
    switch (error) {
    case MEMFS_EDQUOT:
    case MEMFS_ENOSPC:
    case MEMFS_EFBIG:
        return SQLITE_FULL;
    case MEMFS_ENOMEM:
        return operation == MFS_OPERATION_OPEN ? SQLITE_NOMEM : SQLITE_IOERR_NOMEM;
    default:
        return other_error(operation, error);
    }
}
