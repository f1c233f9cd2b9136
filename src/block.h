/* Memory that callers have charged to the file system, with a header that remembers its size. */
#ifndef MFS_BLOCK_H
#define MFS_BLOCK_H

#include "memory.h"

#include <stddef.h>

struct mfs_block {
    struct mfs_block *previous, *next;
    size_t bytes; /* the header included */
    uint64_t magic;
};

struct mfs_block_list {
    struct mfs_lock lock; /* a leaf */
    struct mfs_block *first;
    uint64_t count;
};

/* Zeroed, aligned for any type.  Errors: EINVAL (0, or too large to add up), EDQUOT, ENOMEM. */
int mfs_block_take(struct mfs_block_list *list, struct mfs_memory *memory, size_t bytes,
                   void **out);

/* Errors: EINVAL (no block). */
int mfs_block_give(struct mfs_block_list *list, struct mfs_memory *memory, void *bytes);

#endif
