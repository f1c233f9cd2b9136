/*
 * A file's page table: a radix tree whose leaves are pages.
 *
 *     height 0: the root is page 0 itself
 *     height h: the root is a node; its slots are trees of height h - 1
 *
 * Nodes and pages have reference counts, so trees share parts: a clone is one
 * more reference to a root.  What is reached through a count above one, at any
 * level, is never written; a writer takes a private copy of each such node on
 * its way down (path copying).  An absent page is a hole; an absent node is a
 * hole of all that it would cover.
 *
 * Running example, four slots a node, pages 1, 2 and 6 present, height 2:
 *
 *            [ * * - - ]            3 pages
 *              |  \
 *     [ - 1 2 - ]  [ - - 6 - ]      2 and 1
 *
 * Changing a tree takes three steps: *plan* counts the pages and nodes that
 * will be needed, exactly; the stash is filled with them, which may fail; the
 * change takes from the stash and cannot fail.
 *
 * Threads: the holder of a tree guards it with a lock of its own.  A tree that
 * nobody writes (a reference to a root that is kept for reading) needs none.
 */
#ifndef MFS_RADIX_H
#define MFS_RADIX_H

#include "memory/page.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define MFS_NO_INDEX UINT64_MAX

struct mfs_radix {
    uintptr_t root; /* 0: no page at all; a mfs_page at height 0, else a node */
    uint8_t height; /* 0 if the root is 0 */
};

/* Stands for a page that will be there, private, when the plan is carried out. */
#define MFS_PAGE_PROMISED ((uintptr_t)1)

struct mfs_need {
    uint64_t pages;
    uint64_t nodes;
    enum mfs_charge_from charge_from; /* of who needs them */
};

struct mfs_radix_node;

struct mfs_stash {
    struct mfs_page_list pages;
    struct mfs_radix_node *nodes;
    bool has_replaced; /* set by a change that put another page, or a hole, in a page's place */
};

/* Fills an empty stash; all or nothing.  Errors: EDQUOT, ENOMEM. */
int mfs_radix_stash_fill(struct mfs_pool *pool, const struct mfs_need *need,
                         struct mfs_stash *stash);
void mfs_radix_stash_release(struct mfs_pool *pool, struct mfs_stash *stash);

/* The page at `index`, or 0. */
mfs_page mfs_radix_find(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t index);

/* The same, but 0 also if the page or the way to it is shared. */
mfs_page mfs_radix_find_exclusive(struct mfs_pool *pool, struct mfs_radix tree, uint64_t index);

/* Adds to `need` what mfs_radix_own() on each index of first .. last will take. */
void mfs_radix_plan_own(struct mfs_pool *pool, struct mfs_radix tree, uint64_t first, uint64_t last,
                        struct mfs_need *need);

/*
 * Makes the page at `index` private and returns it.  The bytes `from` .. `to` of it are about to
 * be overwritten, and uncertain; the others stay as they are, or are zeros where there was a hole.
 */
mfs_page mfs_radix_own(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t index, size_t from,
                       size_t to, struct mfs_stash *stash);

/* The same with a plan of its own; all or nothing.  The stash is all zeros, and only tells
 * afterwards what was replaced.  Errors: EDQUOT, ENOMEM. */
int mfs_radix_own_one(struct mfs_pool *pool, enum mfs_charge_from charge_from,
                      struct mfs_radix *tree, uint64_t index, size_t from, size_t to,
                      struct mfs_stash *stash, mfs_page *out);

/* Adds to `need` what mfs_radix_drop() will take: nothing unless nodes are shared. */
void mfs_radix_plan_drop(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t first,
                         uint64_t last, struct mfs_need *need);

/* Makes holes of the pages first .. last, and the tree as low as it can be. */
void mfs_radix_drop(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t first, uint64_t last,
                    struct mfs_stash *stash);

/* One more holder of the tree, and one less. */
void mfs_radix_retain(struct mfs_pool *pool, struct mfs_radix tree);
void mfs_radix_release(struct mfs_pool *pool, struct mfs_radix tree);

/* The number of pages below `end`. */
uint64_t mfs_radix_count(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t end);

/* The number of nodes, shared ones included. */
uint64_t mfs_radix_count_nodes(const struct mfs_pool *pool, struct mfs_radix tree);

/* The bytes that one node costs. */
size_t mfs_radix_node_cost(const struct mfs_pool *pool);

/* The first index at or after `from` that has a page, or MFS_NO_INDEX. */
uint64_t mfs_radix_next_page(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t from);

/* The first index at or after `from` that has none. */
uint64_t mfs_radix_next_hole(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t from);

/*
 * For the audit: adds up what a tree consists of.  Parts that are shared with a
 * tree that was tallied before are marked, and add a visit only.  If every
 * holder was tallied, visits and references are equal.
 */
struct mfs_tally {
    uint64_t nodes, node_visits, node_references;
    uint64_t pages, page_visits, page_references;
    bool is_valid; /* set it first; cleared where a count is wrong */
};

void mfs_radix_tally(const struct mfs_pool *pool, struct mfs_radix tree, struct mfs_tally *tally);
void mfs_radix_unmark(const struct mfs_pool *pool, struct mfs_radix tree);

/* ------------------------------------- for radix.c and radix_figures.c alone */

/*
 * Twins: a node of leaves that was copied, and its copy, with one reference to a page for both
 * as long as they have it in the same slot.  Such a page is not private to either.  Copying a
 * node, writing a page or two and letting the old one go, as a transaction does that can be
 * undone, thus counts two pages and not all of them twice.
 *
 *     old  [ 1 2 3 - ]            old  [ 1 2 3 - ]  keeps 2's reference
 *     copy [ 1 2 3 - ]      =>    copy [ 1 9 3 - ]  has a new page 9
 *
 * Who goes first gives back what only he has; the other is then without a twin.  The pool's
 * `twins` lock guards the slots of both, and the link.  A node that is copied while it has a twin
 * is copied with references of its own.
 */
struct mfs_radix_node {
    union {
        struct {
            _Atomic uint32_t references;
            uint32_t filled; /* of leaves: the pages */
        } held;
        struct mfs_radix_node *next; /* while in a stash */
    } u;
    union {
        uint64_t pages;                        /* of nodes: those below */
        _Atomic(struct mfs_radix_node *) twin; /* of leaves; set by who owns the node alone */
    } of;
    uintptr_t slots[];
};

static inline struct mfs_radix_node *mfs_radix_node(uintptr_t slot)
{
    return (struct mfs_radix_node *)slot; /* NOLINT(performance-no-int-to-ptr) */
}

static inline size_t mfs_radix_fan(const struct mfs_pool *pool)
{
    return (size_t)1 << pool->fan_shift;
}

/* The number of pages that a tree of this height can have. */
static inline uint64_t mfs_radix_span(const struct mfs_pool *pool, unsigned height)
{
    return (uint64_t)1 << (pool->fan_shift * height);
}

static inline size_t mfs_radix_slot(const struct mfs_pool *pool, unsigned level, uint64_t index)
{
    return (size_t)(index >> (pool->fan_shift * (level - 1))) & (mfs_radix_fan(pool) - 1);
}

/* The pages below a slot. */
static inline uint64_t mfs_radix_pages(uintptr_t slot, unsigned level)
{
    if (slot == 0)
        return 0;
    if (level == 0)
        return 1;
    return level == 1 ? mfs_radix_node(slot)->u.held.filled : mfs_radix_node(slot)->of.pages;
}

static inline void mfs_radix_set_pages(struct mfs_radix_node *node, unsigned level, uint64_t pages)
{
    if (level == 1)
        node->u.held.filled = (uint32_t)pages;
    else
        node->of.pages = pages;
}

#endif
