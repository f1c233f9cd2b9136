/* Arrays in charged memory that grow by doubling. */
#ifndef MFS_HOSTDIR_GROWTH_H
#define MFS_HOSTDIR_GROWTH_H

#include <memfs/storage.h>
#include <stddef.h>

/*
 * Makes room for `needed` items of `item_bytes` each in the array `*items`, which is null or has
 * room for `*capacity`.  What is in it moves along.  Errors: EDQUOT, ENOMEM; nothing has changed.
 */
int mfs_growth_reserve(memfs *fs, void **items, size_t *capacity, size_t item_bytes, size_t needed);

#endif
