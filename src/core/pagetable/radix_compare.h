/* Where two page tables differ, found by comparing references: no page is looked at. */
#ifndef MFS_RADIX_COMPARE_H
#define MFS_RADIX_COMPARE_H

#include "pagetable/radix.h"

/*
 * The first index at or after `from` at which one tree has another page than the other, or has one
 * where the other has a hole; MFS_NO_INDEX if there is none.
 */
uint64_t mfs_radix_compare_next(const struct mfs_pool *pool, struct mfs_radix one,
                                struct mfs_radix other, uint64_t from);

#endif
