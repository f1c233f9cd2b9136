/* What a handle may do with its file beyond its flags: hold it private, use the reserve. */
#include "api/hold.h"

#include "base/check.h"

#include <memfs/storage.h>

void mfs_hold_set_private(memfs_file *file, struct mfs_file_node *node, bool wanted)
{
    struct mfs_lot *lot = file->fs->lot;
    MFS_CHECK(file->node == &node->node);
    mfs_sync_lock_exclusive(lot, &file->lock);
    /* Under the node's lock, so that no copy is half way between asking and sharing. */
    mfs_sync_lock_exclusive(lot, &node->node.lock);
    if (wanted && !file->holds_private) {
        (void)atomic_fetch_add_explicit(&node->private_holders, 1, memory_order_relaxed);
    } else if (!wanted && file->holds_private) {
        uint32_t before = atomic_fetch_sub_explicit(&node->private_holders, 1,
                                                    memory_order_relaxed);
        MFS_CHECK(before > 0);
    }
    file->holds_private = wanted;
    mfs_sync_unlock_exclusive(lot, &node->node.lock);
    mfs_sync_unlock_exclusive(lot, &file->lock);
}

int memfs_hold_private(memfs_file *file, int on)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, MFS_ANY_ACCESS, &node);
    if (error == 0)
        mfs_hold_set_private(file, node, on != 0);
    return error;
}

int memfs_use_emergency_reserve(memfs_file *file, int use)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, MFS_ANY_ACCESS, &node);
    if (error != 0)
        return error;
    if (use < MEMFS_EMERGENCY_UNUSED || use > MEMFS_EMERGENCY_WRITING)
        return MEMFS_EINVAL;
    atomic_store_explicit(&file->reserve_use, (uint8_t)use, memory_order_relaxed);
    return 0;
}
