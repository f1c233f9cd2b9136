/*
 * 1. Whatever is in a stash is charged, so taking from it cannot be refused.
 * 2. A filled stash has exactly what was needed.
 *
 * Cost: one call of the allocator for each node, one for all pages that are missing from the slabs.
 */
#include "pagetable/stash.h"

#include "base/check.h"
#include "base/num.h"
#include "memory/memory.h"
#include "memory/refusal.h"
#include "pagetable/radix_node.h"

#include <string.h>

/*
 * A refusal's figures are those of all that was needed, not of the node or the pages at which there
 * was no more.  The stash is empty by then, or has given back what it took.
 */
static int explain_refusal(struct mfs_pool *pool, const struct mfs_need *need, int error)
{
    uint64_t cost = mfs_memory_cost(pool->memory, mfs_radix_node_bytes(pool));
    uint64_t pages = need->pages, others = 0, wanted, available;
    if (pool->memory->is_unpooled)
        others = mfs_num_mul_saturating(need->nodes, cost);
    else if (need->nodes != 0)
        pages = mfs_num_add_saturating(pages,
                                       (need->nodes - 1) / (mfs_piece_area(pool) / cost) + 1);
    mfs_pool_explain(pool, need->charge_from, pages, &wanted, &available);
    wanted = mfs_num_add_saturating(wanted, others);
    /* Pages that came free meanwhile may be enough now. */
    if (error == MEMFS_EDQUOT)
        wanted = mfs_num_max_u64(wanted, mfs_num_add_saturating(available, 1));
    return mfs_refusal_record(error, wanted, available, atomic_load(&pool->memory->ledger.limit));
}

/*
 * Refuses at once what cannot fit, whatever is reclaimed.  Otherwise a hopeless demand, for many
 * nodes or for many pages that need nodes, would first take memory for the nodes, and give it
 * back, node by node.
 *
 * Nodes and pages are compared one by one: a page that is in use may have room for nodes, so their
 * sum can be more than what is available in whole pages.
 */
static int refuse_hopeless(struct mfs_pool *pool, const struct mfs_need *need)
{
    uint64_t node_cost = mfs_memory_cost(pool->memory, mfs_radix_node_bytes(pool));
    uint64_t for_nodes = mfs_num_mul_saturating(need->nodes, node_cost);
    uint64_t for_pages = mfs_num_mul_saturating(need->pages, pool->page_size);
    uint64_t most = mfs_num_mul_saturating(mfs_pool_available(pool, need->charge_from),
                                           pool->page_size);
    bool may_fit = for_pages <= most && for_nodes <= mfs_num_add_saturating(most, pool->page_size);
    return may_fit ? 0 : MEMFS_EDQUOT;
}

static int stash_new_node(struct mfs_pool *pool, enum mfs_charge_from charge_from,
                          struct mfs_stash *stash)
{
    void *memory;
    int error = mfs_memory_take_as(pool->memory, charge_from, mfs_radix_node_bytes(pool),
                                   MEMFS_CLASS_TABLES, &memory);
    if (error != 0)
        return error;
    struct mfs_radix_node *node = memory;
    memset(node, 0, mfs_radix_node_bytes(pool));
    node->u.next = stash->nodes;
    stash->nodes = node;
    return 0;
}

int mfs_stash_fill(struct mfs_pool *pool, const struct mfs_need *need, struct mfs_stash *stash)
{
    *stash = (struct mfs_stash){0};
    int error = need->nodes > 1 ? refuse_hopeless(pool, need) : 0;
    /* Nodes before pages: what a node reclaims may be the slab that the pages would come from. */
    for (uint64_t i = 0; error == 0 && i < need->nodes; i++)
        error = stash_new_node(pool, need->charge_from, stash);
    if (error == 0)
        error = mfs_page_pool_take(pool, need->charge_from, need->pages, &stash->pages);
    if (error != 0) {
        mfs_stash_release(pool, stash);
        error = explain_refusal(pool, need, error);
    }
    MFS_CHECK(stash->pages.count == (error == 0 ? need->pages : 0));
    MFS_CHECK((stash->nodes == NULL) == (error != 0 || need->nodes == 0));
    return error;
}

void mfs_stash_release(struct mfs_pool *pool, struct mfs_stash *stash)
{
    mfs_page_list_release(pool, &stash->pages);
    while (stash->nodes != NULL) {
        struct mfs_radix_node *node = stash->nodes;
        stash->nodes = node->u.next;
        mfs_radix_node_free(pool, node);
    }
}

struct mfs_radix_node *mfs_stash_take_node(struct mfs_stash *stash)
{
    struct mfs_radix_node *node = stash->nodes;
    MFS_CHECK(node != NULL);
    stash->nodes = node->u.next;
    node->u.held.filled = 0;
    atomic_init(&node->u.held.references, 1);
    return node;
}
