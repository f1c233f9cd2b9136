/*
 *     | struct mfs_block, padded to the strictest alignment | the caller's bytes |
 *
 * The magic number is cleared when the block goes back, so that giving it back
 * twice is told as long as its memory has not been used again.
 */
#include "block.h"

#include "num.h"

#include <string.h>

#define MAGIC 0x6d6673626c6f636bu
#define HEADER_BYTES \
    ((sizeof(struct mfs_block) + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1))

int mfs_block_take(struct mfs_block_list *list, struct mfs_memory *memory, size_t bytes, void **out)
{
    size_t total;
    if (bytes == 0 || !mfs_add_size(bytes, HEADER_BYTES, &total))
        return MEMFS_EINVAL;
    void *taken;
    int error = mfs_memory_take(memory, total, MEMFS_CLASS_SHARED, &taken);
    if (error != 0)
        return error;
    memset(taken, 0, total);
    struct mfs_block *block = taken;
    block->bytes = total;
    block->magic = MAGIC;
    mfs_lock_exclusive(memory->lot, &list->lock);
    block->next = list->first;
    if (block->next != NULL)
        block->next->previous = block;
    list->first = block;
    list->count++;
    mfs_unlock_exclusive(memory->lot, &list->lock);
    *out = (unsigned char *)taken + HEADER_BYTES;
    return 0;
}

int mfs_block_give(struct mfs_block_list *list, struct mfs_memory *memory, void *bytes)
{
    if ((uintptr_t)bytes % _Alignof(max_align_t) != 0)
        return MEMFS_EINVAL;
    struct mfs_block *block = (void *)((unsigned char *)bytes - HEADER_BYTES);
    if (block->magic != MAGIC)
        return MEMFS_EINVAL;
    block->magic = 0;
    mfs_lock_exclusive(memory->lot, &list->lock);
    if (block->previous != NULL)
        block->previous->next = block->next;
    else
        list->first = block->next;
    if (block->next != NULL)
        block->next->previous = block->previous;
    list->count--;
    mfs_unlock_exclusive(memory->lot, &list->lock);
    mfs_memory_give(memory, block, block->bytes, MEMFS_CLASS_SHARED);
    return 0;
}
