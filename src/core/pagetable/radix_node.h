/*
 * The nodes that page tables consist of.  For the modules of this room alone: other rooms see
 * a page table through radix.h and the modules above it.
 *
 * A node of level 1 is a *leaf*: its slots are pages.  The slots of a node of level n > 1 are nodes
 * of level n - 1.  A slot of 0 is a hole, of all the pages that it would cover.
 *
 * A slot does not say whether it is a page or a node, so all functions here are told the level.
 */
#ifndef MFS_RADIX_NODE_H
#define MFS_RADIX_NODE_H

#include "base/check.h"
#include "base/num.h"
#include "memory/memory.h"
#include "memory/page.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * No tree is higher.  The smallest pages have 2^8 bytes and nodes of 2^3 slots, so that a file of
 * 2^63 bytes has 2^55 pages, and those need 55 / 3 levels, rounded up.  With pages of 4096 bytes
 * and 64 slots 9 levels are enough.  Nothing in this room is recursive: where a way from the root
 * must be remembered, it is in an array of this length.
 */
#define MFS_RADIX_NODE_LEVELS_MAX 19u

struct mfs_radix_node {
    union {
        struct {
            _Atomic uint32_t references;
            uint32_t filled; /* of leaves: the pages */
        } held;
        struct mfs_radix_node *next; /* while in a stash */
    } u;
    union {
        uint64_t pages;                        /* of other nodes: the pages below */
        _Atomic(struct mfs_radix_node *) twin; /* of leaves, or null; see twins.h */
    } of;
    uintptr_t slots[];
};

static inline struct mfs_radix_node *mfs_radix_node(uintptr_t slot)
{
    return (struct mfs_radix_node *)slot; /* NOLINT(performance-no-int-to-ptr) */
}

/*
 * The number of slots of a node.  The pool keeps its logarithm, though pages do not need it: like
 * the pool's other figures it follows from the page size and is the same for the whole file system,
 * and every function of this room is given the pool anyway.
 */
static inline size_t mfs_radix_node_fan(const struct mfs_pool *pool)
{
    return (size_t)1 << pool->fan_shift;
}

static inline size_t mfs_radix_node_bytes(const struct mfs_pool *pool)
{
    return offsetof(struct mfs_radix_node, slots) + mfs_radix_node_fan(pool) * sizeof(uintptr_t);
}

/* The number of pages that a slot of this level can have below it. */
static inline uint64_t mfs_radix_node_span(const struct mfs_pool *pool, unsigned level)
{
    MFS_CHECK(level <= MFS_RADIX_NODE_LEVELS_MAX && pool->fan_shift * level < 64);
    return (uint64_t)1 << (pool->fan_shift * level);
}

/* How high a tree with a page at `index` is at least. */
static inline unsigned mfs_radix_node_height(const struct mfs_pool *pool, uint64_t index)
{
    unsigned height = 0;
    while (index >= mfs_radix_node_span(pool, height))
        height++;
    return height;
}

/* Which slot of a node of this level leads to the page `index`. */
static inline size_t mfs_radix_node_slot(const struct mfs_pool *pool, unsigned level,
                                         uint64_t index)
{
    MFS_CHECK(level > 0 && level <= MFS_RADIX_NODE_LEVELS_MAX);
    return (size_t)(index >> (pool->fan_shift * (level - 1))) & (mfs_radix_node_fan(pool) - 1);
}

/* The pages below a slot of this level. */
static inline uint64_t mfs_radix_node_pages(uintptr_t slot, unsigned level)
{
    if (slot == 0)
        return 0;
    if (level == 0)
        return 1;
    return level == 1 ? mfs_radix_node(slot)->u.held.filled : mfs_radix_node(slot)->of.pages;
}

static inline void mfs_radix_node_set_pages(struct mfs_radix_node *node, unsigned level,
                                            uint64_t pages)
{
    MFS_CHECK(level > 1 || (level == 1 && pages <= UINT32_MAX));
    if (level == 1)
        node->u.held.filled = (uint32_t)pages;
    else
        node->of.pages = pages;
}

/*
 * Whether only one slot, or one tree, refers to the node.  If the caller owns that slot alone, the
 * answer stays true: another reference could only be made through the caller's slot.
 */
static inline bool mfs_radix_node_is_exclusive(const struct mfs_radix_node *node)
{
    return atomic_load_explicit(&node->u.held.references, memory_order_acquire) == 1;
}

static inline void mfs_radix_node_free(struct mfs_pool *pool, struct mfs_radix_node *node)
{
    mfs_memory_give(pool->memory, node, mfs_radix_node_bytes(pool), MEMFS_CLASS_TABLES);
}

/* Pages, counted from the first one that a slot covers. */
struct mfs_radix_range {
    uint64_t first, last;
};

static inline bool mfs_radix_node_is_covered(const struct mfs_pool *pool, unsigned level,
                                             struct mfs_radix_range range)
{
    return range.first == 0 && range.last >= mfs_radix_node_span(pool, level) - 1;
}

/* What of a range over a node of this level concerns its slot `i`, which the range meets. */
static inline struct mfs_radix_range mfs_radix_node_clip(const struct mfs_pool *pool,
                                                         unsigned level, size_t i,
                                                         struct mfs_radix_range range)
{
    uint64_t span = mfs_radix_node_span(pool, level - 1);
    uint64_t start = i * span;
    MFS_CHECK(range.first < start + span && start <= range.last);
    return (struct mfs_radix_range){mfs_num_sub_saturating(range.first, start),
                                    mfs_num_min_u64(range.last - start, span - 1)};
}

/* Where the page of an index is, or would be: in a slot of a leaf, or the root itself. */
struct mfs_radix_leaf {
    struct mfs_radix_node *node; /* null: the page is the root */
    size_t i;
    mfs_page page; /* 0: a hole */
};

/* Finds that place, if all nodes on the way are there and exclusive. */
static inline bool mfs_radix_node_find_leaf(const struct mfs_pool *pool, uintptr_t root,
                                            unsigned height, uint64_t index,
                                            struct mfs_radix_leaf *out)
{
    if (index >= mfs_radix_node_span(pool, height))
        return false;
    struct mfs_radix_leaf leaf = {NULL, 0, root};
    for (unsigned level = height; level > 0; level--) {
        leaf.node = mfs_radix_node(leaf.page);
        if (leaf.node == NULL || !mfs_radix_node_is_exclusive(leaf.node))
            return false;
        leaf.i = mfs_radix_node_slot(pool, level, index);
        leaf.page = leaf.node->slots[leaf.i];
    }
    *out = leaf;
    return true;
}

#endif
