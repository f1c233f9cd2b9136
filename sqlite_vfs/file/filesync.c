/* Cost: without a test that observes, xSync checks a handle, and the other does nothing. */
#include "file/filesync.h"

#include "base/assertion.h"
#include "base/lasterror.h"

#include <memfs/fault.h>

#include <string.h>

int mfs_filesync(struct mfs_file *file)
{
    return mfs_lasterror_code(MFS_OPERATION_SYNC, memfs_fsync(file->bytes.file));
}

int mfs_filesync_parent(memfs *fs, const char *path)
{
    char parent[MEMFS_PATH_MAX];
    if (memfs_is_observed(fs) == 0)
        return SQLITE_OK;
    const char *slash = strrchr(path, '/');
    MFS_ASSERT(slash != NULL && strlen(path) < sizeof parent);
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    memcpy(parent, path, length);
    parent[length] = '\0';
    return mfs_lasterror_code(MFS_OPERATION_SYNC_DIRECTORY, memfs_sync(fs, parent));
}
