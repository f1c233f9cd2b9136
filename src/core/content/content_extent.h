/*
 * Which parts of a content have storage: cutting, growing, allocating, punching.  None of these
 * brings bytes of its own; all that appears reads as zeros.
 */
#ifndef MFS_CONTENT_EXTENT_H
#define MFS_CONTENT_EXTENT_H

#include "content/content.h"

/*
 * Cuts off what lies behind `size`.  What is preallocated stays, zeroed, but only up to the first
 * hole in it: there the preallocation then ends.  Cannot fail.
 */
void mfs_content_extent_cut(struct mfs_pool *pool, struct mfs_content *content, uint64_t size);

/* Prepares for the size to become larger, by any amount.  Errors: EDQUOT, ENOMEM. */
int mfs_content_extent_grow(const struct mfs_content_edit *edit);

/* Makes writing to the range later need no memory; the bytes stay.  Errors: EDQUOT, ENOMEM. */
int mfs_content_extent_allocate(const struct mfs_content_edit *edit, uint64_t offset,
                                uint64_t length);

/*
 * Makes the range read as zeros and frees its whole pages; a preallocation ends where the range
 * begins.  Errors: EDQUOT, ENOMEM (where pages or nodes are shared).
 */
int mfs_content_extent_punch(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length);

/* The page with `offset`, pinned; made if there is none.  Errors: EDQUOT, ENOMEM. */
int mfs_content_extent_pin(const struct mfs_content_edit *edit, uint64_t offset, mfs_page *out);

#endif
