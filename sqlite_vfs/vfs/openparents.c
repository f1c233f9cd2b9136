/*
 * Opening with parents made on the way: mfs_parents_run() for operations that speak SQLite's
 * codes.
 *
 * 1. SQLITE_CANTOPEN is the only code that can mean "a directory is missing" (base/errmap.c makes
 *    it of MEMFS_ENOENT); with every other code the parents that were made are removed.
 * 2. The code of the last attempt is the answer, unless a directory was refused in between: then
 *    the reason is the quota or the allocator, and SQLITE_CANTOPEN would hide it.
 */
#include "vfs/openparents.h"

#include "base/assertion.h"
#include "base/lasterror.h"
#include "base/sqliteapi.h"
#include "names/parents.h"

struct parents_attempt {
    mfs_openparents_attempt attempt;
    void *context;
    int rc; /* of the last attempt */
};

static int attempt_to_open(memfs *fs, void *context)
{
    struct parents_attempt *attempt = context;
    (void)fs;
    attempt->rc = attempt->attempt(attempt->context);
    if (attempt->rc == SQLITE_OK)
        return 0;
    return attempt->rc == SQLITE_CANTOPEN ? MEMFS_ENOENT : MEMFS_EIO;
}

int mfs_openparents_run(memfs *fs, const char *path, mfs_openparents_attempt attempt, void *context)
{
    struct parents_attempt attempts = {attempt, context, SQLITE_OK};
    int error = mfs_parents_run(fs, path, attempt_to_open, &attempts);
    if (attempts.rc == SQLITE_CANTOPEN && error != MEMFS_ENOENT)
        return mfs_lasterror_code(MFS_OPERATION_OPEN, error);
    MFS_ASSERT((error == 0) == (attempts.rc == SQLITE_OK));
    return attempts.rc;
}
