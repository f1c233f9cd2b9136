/* Memory that callers hold, charged, with a header that remembers what it is and whose. */
#ifndef MFS_BLOCK_H
#define MFS_BLOCK_H

#include "base/list.h"
#include "memory/memory.h"

#include <stddef.h>

struct mfs_block {
    struct mfs_link link;
    size_t bytes; /* that were taken for it, the header included */
    uint32_t magic;
    uint8_t class;      /* enum memfs_class */
    uint8_t skip_bytes; /* before the header, so that the caller's bytes are aligned */
};

struct mfs_block_list {
    struct mfs_lock lock; /* a leaf */
    struct mfs_list held; /* of struct mfs_block */
};

/* Zeroed, aligned for any type.  Errors: EINVAL (0, or too large to add up), EDQUOT, ENOMEM. */
int mfs_block_take(struct mfs_block_list *list, struct mfs_memory *memory,
                   enum mfs_charge_from charge_from, enum memfs_class class, size_t bytes,
                   void **out);

/* Errors: EINVAL (no block, or of another list). */
int mfs_block_give(struct mfs_block_list *list, struct mfs_memory *memory, void *bytes);

/* Gives back all that is left.  Nobody else may use the list. */
void mfs_block_give_all(struct mfs_block_list *list, struct mfs_memory *memory);

/* What a block costs. */
size_t mfs_block_cost(const struct mfs_memory *memory, const struct mfs_block *block);

#endif
