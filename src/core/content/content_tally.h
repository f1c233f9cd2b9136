/* The audit's recount of contents; see pagetable/radix_tally.h for its rules. */
#ifndef MFS_CONTENT_TALLY_H
#define MFS_CONTENT_TALLY_H

#include "content/content.h"
#include "pagetable/radix_tally.h"

/* Adds the content; a short that was not marked yet adds its cost to `*short_bytes`. */
void mfs_content_tally(const struct mfs_pool *pool, const struct mfs_content *content,
                       struct mfs_tally *tally, uint64_t *short_bytes);
void mfs_content_tally_unmark(const struct mfs_pool *pool, const struct mfs_content *content);

#endif
