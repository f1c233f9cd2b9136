/* Closing allocates nothing and cannot fail. */
#include "api/closing.h"

#include "api/hold.h"
#include "base/check.h"

void mfs_closing_drop_handle(memfs *fs, memfs_file *file)
{
    file->magic = MFS_CLOSED_MAGIC;
    if (file->is_lent)
        return;
    if (fs->memory->is_unpooled || !mfs_handle_keep_spare(&fs->handles, file))
        mfs_memory_give(fs->memory, mfs_handle_block(file), mfs_handle_block_bytes(file),
                        MEMFS_CLASS_HANDLES);
}

void mfs_closing_file(memfs_file *file)
{
    MFS_CHECK(mfs_sync_is_marked(file->magic, MFS_FILE_MAGIC));
    memfs *fs = file->fs;
    struct mfs_node *node = file->node;
    if (file->held != MFS_HELD_NOTHING)
        mfs_filelock_release(fs->lot, node, &file->held);
    if (file->holds_private)
        mfs_hold_set_private(file, mfs_node_as_file(node), false);
    mfs_handle_remove_file(&fs->handles, fs->lot, file);
    mfs_closing_drop_handle(fs, file);
    mfs_node_release(&fs->nodes, node);
}

void mfs_closing_dir(memfs_dir *dir)
{
    MFS_CHECK(mfs_sync_is_marked(dir->magic, MFS_DIR_MAGIC));
    memfs *fs = dir->fs;
    struct mfs_node *node = &dir->node->node;
    mfs_handle_remove_dir(&fs->handles, fs->lot, dir);
    dir->magic = MFS_CLOSED_MAGIC;
    if (!dir->is_lent)
        mfs_memory_give(fs->memory, dir, sizeof *dir, MEMFS_CLASS_HANDLES);
    mfs_node_release(&fs->nodes, node);
}

int memfs_close(memfs_file *file)
{
    if (file == NULL || !mfs_sync_is_marked(file->magic, MFS_FILE_MAGIC))
        return MEMFS_EBADF;
    mfs_closing_file(file);
    return 0;
}

int memfs_closedir(memfs_dir *dir)
{
    if (dir == NULL || !mfs_sync_is_marked(dir->magic, MFS_DIR_MAGIC))
        return MEMFS_EBADF;
    mfs_closing_dir(dir);
    return 0;
}
