/*
 * A node is marked by the highest bit of its count of pages, which no real count reaches; a page is
 * marked in its own count (page.h).  Unmarking goes only where marks are, so every shared part is
 * walked once, both times.
 *
 * Cost: a walk over all nodes and pages of the trees; no memory.
 */
#include "pagetable/radix_tally.h"

#include "base/check.h"
#include "pagetable/radix_node.h"
#include "pagetable/radix_visit.h"

static uint64_t node_mark(unsigned level)
{
    return (uint64_t)1 << (level == 1 ? 31 : 63);
}

static uint64_t unmarked_pages(uintptr_t slot, unsigned level)
{
    return mfs_radix_node_pages(slot, level) & ~node_mark(level);
}

static bool node_is_marked(uintptr_t slot, unsigned level)
{
    return (mfs_radix_node_pages(slot, level) & node_mark(level)) != 0;
}

static void tally_page(const struct mfs_pool *pool, mfs_page page, struct mfs_tally *tally)
{
    tally->page_visits++;
    MFS_CHECK(page != 0);
    if (mfs_page_mark(pool, page)) {
        tally->pages++;
        tally->page_references += mfs_page_references(pool, page);
    }
}

/* The pages of a leaf; returns their number. */
static uint64_t tally_leaf(const struct mfs_pool *pool, const struct mfs_radix_node *leaf,
                           struct mfs_tally *tally)
{
    const struct mfs_radix_node *twin = atomic_load(&leaf->of.twin);
    uint64_t pages = 0;
    MFS_CHECK(twin == NULL || atomic_load(&twin->of.twin) == leaf);
    for (size_t i = 0; i < mfs_radix_node_fan(pool); i++) {
        if (leaf->slots[i] == 0)
            continue;
        pages++;
        /* Twins have one reference together, so only one of them counts as a visit. */
        if (twin == NULL || twin->slots[i] != leaf->slots[i] || leaf < twin)
            tally_page(pool, leaf->slots[i], tally);
    }
    return pages;
}

/* What is being counted. */
struct counting {
    const struct mfs_pool *pool;
    struct mfs_tally *tally;
};

/* Counts a node that was not visited before, and compares its count with those below it. */
static bool enter_tallied(void *context, struct mfs_radix_node *node, unsigned level)
{
    const struct counting *count = context;
    struct mfs_tally *tally = count->tally;
    uintptr_t slot = (uintptr_t)node;
    tally->node_visits++;
    if (node_is_marked(slot, level))
        return false;
    uint64_t pages = level == 1 ? tally_leaf(count->pool, node, tally) : 0;
    for (size_t i = 0; level > 1 && i < mfs_radix_node_fan(count->pool); i++)
        if (node->slots[i] != 0)
            pages += unmarked_pages(node->slots[i], level - 1);
    if (pages != unmarked_pages(slot, level) || pages == 0)
        tally->is_valid = false;
    tally->nodes++;
    tally->node_references += atomic_load(&node->u.held.references);
    mfs_radix_node_set_pages(node, level, pages | node_mark(level));
    return true;
}

void mfs_radix_tally(const struct mfs_pool *pool, struct mfs_radix tree, struct mfs_tally *tally)
{
    struct counting count = {pool, tally};
    const struct mfs_radix_visitor visitor = {enter_tallied, NULL, &count};
    if (tree.root == 0 && tree.height != 0)
        tally->is_valid = false;
    else if (tree.height != 0)
        mfs_radix_visit(pool, tree.root, tree.height, &visitor);
    else if (tree.root != 0)
        tally_page(pool, tree.root, tally);
}

static bool enter_unmarked(void *context, struct mfs_radix_node *node, unsigned level)
{
    const struct counting *count = context;
    if (!node_is_marked((uintptr_t)node, level))
        return false;
    mfs_radix_node_set_pages(node, level, unmarked_pages((uintptr_t)node, level));
    for (size_t i = 0; level == 1 && i < mfs_radix_node_fan(count->pool); i++)
        if (node->slots[i] != 0)
            mfs_page_unmark(count->pool, node->slots[i]);
    return true;
}

void mfs_radix_tally_unmark(const struct mfs_pool *pool, struct mfs_radix tree)
{
    struct counting count = {.pool = pool};
    const struct mfs_radix_visitor visitor = {enter_unmarked, NULL, &count};
    if (tree.root != 0 && tree.height == 0)
        mfs_page_unmark(pool, tree.root);
    else
        mfs_radix_visit(pool, tree.root, tree.height, &visitor);
}
