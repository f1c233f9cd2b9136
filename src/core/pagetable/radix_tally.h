/*
 * The audit's recount of page tables: adds up what trees consist of.  Parts that are shared with a
 * tree that was tallied before are marked, and add a visit only.  Once every holder's tree was
 * tallied, visits and references are equal.
 *
 * Threads: nothing else uses the trees meanwhile, from the first tally to the last unmarking, since
 * the marks stand in the counts themselves.
 */
#ifndef MFS_RADIX_TALLY_H
#define MFS_RADIX_TALLY_H

#include "pagetable/radix.h"

struct mfs_tally {
    uint64_t nodes, node_visits, node_references;
    uint64_t pages, page_visits, page_references;
    bool is_valid; /* set it first; cleared where a node's count of pages is wrong */
};

void mfs_radix_tally(const struct mfs_pool *pool, struct mfs_radix tree, struct mfs_tally *tally);
void mfs_radix_tally_unmark(const struct mfs_pool *pool, struct mfs_radix tree);

#endif
