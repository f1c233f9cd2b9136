/* Whole-file locks. */
#include "instance/fs.h"

int memfs_lock(memfs_file *file, int kind, int64_t timeout_ms)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, MFS_ANY_ACCESS, &node);
    if (error != 0)
        return error;
    if (kind != MEMFS_LOCK_SHARED && kind != MEMFS_LOCK_EXCLUSIVE)
        return MEMFS_EINVAL;
    enum mfs_held wanted = kind == MEMFS_LOCK_SHARED ? MFS_HELD_SHARED : MFS_HELD_EXCLUSIVE;
    error = mfs_filelock_change(file->fs->lot, file->node, &file->held, wanted, timeout_ms);
    if (error == 0)
        mfs_fs_wait_for_earlier_lookups(file->fs, file->node);
    return error;
}

int memfs_unlock(memfs_file *file)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, MFS_ANY_ACCESS, &node);
    if (error == 0)
        mfs_filelock_release(file->fs->lot, file->node, &file->held);
    return error;
}
