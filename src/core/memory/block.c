/*
 *     | struct mfs_block, padded to the strictest alignment | the caller's bytes |
 *
 * The magic number depends on the list, so that a block of another file system
 * is told.  It is cleared when the block goes back, so that giving it back twice
 * is told as long as its memory has not been used again.
 */
#include "memory/block.h"

#include "base/num.h"

#include <string.h>

#define MAGIC 0x6d667362u
#define HEADER_BYTES \
    ((sizeof(struct mfs_block) + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1))

static uint32_t magic_of(const struct mfs_block_list *list)
{
    return MAGIC ^ (uint32_t)((uintptr_t)list >> 3);
}

int mfs_block_take(struct mfs_block_list *list, struct mfs_memory *memory,
                   enum mfs_charge_from charge_from, enum memfs_class class, size_t bytes,
                   void **out)
{
    size_t total;
    if (bytes == 0 || bytes > SIZE_MAX / 2 || !mfs_num_add_size(bytes, HEADER_BYTES, &total))
        return MEMFS_EINVAL;
    void *taken;
    int error = mfs_memory_take_as(memory, charge_from, total, class, &taken);
    if (error != 0)
        return error;
    memset(taken, 0, total);
    struct mfs_block *block = taken;
    block->bytes = total;
    block->magic = magic_of(list);
    block->class = class;
    mfs_sync_lock_exclusive(memory->lot, &list->lock);
    block->next = list->first;
    if (block->next != NULL)
        block->next->previous = block;
    list->first = block;
    list->count++;
    mfs_sync_unlock_exclusive(memory->lot, &list->lock);
    *out = (unsigned char *)taken + HEADER_BYTES;
    return 0;
}

int mfs_block_give(struct mfs_block_list *list, struct mfs_memory *memory, void *bytes)
{
    if ((uintptr_t)bytes % _Alignof(max_align_t) != 0)
        return MEMFS_EINVAL;
    struct mfs_block *block = (void *)((unsigned char *)bytes - HEADER_BYTES);
    if (block->magic != magic_of(list))
        return MEMFS_EINVAL;
    block->magic = 0;
    mfs_sync_lock_exclusive(memory->lot, &list->lock);
    if (block->previous != NULL)
        block->previous->next = block->next;
    else
        list->first = block->next;
    if (block->next != NULL)
        block->next->previous = block->previous;
    list->count--;
    mfs_sync_unlock_exclusive(memory->lot, &list->lock);
    mfs_memory_give(memory, block, block->bytes, (enum memfs_class)block->class);
    return 0;
}
