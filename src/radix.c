/*
 * 1. A node's `pages` is the number of pages below it, at least one: a node that
 *    loses its last page is freed.
 * 2. A tree without pages has root 0 and height 0.
 * 3. What is reached through a node or page with more than one reference is not
 *    written.  A copied node holds references of its own to its children, so
 *    that their counts rise above one just then.
 * 4. Between plan and change, other holders of shared parts may let go, so a
 *    change may need less than was planned, never more: nobody but the holder of
 *    this tree, who is locked out, can share what is exclusive to it.
 *
 * Recursion is as deep as the tree: at most 19 levels (pages of 256 bytes).
 */
#include "radix.h"

#include "check.h"
#include "num.h"

#include <stdatomic.h>
#include <string.h>

struct mfs_radix_node {
    union {
        _Atomic uint64_t references;
        struct mfs_radix_node *next; /* while in a stash */
    } u;
    uint64_t pages;
    uintptr_t slots[];
};

static struct mfs_radix_node *as_node(uintptr_t slot)
{
    return (struct mfs_radix_node *)slot; /* NOLINT(performance-no-int-to-ptr) */
}

static unsigned fan_shift(const struct mfs_pool *pool)
{
    return pool->fan_shift;
}

static size_t fan(const struct mfs_pool *pool)
{
    return (size_t)1 << pool->fan_shift;
}

static size_t node_bytes(const struct mfs_pool *pool)
{
    return sizeof(struct mfs_radix_node) + fan(pool) * sizeof(uintptr_t);
}

/* The number of pages that a tree of this height can have. */
static uint64_t span(const struct mfs_pool *pool, unsigned height)
{
    return (uint64_t)1 << (fan_shift(pool) * height);
}

static unsigned height_for(const struct mfs_pool *pool, uint64_t index)
{
    unsigned height = 0;
    while (index >> (fan_shift(pool) * height) != 0)
        height++;
    return height;
}

static size_t slot_index(const struct mfs_pool *pool, unsigned level, uint64_t index)
{
    return (size_t)(index >> (fan_shift(pool) * (level - 1))) & (fan(pool) - 1);
}

static bool node_is_exclusive(const struct mfs_radix_node *node)
{
    return atomic_load_explicit(&node->u.references, memory_order_acquire) == 1;
}

static void retain_slot(struct mfs_pool *pool, uintptr_t slot, unsigned level)
{
    if (slot == 0)
        return;
    if (level == 0) {
        mfs_page_retain(pool, slot);
        return;
    }
    uint64_t before = atomic_fetch_add_explicit(&as_node(slot)->u.references, 1,
                                                memory_order_relaxed);
    MFS_CHECK(before != 0);
}

static void free_node(struct mfs_pool *pool, struct mfs_radix_node *node)
{
    mfs_memory_give(pool->memory, node, node_bytes(pool), MEMFS_CLASS_TABLES);
}

static void release_slot(struct mfs_pool *pool, uintptr_t slot, unsigned level)
{
    if (slot == 0)
        return;
    if (level == 0) {
        mfs_page_release(pool, slot);
        return;
    }
    struct mfs_radix_node *node = as_node(slot);
    if (!node_is_exclusive(node) &&
        atomic_fetch_sub_explicit(&node->u.references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; level > 1 && i < fan(pool); i++)
        release_slot(pool, node->slots[i], level - 1);
    if (level == 1)
        mfs_pages_release(pool, node->slots, node->pages);
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

int mfs_stash_fill(struct mfs_pool *pool, const struct mfs_need *need, struct mfs_stash *stash)
{
    *stash = (struct mfs_stash){0};
    uint64_t node_cost = mfs_memory_cost(pool->memory, node_bytes(pool));
    /* Nodes that cannot fit, whatever is reclaimed, are refused before the pages are fetched. */
    if (need->nodes > 1) {
        uint64_t wanted = mfs_mul_saturating(need->nodes, node_cost);
        uint64_t most = mfs_mul_saturating(mfs_pool_available(pool, need->rank), pool->page_size);
        if (wanted > mfs_add_saturating(most, pool->page_size))
            return mfs_ledger_refused(&pool->memory->ledger, pool->memory->lot, MEMFS_EDQUOT,
                                      wanted, most);
    }
    /* Nodes first: what they reclaim may be the slab that the pages would come from. */
    int error = 0;
    for (uint64_t i = 0; error == 0 && i < need->nodes; i++) {
        void *memory;
        error = mfs_memory_take_as(pool->memory, need->rank, node_bytes(pool), MEMFS_CLASS_TABLES,
                                   &memory);
        if (error == 0) {
            struct mfs_radix_node *node = memory;
            memset(node, 0, node_bytes(pool));
            node->u.next = stash->nodes;
            stash->nodes = node;
        }
    }
    if (error == 0)
        error = mfs_pool_take(pool, need->rank, need->pages, &stash->pages);
    if (error != 0)
        mfs_stash_release(pool, stash);
    return error;
}

void mfs_stash_release(struct mfs_pool *pool, struct mfs_stash *stash)
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
    atomic_init(&node->u.references, 1);
    return node;
}

/* ----------------------------------------------------------------- finding */

mfs_page mfs_radix_find(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t index)
{
    if (index >= span(pool, tree.height))
        return 0;
    uintptr_t slot = tree.root;
    for (unsigned level = tree.height; level > 0 && slot != 0; level--)
        slot = as_node(slot)->slots[slot_index(pool, level, index)];
    return slot;
}

mfs_page mfs_radix_find_exclusive(const struct mfs_pool *pool, struct mfs_radix tree,
                                  uint64_t index)
{
    if (index >= span(pool, tree.height))
        return 0;
    uintptr_t slot = tree.root;
    for (unsigned level = tree.height; level > 0 && slot != 0; level--) {
        if (!node_is_exclusive(as_node(slot)))
            return 0;
        slot = as_node(slot)->slots[slot_index(pool, level, index)];
    }
    return slot != 0 && mfs_page_is_exclusive(pool, slot) ? slot : 0;
}

/* The pages below a slot. */
static uint64_t pages_below(uintptr_t slot, unsigned level)
{
    if (slot == 0)
        return 0;
    return level == 0 ? 1 : as_node(slot)->pages;
}

static uint64_t count_below(const struct mfs_pool *pool, uintptr_t slot, unsigned level,
                            uint64_t end)
{
    if (slot == 0 || end == 0)
        return 0;
    if (end >= span(pool, level))
        return pages_below(slot, level);
    uint64_t child_span = span(pool, level - 1);
    uint64_t count = 0;
    for (size_t i = 0; i < fan(pool) && i * child_span < end; i++)
        count += count_below(pool, as_node(slot)->slots[i], level - 1, end - i * child_span);
    return count;
}

uint64_t mfs_radix_count(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t end)
{
    return count_below(pool, tree.root, tree.height, end);
}

static uint64_t count_nodes(const struct mfs_pool *pool, uintptr_t slot, unsigned level)
{
    if (slot == 0 || level == 0)
        return 0;
    uint64_t count = 1;
    for (size_t i = 0; level > 1 && i < fan(pool); i++)
        count += count_nodes(pool, as_node(slot)->slots[i], level - 1);
    return count;
}

uint64_t mfs_radix_count_nodes(const struct mfs_pool *pool, struct mfs_radix tree)
{
    return count_nodes(pool, tree.root, tree.height);
}

size_t mfs_radix_node_cost(const struct mfs_pool *pool)
{
    return mfs_memory_cost(pool->memory, node_bytes(pool));
}

static uint64_t next_page(const struct mfs_pool *pool, uintptr_t slot, unsigned level,
                          uint64_t from)
{
    if (slot == 0 || from >= span(pool, level))
        return MFS_NO_INDEX;
    if (level == 0)
        return 0;
    uint64_t child_span = span(pool, level - 1);
    for (size_t i = slot_index(pool, level, from); i < fan(pool); i++) {
        uint64_t start = i * child_span;
        uint64_t found = next_page(pool, as_node(slot)->slots[i], level - 1,
                                   mfs_sub_saturating(from, start));
        if (found != MFS_NO_INDEX)
            return start + found;
    }
    return MFS_NO_INDEX;
}

uint64_t mfs_radix_next_page(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t from)
{
    return next_page(pool, tree.root, tree.height, from);
}

/* Within the span of the slot; MFS_NO_INDEX if all of it from `from` on has pages. */
static uint64_t next_hole(const struct mfs_pool *pool, uintptr_t slot, unsigned level,
                          uint64_t from)
{
    if (from >= span(pool, level) || pages_below(slot, level) == span(pool, level))
        return MFS_NO_INDEX;
    if (slot == 0)
        return from;
    uint64_t child_span = span(pool, level - 1);
    for (size_t i = slot_index(pool, level, from); i < fan(pool); i++) {
        uint64_t start = i * child_span;
        uint64_t found = next_hole(pool, as_node(slot)->slots[i], level - 1,
                                   mfs_sub_saturating(from, start));
        if (found != MFS_NO_INDEX)
            return start + found;
    }
    return MFS_NO_INDEX;
}

uint64_t mfs_radix_next_hole(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t from)
{
    uint64_t found = next_hole(pool, tree.root, tree.height, from);
    return found != MFS_NO_INDEX ? found : mfs_max_u64(from, span(pool, tree.height));
}

/* ---------------------------------------------------------------- planning */

/* What pages first .. last of trees of height `level`, all absent, will take. */
static void plan_absent(const struct mfs_pool *pool, unsigned level, uint64_t first, uint64_t last,
                        struct mfs_need *need)
{
    need->pages += last - first + 1;
    for (unsigned l = 1; l <= level; l++) {
        unsigned shift = fan_shift(pool) * l;
        need->nodes += (last >> shift) - (first >> shift) + 1;
    }
}

static void plan_own(const struct mfs_pool *pool, uintptr_t slot, unsigned level, uint64_t first,
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
    if (shared || !node_is_exclusive(as_node(slot))) {
        shared = true;
        need->nodes++;
    }
    uint64_t child_span = span(pool, level - 1);
    size_t end = slot_index(pool, level, last);
    for (size_t i = slot_index(pool, level, first); i <= end; i++) {
        uint64_t start = i * child_span;
        plan_own(pool, as_node(slot)->slots[i], level - 1, mfs_sub_saturating(first, start),
                 mfs_min_u64(last - start, child_span - 1), shared, need);
    }
}

void mfs_radix_plan_own(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t first,
                        uint64_t last, struct mfs_need *need)
{
    MFS_CHECK(first <= last);
    unsigned height = height_for(pool, last);
    if (tree.root == 0) {
        plan_absent(pool, height, first, last, need);
        return;
    }
    /* Where the tree must grow, new roots stand above the old one, which is slot 0 of the last. */
    for (; height > tree.height; height--) {
        uint64_t covered = span(pool, height - 1);
        need->nodes++;
        if (last < covered)
            continue;
        plan_absent(pool, height - 1, mfs_max_u64(first, covered), last, need);
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
    return next_page(pool, slot, level, first) <= last;
}

static void plan_drop(const struct mfs_pool *pool, uintptr_t slot, unsigned level, uint64_t first,
                      uint64_t last, bool shared, struct mfs_need *need)
{
    if (slot == 0 || level == 0 || (first == 0 && last >= span(pool, level) - 1))
        return;
    if (shared || !node_is_exclusive(as_node(slot))) {
        if (!any_page(pool, slot, level, first, last))
            return;
        shared = true;
        need->nodes++;
    }
    uint64_t child_span = span(pool, level - 1);
    size_t end = slot_index(pool, level, last);
    for (size_t i = slot_index(pool, level, first); i <= end; i++) {
        uint64_t start = i * child_span;
        plan_drop(pool, as_node(slot)->slots[i], level - 1, mfs_sub_saturating(first, start),
                  mfs_min_u64(last - start, child_span - 1), shared, need);
    }
}

void mfs_radix_plan_drop(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t first,
                         uint64_t last, struct mfs_need *need)
{
    uint64_t most = span(pool, tree.height) - 1;
    if (first <= most)
        plan_drop(pool, tree.root, tree.height, first, mfs_min_u64(last, most), false, need);
}

/* ---------------------------------------------------------------- changing */

/* Makes the node in `*slot` one that may be written. */
static struct mfs_radix_node *own_node(struct mfs_pool *pool, uintptr_t *slot, unsigned level,
                                       struct mfs_stash *stash)
{
    struct mfs_radix_node *node = as_node(*slot);
    if (node != NULL && node_is_exclusive(node))
        return node;
    struct mfs_radix_node *own = stash_node(stash);
    if (node != NULL) {
        own->pages = node->pages;
        for (size_t i = 0; i < fan(pool); i++) {
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

static mfs_page own_page(struct mfs_pool *pool, uintptr_t *slot, size_t from, size_t to,
                         struct mfs_stash *stash)
{
    mfs_page page = *slot;
    if (page != 0 && mfs_page_is_exclusive(pool, page))
        return page;
    mfs_page own = mfs_page_list_pop(pool, &stash->pages);
    fill_page(pool, own, page, from, to);
    if (page != 0) {
        mfs_page_release(pool, page);
        stash->has_replaced = true;
    }
    *slot = own;
    return own;
}

/* Puts new roots above the old one until `index` is covered. */
static void grow_height(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t index,
                        struct mfs_stash *stash)
{
    unsigned height = height_for(pool, index);
    if (tree->root == 0)
        tree->height = (uint8_t)mfs_max_size(height, tree->height);
    while (tree->height < height) {
        struct mfs_radix_node *root = stash_node(stash);
        root->slots[0] = tree->root;
        root->pages = pages_below(tree->root, tree->height);
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
    for (unsigned level = tree->height; level > 0; level--) {
        struct mfs_radix_node *node = own_node(pool, slot, level, stash);
        node->pages += added;
        slot = &node->slots[slot_index(pool, level, index)];
    }
    return own_page(pool, slot, from, to, stash);
}

/* Where the page at `index` is or would be, if all nodes on the way are there and private. */
static uintptr_t *private_slot(const struct mfs_pool *pool, struct mfs_radix *tree, uint64_t index)
{
    if (index >= span(pool, tree->height))
        return NULL;
    uintptr_t *slot = &tree->root;
    for (unsigned level = tree->height; level > 0; level--) {
        struct mfs_radix_node *node = as_node(*slot);
        if (node == NULL || !node_is_exclusive(node))
            return NULL;
        slot = &node->slots[slot_index(pool, level, index)];
    }
    return slot;
}

static void count_page(const struct mfs_pool *pool, const struct mfs_radix *tree, uint64_t index)
{
    uintptr_t slot = tree->root;
    for (unsigned level = tree->height; level > 0; level--) {
        as_node(slot)->pages++;
        slot = as_node(slot)->slots[slot_index(pool, level, index)];
    }
}

int mfs_radix_own_one(struct mfs_pool *pool, enum mfs_rank rank, struct mfs_radix *tree,
                      uint64_t index, size_t from, size_t to, struct mfs_stash *stash,
                      mfs_page *out)
{
    struct mfs_need need = {.rank = rank};
    uintptr_t *slot = private_slot(pool, tree, index);
    if (slot == NULL) {
        mfs_radix_plan_own(pool, *tree, index, index, &need);
        int error = mfs_stash_fill(pool, &need, stash);
        if (error != 0)
            return error;
        *out = mfs_radix_own(pool, tree, index, from, to, stash);
        mfs_stash_release(pool, stash);
        return 0;
    }
    bool was_hole = *slot == 0;
    if (was_hole || !mfs_page_is_exclusive(pool, *slot)) {
        int error = mfs_pool_take(pool, rank, 1, &stash->pages);
        if (error != 0)
            return error;
    }
    *out = own_page(pool, slot, from, to, stash);
    /* Whoever else held the old page may have let go meanwhile. */
    mfs_page_list_release(pool, &stash->pages);
    if (was_hole)
        count_page(pool, tree, index);
    return 0;
}

/* Returns the number of pages that went. */
static uint64_t drop(struct mfs_pool *pool, uintptr_t *slot, unsigned level, uint64_t first,
                     uint64_t last, struct mfs_stash *stash)
{
    if (*slot == 0)
        return 0;
    if (first == 0 && last >= span(pool, level) - 1) {
        uint64_t gone = pages_below(*slot, level);
        release_slot(pool, *slot, level);
        *slot = 0;
        stash->has_replaced = true;
        return gone;
    }
    if (!node_is_exclusive(as_node(*slot)) && !any_page(pool, *slot, level, first, last))
        return 0;
    struct mfs_radix_node *node = own_node(pool, slot, level, stash);
    uint64_t child_span = span(pool, level - 1);
    uint64_t gone = 0;
    size_t end = slot_index(pool, level, last);
    for (size_t i = slot_index(pool, level, first); i <= end; i++) {
        uint64_t start = i * child_span;
        gone += drop(pool, &node->slots[i], level - 1, mfs_sub_saturating(first, start),
                     mfs_min_u64(last - start, child_span - 1), stash);
    }
    MFS_CHECK(node->pages >= gone);
    node->pages -= gone;
    if (node->pages == 0) {
        free_node(pool, node);
        *slot = 0;
    }
    return gone;
}

/* Takes off roots that have nothing but slot 0. */
static void shrink_height(struct mfs_pool *pool, struct mfs_radix *tree)
{
    while (tree->height > 0 && tree->root != 0) {
        struct mfs_radix_node *root = as_node(tree->root);
        if (!node_is_exclusive(root) ||
            pages_below(root->slots[0], tree->height - 1u) != root->pages)
            return;
        tree->root = root->slots[0];
        tree->height--;
        free_node(pool, root);
    }
    if (tree->root == 0)
        tree->height = 0;
}

void mfs_radix_drop(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t first, uint64_t last,
                    struct mfs_stash *stash)
{
    uint64_t most = span(pool, tree->height) - 1;
    if (first > most)
        return;
    (void)drop(pool, &tree->root, tree->height, first, mfs_min_u64(last, most), stash);
    shrink_height(pool, tree);
}

/* ------------------------------------------------------------------- audit */

#define MARK ((uint64_t)1 << 63) /* in a node's `pages`, while an audit runs */

static void tally_slot(const struct mfs_pool *pool, uintptr_t slot, unsigned level,
                       struct mfs_tally *tally)
{
    if (slot == 0)
        return;
    if (level == 0) {
        tally->page_visits++;
        if (mfs_page_mark(pool, slot)) {
            tally->pages++;
            tally->page_references += mfs_page_references(pool, slot);
        }
        return;
    }
    struct mfs_radix_node *node = as_node(slot);
    tally->node_visits++;
    if ((node->pages & MARK) != 0)
        return;
    uint64_t pages = 0;
    for (size_t i = 0; i < fan(pool); i++) {
        pages += pages_below(node->slots[i], level - 1) & ~MARK;
        tally_slot(pool, node->slots[i], level - 1, tally);
    }
    if (pages != node->pages || pages == 0)
        tally->is_valid = false;
    tally->nodes++;
    tally->node_references += atomic_load(&node->u.references);
    node->pages |= MARK;
}

void mfs_radix_tally(const struct mfs_pool *pool, struct mfs_radix tree, struct mfs_tally *tally)
{
    if (tree.root == 0 && tree.height != 0)
        tally->is_valid = false;
    tally_slot(pool, tree.root, tree.height, tally);
}

static void unmark_slot(const struct mfs_pool *pool, uintptr_t slot, unsigned level)
{
    if (slot == 0)
        return;
    if (level == 0) {
        mfs_page_unmark(pool, slot);
        return;
    }
    struct mfs_radix_node *node = as_node(slot);
    if ((node->pages & MARK) == 0)
        return;
    node->pages &= ~MARK;
    for (size_t i = 0; i < fan(pool); i++)
        unmark_slot(pool, node->slots[i], level - 1);
}

void mfs_radix_unmark(const struct mfs_pool *pool, struct mfs_radix tree)
{
    unmark_slot(pool, tree.root, tree.height);
}
