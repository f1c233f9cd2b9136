/*
 *     taken
 *     | skip | struct mfs_block, padded to the strictest alignment | the caller's bytes |
 *
 * The magic number depends on the list, so a block of another file system is recognised.  It is
 * cleared on giving back, so a second giving back is recognised until the memory is reused.
 */
#include "memory/block.h"

#include "base/check.h"
#include "base/num.h"

#include <string.h>

#define BLOCK_MAGIC 0x6d667362u
#define STRICTEST _Alignof(max_align_t)
#define BLOCK_HEADER_BYTES ((sizeof(struct mfs_block) + STRICTEST - 1) & ~(STRICTEST - 1))
#define BLOCK_SKIP_MOST (STRICTEST - MFS_PIECE_UNIT) /* what mfs_memory_take() may be off */

static uint32_t magic_of(const struct mfs_block_list *list)
{
    return BLOCK_MAGIC ^ (uint32_t)((uintptr_t)list >> 3);
}

int mfs_block_take(struct mfs_block_list *list, struct mfs_memory *memory,
                   enum mfs_charge_from charge_from, enum memfs_class class, size_t bytes,
                   void **out)
{
    size_t total;
    if (bytes == 0 || bytes > SIZE_MAX / 2 ||
        !mfs_num_add_size(bytes, BLOCK_HEADER_BYTES + BLOCK_SKIP_MOST, &total))
        return MEMFS_EINVAL;
    void *taken;
    int error = mfs_memory_take_as(memory, charge_from, total, class, &taken);
    if (error != 0)
        return error;
    size_t skip = (size_t)(-(uintptr_t)taken & (STRICTEST - 1));
    MFS_CHECK(skip <= BLOCK_SKIP_MOST);
    struct mfs_block *block = (void *)((unsigned char *)taken + skip);
    memset(block, 0, BLOCK_HEADER_BYTES + bytes);
    block->bytes = total;
    block->magic = magic_of(list);
    block->class = (uint8_t) class;
    block->skip_bytes = (uint8_t)skip;
    mfs_sync_lock_exclusive(memory->lot, &list->lock);
    mfs_list_add(&list->held, &block->link);
    mfs_sync_unlock_exclusive(memory->lot, &list->lock);
    *out = (unsigned char *)block + BLOCK_HEADER_BYTES;
    return 0;
}

size_t mfs_block_cost(const struct mfs_memory *memory, const struct mfs_block *block)
{
    return mfs_memory_cost_of(memory, (const unsigned char *)block - block->skip_bytes,
                              block->bytes, (enum memfs_class)block->class);
}

static void give_taken(struct mfs_memory *memory, struct mfs_block *block)
{
    void *taken = (unsigned char *)block - block->skip_bytes;
    block->magic = 0;
    mfs_memory_give(memory, taken, block->bytes, (enum memfs_class)block->class);
}

int mfs_block_give(struct mfs_block_list *list, struct mfs_memory *memory, void *bytes)
{
    if ((uintptr_t)bytes % STRICTEST != 0)
        return MEMFS_EINVAL;
    struct mfs_block *block = (void *)((unsigned char *)bytes - BLOCK_HEADER_BYTES);
    if (block->magic != magic_of(list))
        return MEMFS_EINVAL;
    mfs_sync_lock_exclusive(memory->lot, &list->lock);
    mfs_list_remove(&list->held, &block->link);
    mfs_sync_unlock_exclusive(memory->lot, &list->lock);
    give_taken(memory, block);
    return 0;
}

void mfs_block_give_all(struct mfs_block_list *list, struct mfs_memory *memory)
{
    while (list->held.first != NULL) {
        struct mfs_block *block = MFS_LIST_ENTRY(list->held.first, struct mfs_block, link);
        mfs_list_remove(&list->held, &block->link);
        give_taken(memory, block);
    }
}
