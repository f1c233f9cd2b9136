/*
 * Pages and nodes set aside for a change of a page table.
 *
 * A change is made in three steps: radix_plan.h adds up, exactly, what it will *need*; the stash is
 * filled with that, which may fail and then leaves nothing behind; the change (radix_edit.h) takes
 * from the stash and cannot fail.  What it did not take goes back when the stash is released.
 */
#ifndef MFS_STASH_H
#define MFS_STASH_H

#include "memory/page.h"

#include <stdbool.h>
#include <stdint.h>

struct mfs_need {
    uint64_t pages;
    uint64_t nodes;
    enum mfs_charge_from charge_from; /* which limit the change is charged against */
};

struct mfs_radix_node;

struct mfs_stash {
    struct mfs_page_list pages;
    struct mfs_radix_node *nodes; /* zeroed, linked by u.next */
    bool has_replaced;            /* set by a change that put another page, or a hole, in the place
                                     of a page: mappings of that page no longer show the file */
};

/* Fills a stash, whatever it held before is forgotten; all or nothing.  Errors: EDQUOT, ENOMEM. */
int mfs_stash_fill(struct mfs_pool *pool, const struct mfs_need *need, struct mfs_stash *stash);

/* Gives back what is left in the stash, which may be all zeros. */
void mfs_stash_release(struct mfs_pool *pool, struct mfs_stash *stash);

/* Takes a node out, as one without pages and with one reference; the plan has counted it. */
struct mfs_radix_node *mfs_stash_take_node(struct mfs_stash *stash);

#endif
