/* Memory that callers hold, charged, with a header that remembers what it is and whose. */
#ifndef MFS_BLOCK_H
#define MFS_BLOCK_H

#include "memory/memory.h"

#include <stddef.h>

struct mfs_block {
    struct mfs_block *previous, *next;
    size_t bytes; /* the header included */
    uint32_t magic;
    uint32_t class; /* enum memfs_class */
};

struct mfs_block_list {
    struct mfs_lock lock; /* a leaf */
    struct mfs_block *first;
    uint64_t count;
};

/* Zeroed, aligned for any type.  Errors: EINVAL (0, or too large to add up), EDQUOT, ENOMEM. */
int mfs_block_take(struct mfs_block_list *list, struct mfs_memory *memory,
                   enum mfs_charge_from charge_from, enum memfs_class class, size_t bytes,
                   void **out);

/* Errors: EINVAL (no block, or of another list). */
int mfs_block_give(struct mfs_block_list *list, struct mfs_memory *memory, void *bytes);

#endif
