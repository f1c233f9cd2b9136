/*
 * 1. A node's `pages` is the number of pages below it, at least one: a node that
 *    loses its last page is freed.
 * 2. A tree without pages has root 0 and height 0.
 * 3. What is reached through a node or page with more than one reference is not
 *    written, nor is a page that a twin has too.  A copied node holds references of
 *    its own to its children, so that their counts rise above one just then, or is
 *    a twin of the original.
 * 4. Between plan and change, other holders of shared parts may let go, so a
 *    change may need less than was planned, never more: nobody but the holder of
 *    this tree, who is locked out, can share what is exclusive to it.
 *
 * Recursion is as deep as the tree: at most 19 levels (pages of 256 bytes).
 */
#include "content/radix.h"

#include "base/check.h"
#include "base/num.h"
#include "memory/memory.h"

#include <stdatomic.h>
#include <string.h>

static size_t node_bytes(const struct mfs_pool *pool)
{
    return sizeof(struct mfs_radix_node) + mfs_radix_fan(pool) * sizeof(uintptr_t);
}

static unsigned height_for(const struct mfs_pool *pool, uint64_t index)
{
    unsigned height = 0;
    while (index >> (pool->fan_shift * height) != 0)
        height++;
    return height;
}

static bool node_is_exclusive(const struct mfs_radix_node *node)
{
    return atomic_load_explicit(&node->u.held.references, memory_order_acquire) == 1;
}

static void retain_slot(struct mfs_pool *pool, uintptr_t slot, unsigned level)
{
    if (slot == 0)
        return;
    if (level == 0) {
        mfs_page_retain(pool, slot);
        return;
    }
    uint64_t before = atomic_fetch_add_explicit(&mfs_radix_node(slot)->u.held.references, 1,
                                                memory_order_relaxed);
    MFS_CHECK(before != 0);
}

static void free_node(struct mfs_pool *pool, struct mfs_radix_node *node)
{
    mfs_memory_give(pool->memory, node, node_bytes(pool), MEMFS_CLASS_TABLES);
}

/* ------------------------------------------------------------------- twins */

static bool has_twin(const struct mfs_radix_node *node)
{
    return atomic_load_explicit(&node->of.twin, memory_order_acquire) != NULL;
}

/* Under the lock. */
static struct mfs_radix_node *get_twin(const struct mfs_radix_node *node)
{
    return atomic_load_explicit(&node->of.twin, memory_order_relaxed);
}

static void set_twin(struct mfs_radix_node *node, struct mfs_radix_node *twin)
{
    atomic_store_explicit(&node->of.twin, twin, memory_order_release);
}

/* Whether a twin has the same page in that slot. */
static bool is_twins(const struct mfs_radix_node *node, size_t i)
{
    const struct mfs_radix_node *twin = get_twin(node);
    return twin != NULL && twin->slots[i] == node->slots[i];
}

static inline bool is_twins_too(struct mfs_pool *pool, struct mfs_radix_node *node, size_t i)
{
    if (!has_twin(node))
        return false;
    mfs_sync_lock_exclusive(pool->memory->lot, &pool->twins);
    bool is_shared = is_twins(node, i);
    mfs_sync_unlock_exclusive(pool->memory->lot, &pool->twins);
    return is_shared;
}

/* Puts another page into the slot, and gives back the reference to the one that was there. */
static void replace_page(struct mfs_pool *pool, struct mfs_radix_node *node, size_t i,
                         mfs_page page)
{
    mfs_page old = node->slots[i];
    bool stays = false;
    if (has_twin(node)) {
        mfs_sync_lock_exclusive(pool->memory->lot, &pool->twins);
        stays = is_twins(node, i);
        node->slots[i] = page;
        mfs_sync_unlock_exclusive(pool->memory->lot, &pool->twins);
    } else {
        node->slots[i] = page;
    }
    if (old != 0 && !stays)
        mfs_page_release(pool, old);
}

/* Makes `copy` the twin of a shared node; false if that has one already. */
static bool copy_as_twin(struct mfs_pool *pool, struct mfs_radix_node *node,
                         struct mfs_radix_node *copy)
{
    if (has_twin(node))
        return false;
    mfs_sync_lock_exclusive(pool->memory->lot, &pool->twins);
    bool is_free = !has_twin(node);
    if (is_free) {
        memcpy(copy->slots, node->slots, mfs_radix_fan(pool) * sizeof *node->slots);
        set_twin(copy, node);
        set_twin(node, copy);
    }
    mfs_sync_unlock_exclusive(pool->memory->lot, &pool->twins);
    return is_free;
}

/* Ends the twinship of a node that is given up.  The twin has the pages that both had; the others
 * are moved together. */
static void leave_twin_locked(struct mfs_pool *pool, struct mfs_radix_node *node)
    MFS_REQUIRES(pool->twins)
{
    struct mfs_radix_node *twin = get_twin(node);
    if (twin == NULL)
        return;
    uint32_t own = 0;
    for (size_t i = 0; i < mfs_radix_fan(pool); i++) {
        uintptr_t page = node->slots[i];
        node->slots[own] = page;
        own += page != 0 && page != twin->slots[i];
    }
    node->u.held.filled = own;
    set_twin(node, NULL);
    set_twin(twin, NULL);
}

static void leave_twin(struct mfs_pool *pool, struct mfs_radix_node *node)
{
    if (!has_twin(node))
        return;
    mfs_sync_lock_exclusive(pool->memory->lot, &pool->twins);
    leave_twin_locked(pool, node);
    mfs_sync_unlock_exclusive(pool->memory->lot, &pool->twins);
}

/* Takes the only page out of a node that is given up, with a reference. */
static mfs_page take_page(struct mfs_pool *pool, struct mfs_radix_node *node)
{
    mfs_page page = node->slots[0];
    if (has_twin(node)) {
        mfs_sync_lock_exclusive(pool->memory->lot, &pool->twins);
        if (is_twins(node, 0))
            mfs_page_retain(pool, page);
        /* At once, lest the twin leaves us its reference, too. */
        leave_twin_locked(pool, node);
        mfs_sync_unlock_exclusive(pool->memory->lot, &pool->twins);
    }
    return page;
}

/* ------------------------------------------------------------------ holding */

static void release_slot(struct mfs_pool *pool, uintptr_t slot, unsigned level)
{
    if (slot == 0)
        return;
    if (level == 0) {
        mfs_page_release(pool, slot);
        return;
    }
    struct mfs_radix_node *node = mfs_radix_node(slot);
    if (!node_is_exclusive(node) &&
        atomic_fetch_sub_explicit(&node->u.held.references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; level > 1 && i < mfs_radix_fan(pool); i++)
        release_slot(pool, node->slots[i], level - 1);
    if (level == 1) {
        leave_twin(pool, node);
        if (node->u.held.filled != 0)
            mfs_page_release_many(pool, node->slots, node->u.held.filled);
    }
    free_node(pool, node);
}

void mfs_radix_retain(struct mfs_pool *pool, struct mfs_radix tree)
{
    retain_slot(pool, tree.root, tree.height);
}

void mfs_radix_release(struct mfs_pool *pool, struct mfs_radix tree)
{
    release_slot(pool, tree.root, tree.height);
}

/* ------------------------------------------------------------------- stash */

int mfs_radix_stash_fill(struct mfs_pool *pool, const struct mfs_need *need,
                         struct mfs_stash *stash)
{
    *stash = (struct mfs_stash){0};
    uint64_t node_cost = mfs_memory_cost(pool->memory, node_bytes(pool));
    /* Nodes that cannot fit, whatever is reclaimed, are refused before the pages are fetched. */
    if (need->nodes > 1) {
        uint64_t wanted = mfs_num_mul_saturating(need->nodes, node_cost);
        uint64_t most = mfs_num_mul_saturating(mfs_pool_available(pool, need->charge_from),
                                               pool->page_size);
        if (wanted > mfs_num_add_saturating(most, pool->page_size))
            return mfs_ledger_refused(&pool->memory->ledger, pool->memory->lot, MEMFS_EDQUOT,
                                      wanted, most);
    }
    /* Nodes first: what they reclaim may be the slab that the pages would come from. */
    int error = 0;
    for (uint64_t i = 0; error == 0 && i < need->nodes; i++) {
        void *memory;
        error = mfs_memory_take_as(pool->memory, need->charge_from, node_bytes(pool),
                                   MEMFS_CLASS_TABLES, &memory);
        if (error == 0) {
            struct mfs_radix_node *node = memory;
            memset(node, 0, node_bytes(pool));
            node->u.next = stash->nodes;
            stash->nodes = node;
        }
    }
    if (error == 0)
        error = mfs_page_pool_take(pool, need->charge_from, need->pages, &stash->pages);
    if (error != 0)
        mfs_radix_stash_release(pool, stash);
    return error;
}

void mfs_radix_stash_release(struct mfs_pool *pool, struct mfs_stash *stash)
{
    mfs_page_list_release(pool, &stash->pages);
    while (stash->nodes != NULL) {
        struct mfs_radix_node *node = stash->nodes;
        stash->nodes = node->u.next;
        free_node(pool, node);
    }
}

static struct mfs_radix_node *stash_node(struct mfs_stash *stash)
{
    struct mfs_radix_node *node = stash->nodes;
    MFS_CHECK(node != NULL);
    stash->nodes = node->u.next;
    node->u.held.filled = 0;
    atomic_init(&node->u.held.references, 1);
    return node;
}

/* ----------------------------------------------------------------- finding */

mfs_page mfs_radix_find(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t index)
{
    if (index >= mfs_radix_span(pool, tree.height))
        return 0;
    uintptr_t slot = tree.root;
    for (unsigned level = tree.height; level > 0 && slot != 0; level--)
        slot = mfs_radix_node(slot)->slots[mfs_radix_slot(pool, level, index)];
    return slot;
}

/* The node that has the page at `index`, if that and all nodes on the way are private. */
struct leaf {
    struct mfs_radix_node *node; /* null: the page is the root */
    size_t i;
};

static bool find_private_leaf(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t index,
                              struct leaf *out)
{
    if (index >= mfs_radix_span(pool, tree.height))
        return false;
    *out = (struct leaf){NULL, 0};
    uintptr_t slot = tree.root;
    for (unsigned level = tree.height; level > 0; level--) {
        struct mfs_radix_node *node = mfs_radix_node(slot);
        if (node == NULL || !node_is_exclusive(node))
            return false;
        *out = (struct leaf){node, mfs_radix_slot(pool, level, index)};
        slot = node->slots[out->i];
    }
    return true;
}

/* Whether the page that is there is private. */
static bool page_is_private(struct mfs_pool *pool, const struct leaf *leaf, mfs_page page)
{
    /* The twin first: what it shares may become a reference of its own meanwhile, not vice versa. */
    return (leaf->node == NULL || !is_twins_too(pool, leaf->node, leaf->i)) &&
           mfs_page_is_exclusive(pool, page);
}

mfs_page mfs_radix_find_exclusive(struct mfs_pool *pool, struct mfs_radix tree, uint64_t index)
{
    if (index >= mfs_radix_span(pool, tree.height))
        return 0;
    uintptr_t slot = tree.root;
    struct mfs_radix_node *node = NULL;
    size_t i = 0;
    for (unsigned level = tree.height; level > 0; level--) {
        node = mfs_radix_node(slot);
        if (node == NULL || !node_is_exclusive(node))
            return 0;
        i = mfs_radix_slot(pool, level, index);
        slot = node->slots[i];
    }
    /* In this order: see page_is_private(). */
    if (slot == 0 || (node != NULL && is_twins_too(pool, node, i)) ||
        !mfs_page_is_exclusive(pool, slot))
        return 0;
    return slot;
}

size_t mfs_radix_node_cost(const struct mfs_pool *pool)
{
    return mfs_memory_cost(pool->memory, node_bytes(pool));
}

/* ---------------------------------------------------------------- planning */

/* What pages first .. last of trees of height `level`, all absent, will take. */
static void plan_absent(const struct mfs_pool *pool, unsigned level, uint64_t first, uint64_t last,
                        struct mfs_need *need)
{
    need->pages += last - first + 1;
    for (unsigned l = 1; l <= level; l++) {
        unsigned shift = pool->fan_shift * l;
        need->nodes += (last >> shift) - (first >> shift) + 1;
    }
}

static void plan_own(struct mfs_pool *pool, uintptr_t slot, unsigned level, uint64_t first,
                     uint64_t last, bool shared, struct mfs_need *need)
{
    if (slot == 0) {
        plan_absent(pool, level, first, last, need);
        return;
    }
    if (level == 0) {
        if (slot != MFS_PAGE_PROMISED && (shared || !mfs_page_is_exclusive(pool, slot)))
            need->pages++;
        return;
    }
    if (shared || !node_is_exclusive(mfs_radix_node(slot))) {
        shared = true;
        need->nodes++;
    }
    uint64_t child_span = mfs_radix_span(pool, level - 1);
    size_t end = mfs_radix_slot(pool, level, last);
    for (size_t i = mfs_radix_slot(pool, level, first); i <= end; i++) {
        uint64_t start = i * child_span;
        struct mfs_radix_node *node = mfs_radix_node(slot);
        plan_own(pool, node->slots[i], level - 1, mfs_num_sub_saturating(first, start),
                 mfs_num_min_u64(last - start, child_span - 1),
                 shared || (level == 1 && is_twins_too(pool, node, i)), need);
    }
}

void mfs_radix_plan_own(struct mfs_pool *pool, struct mfs_radix tree, uint64_t first, uint64_t last,
                        struct mfs_need *need)
{
    MFS_CHECK(first <= last);
    unsigned height = height_for(pool, last);
    if (tree.root == 0) {
        plan_absent(pool, height, first, last, need);
        return;
    }
    /* Where the tree must grow, new roots stand above the old one, which is slot 0 of the last. */
    for (; height > tree.height; height--) {
        uint64_t covered = mfs_radix_span(pool, height - 1);
        need->nodes++;
        if (last < covered)
            continue;
        plan_absent(pool, height - 1, mfs_num_max_u64(first, covered), last, need);
        if (first >= covered) {
            need->nodes += height - 1 - tree.height;
            return;
        }
        last = covered - 1;
    }
    plan_own(pool, tree.root, tree.height, first, last, false, need);
}

static bool any_page(const struct mfs_pool *pool, uintptr_t slot, unsigned level, uint64_t first,
                     uint64_t last)
{
    return mfs_radix_next_page(pool, (struct mfs_radix){slot, (uint8_t)level}, first) <= last;
}

static void plan_drop(const struct mfs_pool *pool, uintptr_t slot, unsigned level, uint64_t first,
                      uint64_t last, bool shared, struct mfs_need *need)
{
    if (slot == 0 || level == 0 || (first == 0 && last >= mfs_radix_span(pool, level) - 1))
        return;
    if (shared || !node_is_exclusive(mfs_radix_node(slot))) {
        if (!any_page(pool, slot, level, first, last))
            return;
        shared = true;
        need->nodes++;
    }
    uint64_t child_span = mfs_radix_span(pool, level - 1);
    size_t end = mfs_radix_slot(pool, level, last);
    for (size_t i = mfs_radix_slot(pool, level, first); i <= end; i++) {
        uint64_t start = i * child_span;
        plan_drop(pool, mfs_radix_node(slot)->slots[i], level - 1,
                  mfs_num_sub_saturating(first, start),
                  mfs_num_min_u64(last - start, child_span - 1), shared, need);
    }
}

void mfs_radix_plan_drop(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t first,
                         uint64_t last, struct mfs_need *need)
{
    uint64_t most = mfs_radix_span(pool, tree.height) - 1;
    if (first <= most)
        plan_drop(pool, tree.root, tree.height, first, mfs_num_min_u64(last, most), false, need);
}

/* ---------------------------------------------------------------- changing */

/* Makes the node in `*slot` one that may be written. */
static struct mfs_radix_node *own_node(struct mfs_pool *pool, uintptr_t *slot, unsigned level,
                                       struct mfs_stash *stash)
{
    struct mfs_radix_node *node = mfs_radix_node(*slot);
    if (node != NULL && node_is_exclusive(node))
        return node;
    struct mfs_radix_node *own = stash_node(stash);
    if (node != NULL) {
        mfs_radix_set_pages(own, level, mfs_radix_pages(*slot, level));
        bool is_copied = level == 1 && copy_as_twin(pool, node, own);
        for (size_t i = 0; !is_copied && i < mfs_radix_fan(pool); i++) {
            retain_slot(pool, node->slots[i], level - 1);
            own->slots[i] = node->slots[i];
        }
        release_slot(pool, *slot, level);
    }
    *slot = (uintptr_t)own;
    return own;
}

/* Fills a new page with what stays of the old one (0: a hole). */
static void fill_page(const struct mfs_pool *pool, mfs_page new, mfs_page old, size_t from,
                      size_t to)
{
    unsigned char *bytes = mfs_page_bytes(pool, new);
    if (old != 0) {
        const unsigned char *kept = mfs_page_bytes(pool, old);
        memcpy(bytes, kept, from);
        memcpy(bytes + to, kept + to, pool->page_size - to);
    } else {
        memset(bytes, 0, from);
        memset(bytes + to, 0, pool->page_size - to);
    }
}

/* The page is in the leaf's slot, or in `*root` if there is no leaf. */
static mfs_page own_page(struct mfs_pool *pool, const struct leaf *leaf, uintptr_t *root,
                         size_t from, size_t to, struct mfs_stash *stash)
{
    mfs_page page = leaf->node != NULL ? leaf->node->slots[leaf->i] : *root;
    if (page != 0 && page_is_private(pool, leaf, page))
        return page;
    mfs_page own = mfs_page_list_pop(pool, &stash->pages);
    fill_page(pool, own, page, from, to);
    stash->has_replaced = stash->has_replaced || page != 0;
    if (leaf->node != NULL) {
        replace_page(pool, leaf->node, leaf->i, own);
    } else {
        if (page != 0)
            mfs_page_release(pool, page);
        *root = own;
    }
    return own;
}

/* Puts new roots above the old one until `index` is covered. */
static void grow_height(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t index,
                        struct mfs_stash *stash)
{
    unsigned height = height_for(pool, index);
    if (tree->root == 0)
        tree->height = (uint8_t)mfs_num_max_size(height, tree->height);
    while (tree->height < height) {
        struct mfs_radix_node *root = stash_node(stash);
        root->slots[0] = tree->root;
        mfs_radix_set_pages(root, tree->height + 1u, mfs_radix_pages(tree->root, tree->height));
        tree->root = (uintptr_t)root;
        tree->height++;
    }
}

mfs_page mfs_radix_own(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t index, size_t from,
                       size_t to, struct mfs_stash *stash)
{
    uint64_t added = mfs_radix_find(pool, *tree, index) == 0 ? 1 : 0;
    grow_height(pool, tree, index, stash);
    uintptr_t *slot = &tree->root;
    struct leaf leaf = {NULL, 0};
    for (unsigned level = tree->height; level > 0; level--) {
        struct mfs_radix_node *node = own_node(pool, slot, level, stash);
        mfs_radix_set_pages(node, level, mfs_radix_pages(*slot, level) + added);
        leaf = (struct leaf){node, mfs_radix_slot(pool, level, index)};
        slot = &node->slots[leaf.i];
    }
    return own_page(pool, &leaf, &tree->root, from, to, stash);
}

static void count_page(const struct mfs_pool *pool, const struct mfs_radix *tree, uint64_t index)
{
    uintptr_t slot = tree->root;
    for (unsigned level = tree->height; level > 0; level--) {
        mfs_radix_set_pages(mfs_radix_node(slot), level, mfs_radix_pages(slot, level) + 1);
        slot = mfs_radix_node(slot)->slots[mfs_radix_slot(pool, level, index)];
    }
}

int mfs_radix_own_one(struct mfs_pool *pool, enum mfs_charge_from charge_from,
                      struct mfs_radix *tree, uint64_t index, size_t from, size_t to,
                      struct mfs_stash *stash, mfs_page *out)
{
    struct mfs_need need = {.charge_from = charge_from};
    struct leaf leaf;
    if (!find_private_leaf(pool, *tree, index, &leaf)) {
        mfs_radix_plan_own(pool, *tree, index, index, &need);
        int error = mfs_radix_stash_fill(pool, &need, stash);
        if (error != 0)
            return error;
        *out = mfs_radix_own(pool, tree, index, from, to, stash);
        mfs_radix_stash_release(pool, stash);
        return 0;
    }
    mfs_page page = leaf.node != NULL ? leaf.node->slots[leaf.i] : tree->root;
    if (page == 0 || !page_is_private(pool, &leaf, page)) {
        int error = mfs_page_pool_take(pool, charge_from, 1, &stash->pages);
        if (error != 0)
            return error;
    }
    *out = own_page(pool, &leaf, &tree->root, from, to, stash);
    /* Whoever else held the old page may have let go meanwhile. */
    mfs_page_list_release(pool, &stash->pages);
    if (page == 0)
        count_page(pool, tree, index);
    return 0;
}

static uint64_t drop_page(struct mfs_pool *pool, struct mfs_radix_node *node, size_t i,
                          struct mfs_stash *stash)
{
    if (node->slots[i] == 0)
        return 0;
    replace_page(pool, node, i, 0);
    stash->has_replaced = true;
    return 1;
}

/* Returns the number of pages that went. */
static uint64_t drop(struct mfs_pool *pool, uintptr_t *slot, unsigned level, uint64_t first,
                     uint64_t last, struct mfs_stash *stash)
{
    if (*slot == 0)
        return 0;
    if (first == 0 && last >= mfs_radix_span(pool, level) - 1) {
        uint64_t gone = mfs_radix_pages(*slot, level);
        release_slot(pool, *slot, level);
        *slot = 0;
        stash->has_replaced = true;
        return gone;
    }
    if (!node_is_exclusive(mfs_radix_node(*slot)) && !any_page(pool, *slot, level, first, last))
        return 0;
    struct mfs_radix_node *node = own_node(pool, slot, level, stash);
    uint64_t child_span = mfs_radix_span(pool, level - 1);
    uint64_t gone = 0;
    size_t end = mfs_radix_slot(pool, level, last);
    for (size_t i = mfs_radix_slot(pool, level, first); i <= end; i++) {
        uint64_t start = i * child_span;
        if (level == 1)
            gone += drop_page(pool, node, i, stash);
        else
            gone += drop(pool, &node->slots[i], level - 1, mfs_num_sub_saturating(first, start),
                         mfs_num_min_u64(last - start, child_span - 1), stash);
    }
    uint64_t pages = mfs_radix_pages(*slot, level);
    MFS_CHECK(pages >= gone);
    mfs_radix_set_pages(node, level, pages - gone);
    if (pages == gone) {
        if (level == 1)
            leave_twin(pool, node);
        free_node(pool, node);
        *slot = 0;
    }
    return gone;
}

/* Takes off roots that have nothing but slot 0. */
static void shrink_height(struct mfs_pool *pool, struct mfs_radix *tree)
{
    while (tree->height > 0 && tree->root != 0) {
        struct mfs_radix_node *root = mfs_radix_node(tree->root);
        if (!node_is_exclusive(root) || mfs_radix_pages(root->slots[0], tree->height - 1u) !=
                                            mfs_radix_pages(tree->root, tree->height))
            return;
        tree->root = tree->height == 1 ? take_page(pool, root) : root->slots[0];
        tree->height--;
        free_node(pool, root);
    }
    if (tree->root == 0)
        tree->height = 0;
}

void mfs_radix_drop(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t first, uint64_t last,
                    struct mfs_stash *stash)
{
    uint64_t most = mfs_radix_span(pool, tree->height) - 1;
    if (first > most)
        return;
    (void)drop(pool, &tree->root, tree->height, first, mfs_num_min_u64(last, most), stash);
    shrink_height(pool, tree);
}
