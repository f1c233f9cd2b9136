/* What the exported functions share. */
#include "fs.h"

void mfs_log(const memfs *fs, enum memfs_log_level level, const char *message)
{
    if (fs->log != NULL)
        fs->log(fs->log_context, (int)level, message);
}

int mfs_fs_start(const memfs *fs, const memfs_dir *at, struct mfs_dir_node **out)
{
    *out = NULL;
    if (at == NULL)
        return 0;
    if (at->magic != MFS_DIR_MAGIC)
        return MEMFS_EBADF;
    if (at->fs != fs)
        return MEMFS_EXDEV;
    *out = at->node;
    return 0;
}

void mfs_fs_settle_lock(memfs *fs, struct mfs_node *node)
{
    mfs_lock_shared(&fs->lot, &fs->tree.lock);
    mfs_unlock_shared(&fs->lot, &fs->tree.lock);
    mfs_lock_shared(&fs->lot, &node->lock);
    mfs_unlock_shared(&fs->lot, &node->lock);
}
