/*
 * 1. Only what is exclusive is written: a node on the way to the change is copied first if it is
 *    shared, and a page unless it is private.
 * 2. A copied node holds references of its own to its children, so their counts rise above one just
 *    then, or it is the twin of the original.
 * 3. After each change the counts of pages are right on the whole way, no node is without pages,
 *    and the tree is as low as it can be, unless its root is shared.
 *
 * Cost: a step a level, and for each shared node on the way a copy of its slots.  Dropping a whole
 * subtree costs what nobody else shares of it.
 *
 * Left undone on purpose: a tree that has become too high under a shared root stays so, since
 * lowering it would need a copy of that root, and dropping must not need memory.
 */
#include "pagetable/radix_edit.h"

#include "base/check.h"
#include "base/num.h"
#include "pagetable/radix_node.h"
#include "pagetable/radix_plan.h"
#include "pagetable/radix_ref.h"
#include "pagetable/twins.h"

#include <string.h>

/* Makes the node in `*slot` one that may be written: a new one where there is none. */
static struct mfs_radix_node *own_node(struct mfs_pool *pool, uintptr_t *slot, unsigned level,
                                       struct mfs_stash *stash)
{
    struct mfs_radix_node *node = mfs_radix_node(*slot);
    if (node != NULL && mfs_radix_node_is_exclusive(node))
        return node;
    struct mfs_radix_node *own = mfs_stash_take_node(stash);
    MFS_CHECK(level > 0);
    if (node != NULL) {
        mfs_radix_ref_copy(pool, node, own, level);
        mfs_radix_ref_release(pool, (struct mfs_radix){*slot, (uint8_t)level});
    }
    *slot = (uintptr_t)own;
    return own;
}

/* ------------------------------------------------------------------ owning */

/* Fills a new page with what stays of the old one (0: a hole). */
static void fill_page(const struct mfs_pool *pool, mfs_page new, mfs_page old, size_t from,
                      size_t to)
{
    unsigned char *bytes = mfs_pool_page_bytes(pool, new);
    if (old != 0) {
        const unsigned char *kept = mfs_pool_page_bytes(pool, old);
        memcpy(bytes, kept, from);
        memcpy(bytes + to, kept + to, pool->page_size - to);
    } else {
        memset(bytes, 0, from);
        memset(bytes + to, 0, pool->page_size - to);
    }
}

static bool may_be_written(struct mfs_pool *pool, const struct mfs_radix_leaf *at)
{
    return at->page != 0 && mfs_twins_is_private(pool, at);
}

/* Puts a page from the stash in the place of the one that is there; `*root` is the tree's. */
static mfs_page put_new_page(struct mfs_pool *pool, const struct mfs_radix_leaf *at,
                             uintptr_t *root, size_t from, size_t to, struct mfs_stash *stash)
{
    mfs_page own = mfs_page_list_pop(pool, &stash->pages);
    MFS_CHECK(own != at->page && mfs_page_is_exclusive(pool, own));
    fill_page(pool, own, at->page, from, to);
    stash->has_replaced = stash->has_replaced || at->page != 0;
    if (at->node != NULL) {
        mfs_twins_replace(pool, at->node, at->i, own);
        return own;
    }
    MFS_CHECK(*root == at->page);
    if (at->page != 0)
        mfs_page_release(pool, at->page);
    *root = own;
    return own;
}

/* Puts new roots above the old one until `index` is covered. */
static void grow_height(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t index,
                        struct mfs_stash *stash)
{
    unsigned height = mfs_radix_node_height(pool, index);
    if (tree->root == 0)
        tree->height = (uint8_t)mfs_num_max_size(height, tree->height);
    while (tree->height < height) {
        struct mfs_radix_node *root = mfs_stash_take_node(stash);
        root->slots[0] = tree->root;
        mfs_radix_node_set_pages(root, tree->height + 1u,
                                 mfs_radix_node_pages(tree->root, tree->height));
        tree->root = (uintptr_t)root;
        tree->height++;
    }
    MFS_CHECK(tree->height >= height && tree->height <= MFS_RADIX_NODE_LEVELS_MAX);
}

mfs_page mfs_radix_edit_own(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t index,
                            size_t from, size_t to, struct mfs_stash *stash)
{
    MFS_CHECK(from <= to && to <= pool->page_size);
    uint64_t added = mfs_radix_find(pool, *tree, index) == 0 ? 1 : 0;
    grow_height(pool, tree, index, stash);
    uintptr_t *slot = &tree->root;
    struct mfs_radix_leaf at = {NULL, 0, 0};
    for (unsigned level = tree->height; level > 0; level--) {
        at.node = own_node(pool, slot, level, stash);
        at.i = mfs_radix_node_slot(pool, level, index);
        mfs_radix_node_set_pages(at.node, level, mfs_radix_node_pages(*slot, level) + added);
        slot = &at.node->slots[at.i];
    }
    at.page = *slot;
    mfs_page page = may_be_written(pool, &at)
                        ? at.page
                        : put_new_page(pool, &at, &tree->root, from, to, stash);
    MFS_CHECK(mfs_page_is_exclusive(pool, page));
    MFS_CHECK_DEEP(mfs_radix_is_valid(pool, *tree, index));
    return page;
}

/* Counts a page more in each node on the way to a page that was put into a hole. */
static void count_new_page(const struct mfs_pool *pool, const struct mfs_radix *tree,
                           uint64_t index)
{
    uintptr_t slot = tree->root;
    for (unsigned level = tree->height; level > 0; level--) {
        struct mfs_radix_node *node = mfs_radix_node(slot);
        mfs_radix_node_set_pages(node, level, mfs_radix_node_pages(slot, level) + 1);
        slot = node->slots[mfs_radix_node_slot(pool, level, index)];
    }
    MFS_CHECK(slot != 0);
}

/* The way to the page is not there, or shared: the three steps. */
static int plan_and_own(struct mfs_pool *pool, enum mfs_charge_from charge_from,
                        struct mfs_radix *tree, uint64_t index, size_t from, size_t to,
                        struct mfs_stash *stash, mfs_page *out)
{
    struct mfs_need need = {.charge_from = charge_from};
    mfs_radix_plan_own(pool, *tree, index, index, &need);
    int error = mfs_stash_fill(pool, &need, stash);
    if (error != 0)
        return error;
    *out = mfs_radix_edit_own(pool, tree, index, from, to, stash);
    mfs_stash_release(pool, stash);
    return 0;
}

int mfs_radix_edit_own_one(struct mfs_pool *pool, enum mfs_charge_from charge_from,
                           struct mfs_radix *tree, uint64_t index, size_t from, size_t to,
                           struct mfs_stash *stash, mfs_page *out)
{
    struct mfs_radix_leaf at;
    MFS_CHECK(from <= to && to <= pool->page_size);
    MFS_CHECK(stash->nodes == NULL && stash->pages.count == 0);
    if (!mfs_radix_node_find_leaf(pool, tree->root, tree->height, index, &at))
        return plan_and_own(pool, charge_from, tree, index, from, to, stash, out);
    if (may_be_written(pool, &at)) {
        *out = at.page;
        return 0;
    }
    int error = mfs_page_pool_take(pool, charge_from, 1, &stash->pages);
    if (error != 0)
        return error;
    /* Even if the other holders of the old page have let go meanwhile, a new page is as good. */
    *out = put_new_page(pool, &at, &tree->root, from, to, stash);
    if (at.page == 0)
        count_new_page(pool, tree, index);
    MFS_CHECK(stash->pages.count == 0);
    MFS_CHECK_DEEP(mfs_radix_is_valid(pool, *tree, index));
    return 0;
}

/* ---------------------------------------------------------------- dropping */

/* Drops what is in a slot of a node that may be written; returns the number of its pages. */
static uint64_t drop_slot(struct mfs_pool *pool, struct mfs_radix_node *node, unsigned level,
                          size_t i, struct mfs_stash *stash)
{
    uintptr_t slot = node->slots[i];
    uint64_t gone = mfs_radix_node_pages(slot, level - 1);
    if (slot == 0)
        return 0;
    if (level == 1) {
        mfs_twins_replace(pool, node, i, 0);
    } else {
        mfs_radix_ref_release(pool, (struct mfs_radix){slot, (uint8_t)(level - 1)});
        node->slots[i] = 0;
    }
    MFS_CHECK(gone > 0);
    stash->has_replaced = true;
    return gone;
}

/* Drops the slots that the range covers, from that of `*index` on; `*index` is then behind them.
 * There is one at least, unless the range begins or ends below the node's level. */
static uint64_t drop_covered(struct mfs_pool *pool, struct mfs_radix_node *node, unsigned level,
                             uint64_t *index, uint64_t last, struct mfs_stash *stash)
{
    uint64_t span = mfs_radix_node_span(pool, level - 1);
    uint64_t gone = 0;
    for (size_t i = mfs_radix_node_slot(pool, level, *index);
         i < mfs_radix_node_fan(pool) && (*index & (span - 1)) == 0 && last >= *index + (span - 1);
         i++) {
        gone += drop_slot(pool, node, level, i, stash);
        *index += span;
    }
    return gone;
}

/* Counts `gone` pages less on the way down from the root to a node of this level, and frees the
 * nodes that have none any more. */
static void count_dropped(struct mfs_pool *pool, uintptr_t *const *way, unsigned level,
                          unsigned height, uint64_t gone)
{
    for (; gone > 0 && level <= height; level++) {
        struct mfs_radix_node *node = mfs_radix_node(*way[level]);
        uint64_t pages = mfs_radix_node_pages(*way[level], level);
        MFS_CHECK(pages >= gone);
        mfs_radix_node_set_pages(node, level, pages - gone);
        if (pages > gone)
            continue;
        if (level == 1)
            mfs_twins_part(pool, node);
        mfs_radix_node_free(pool, node);
        *way[level] = 0;
    }
}

/*
 * Drops pages from `index` on: side by side those that one node leads to, through slots that the
 * range covers.  Returns the index behind what was dropped, or was absent.
 */
static uint64_t drop_some(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t index,
                          uint64_t last, struct mfs_stash *stash)
{
    uintptr_t *way[MFS_RADIX_NODE_LEVELS_MAX + 1]; /* by level */
    uintptr_t *slot = &tree->root;
    uint64_t gone = 0, next = index;
    unsigned level = tree->height;
    for (; *slot != 0 && gone == 0 && next == index; level--) {
        uint64_t after = (index | (mfs_radix_node_span(pool, level) - 1)) + 1;
        struct mfs_radix part = {*slot, (uint8_t)level};
        if (!mfs_radix_node_is_exclusive(mfs_radix_node(*slot)) &&
            mfs_radix_next_page(pool, part, index - (after - mfs_radix_node_span(pool, level))) >
                last - (after - mfs_radix_node_span(pool, level)))
            return after; /* nothing to drop, so it need not be copied, nor was that planned */
        struct mfs_radix_node *node = own_node(pool, slot, level, stash);
        way[level] = slot;
        slot = &node->slots[mfs_radix_node_slot(pool, level, index)];
        gone = drop_covered(pool, node, level, &next, last, stash);
    }
    if (next == index)
        return (index | (mfs_radix_node_span(pool, level) - 1)) + 1;
    count_dropped(pool, way, level + 1, tree->height, gone);
    return next;
}

/* Drops the whole tree. */
static void drop_all(struct mfs_pool *pool, struct mfs_radix *tree, struct mfs_stash *stash)
{
    MFS_CHECK(tree->root != 0);
    mfs_radix_ref_release(pool, *tree);
    *tree = (struct mfs_radix){0, 0};
    stash->has_replaced = true;
}

/* Takes off roots that have nothing but slot 0. */
static void shrink_height(struct mfs_pool *pool, struct mfs_radix *tree)
{
    while (tree->height > 0 && tree->root != 0) {
        struct mfs_radix_node *root = mfs_radix_node(tree->root);
        uint64_t pages = mfs_radix_node_pages(tree->root, tree->height);
        if (!mfs_radix_node_is_exclusive(root) ||
            mfs_radix_node_pages(root->slots[0], tree->height - 1u) != pages)
            return;
        tree->root = tree->height == 1 ? mfs_twins_take_only_page(pool, root) : root->slots[0];
        tree->height--;
        mfs_radix_node_free(pool, root);
    }
    if (tree->root == 0)
        tree->height = 0;
}

void mfs_radix_edit_drop(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t first,
                         uint64_t last, struct mfs_stash *stash)
{
    uint64_t most = mfs_radix_node_span(pool, tree->height) - 1;
    MFS_CHECK(first <= last);
    if (first > most || tree->root == 0)
        return;
    if (first == 0 && last >= most)
        drop_all(pool, tree, stash);
    last = mfs_num_min_u64(last, most);
    for (uint64_t index = first; index <= last && tree->root != 0;)
        index = drop_some(pool, tree, index, last, stash);
    shrink_height(pool, tree);
    MFS_CHECK(tree->root != 0 || tree->height == 0);
    MFS_CHECK_DEEP(mfs_radix_is_valid(pool, *tree, first));
    MFS_CHECK_DEEP(mfs_radix_is_valid(pool, *tree, last));
}
