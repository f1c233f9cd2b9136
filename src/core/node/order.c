/*
 * 1. The entries in the leaves, from left to right, have increasing sequence numbers.
 * 2. The number beside a branch is at most the lowest in it, and higher than all to its left.
 *    It stays when the lowest entry goes, so that a removal changes no node above.
 * 3. No node is empty, and an inner root has more than one branch.
 * 4. Every node but the root has MFS_CHUNK_MOST bytes.  The root begins small and grows by
 *    doubling, so that a small directory has a small tree.
 * 5. An inner node knows how many items the nodes below it have.  As soon as, after a removal,
 *    these fit into one node less, they are packed to the left.  So a parent of 14 nodes has less
 *    than one of them empty, whatever was removed and in whatever order.
 * 6. All nodes that lie wholly to the left of `packed_to` are full.  A removal moves it there to
 *    the left; every addition fills one node of each level and moves it to the right.  So what
 *    had its place before finds it again, when as many names have come as had gone.
 *
 * Cost: one pointer for each entry, and a tenth of one for the rest.  Every operation takes one
 * step for each level (five for a million entries).  A removal packs 14 chunks at most, and that
 * once in 29 removals; an addition fills one chunk of each level at most.
 */
#include "node/order.h"

#include "base/check.h"
#include "base/num.h"
#include "node/ordernode.h"

#include <string.h>

enum { LEAF_ROOT_BYTES = 32, INNER_ROOT_BYTES = 64 };

#define ALL_PACKED UINT64_MAX

_Static_assert(INNER_ROOT_BYTES >=
                   sizeof(struct mfs_ordernode_inner) + 2 * sizeof(struct mfs_ordernode_branch),
               "a new root has room for two branches");

/* --------------------------------------------------------------- searching */

static struct mfs_ordernode_leaf *way_to(const struct mfs_order *order, uint64_t sequence,
                                         struct mfs_ordernode_path *path)
{
    return mfs_ordernode_descend(order->root, order->height, sequence, path);
}

struct mfs_dirent *mfs_order_find(const struct mfs_order *order, uint64_t sequence)
{
    struct mfs_ordernode_path path;
    if (order->root == NULL)
        return NULL;
    struct mfs_ordernode_leaf *leaf = way_to(order, sequence, &path);
    uint32_t at = mfs_ordernode_find(leaf, sequence);
    if (at < leaf->head.count)
        return leaf->entries[at];
    leaf = mfs_ordernode_go_right(&path, 0);
    return leaf != NULL ? leaf->entries[0] : NULL;
}

/* The last leaf, and the node above it or null. */
static struct mfs_ordernode_leaf *last_leaf(const struct mfs_order *order,
                                            struct mfs_ordernode_inner **parent)
{
    void *node = order->root;
    *parent = NULL;
    for (unsigned level = order->height; level > 0; level--) {
        *parent = node;
        node = (*parent)->branches[(*parent)->head.count - 1].node;
    }
    return node;
}

struct mfs_dirent *mfs_order_last(const struct mfs_order *order)
{
    struct mfs_ordernode_inner *parent;
    if (order->root == NULL)
        return NULL;
    const struct mfs_ordernode_leaf *leaf = last_leaf(order, &parent);
    return leaf->entries[leaf->head.count - 1];
}

struct mfs_dirent *const *mfs_order_only_leaf(const struct mfs_order *order, uint32_t *count)
{
    struct mfs_ordernode_leaf *leaf = order->root;
    if (leaf == NULL || order->height != 0)
        return NULL;
    *count = leaf->head.count;
    return leaf->entries;
}

static uint32_t place_of(const struct mfs_ordernode_leaf *leaf, const struct mfs_dirent *entry)
{
    uint32_t at = mfs_ordernode_find(leaf, entry->sequence);
    MFS_CHECK(at < leaf->head.count && leaf->entries[at] == entry);
    return at;
}

/* Where the entry's pointer is. */
static struct mfs_dirent **slot_of_entry(const struct mfs_order *order,
                                         const struct mfs_dirent *entry)
{
    struct mfs_ordernode_path path;
    MFS_CHECK(order->root != NULL);
    struct mfs_ordernode_leaf *leaf = way_to(order, entry->sequence, &path);
    return &leaf->entries[place_of(leaf, entry)];
}

void mfs_order_replace(struct mfs_order *order, const struct mfs_dirent *old,
                       struct mfs_dirent *entry)
{
    struct mfs_dirent **slot = slot_of_entry(order, old);
    entry->sequence = old->sequence;
    *slot = entry;
}

void mfs_order_exchange(struct mfs_order *order, struct mfs_dirent *a, struct mfs_dirent *b)
{
    struct mfs_dirent **a_slot = slot_of_entry(order, a), **b_slot = slot_of_entry(order, b);
    uint64_t sequence = a->sequence;
    a->sequence = b->sequence;
    b->sequence = sequence;
    *a_slot = b;
    *b_slot = a;
}

/* ------------------------------------------------------------------ adding */

/* The last node of each level. */
static void find_last_nodes(const struct mfs_order *order, struct mfs_ordernode **last)
{
    MFS_CHECK(order->height <= MFS_ORDERNODE_HEIGHT_MOST);
    void *node = order->root;
    for (unsigned level = order->height; level > 0; level--) {
        const struct mfs_ordernode_inner *inner = node;
        last[level] = node;
        node = inner->branches[inner->head.count - 1].node;
    }
    last[0] = node;
}

static uint64_t packed_to(const struct mfs_order *order)
{
    const struct mfs_ordernode_inner *root = order->root;
    return order->height > 0 ? root->packed_to : ALL_PACKED;
}

static void set_packed_to(struct mfs_order *order, uint64_t sequence)
{
    struct mfs_ordernode_inner *root = order->root;
    if (order->height > 0)
        root->packed_to = sequence;
}

/* What a root that is too small grows to. */
static size_t grown_bytes(const struct mfs_ordernode *root)
{
    return mfs_num_min_size((size_t)root->bytes * 2, MFS_CHUNK_MOST);
}

int mfs_order_prepare(const struct mfs_order *order, const struct mfs_chunk_source *source,
                      struct mfs_chunk **spares)
{
    struct mfs_ordernode *last[MFS_ORDERNODE_HEIGHT_MOST + 1];
    struct mfs_ordernode_inner *parent;
    if (order->root == NULL)
        return mfs_chunk_set_aside(source, LEAF_ROOT_BYTES, spares);
    if (!mfs_ordernode_is_full(&last_leaf(order, &parent)->head, 0))
        return 0;
    find_last_nodes(order, last);
    for (unsigned level = 0; level <= order->height; level++) {
        if (!mfs_ordernode_is_full(last[level], level))
            return 0;
        if (last[level]->bytes < MFS_CHUNK_MOST)
            return mfs_chunk_set_aside(source, grown_bytes(last[level]), spares);
        int error = mfs_chunk_set_aside(source, MFS_CHUNK_MOST, spares);
        if (error != 0)
            return error;
    }
    return mfs_chunk_set_aside(source, INNER_ROOT_BYTES, spares);
}

struct mfs_order_plan mfs_order_plan(const struct mfs_order *order)
{
    struct mfs_order_plan plan = {.height = order->height, .is_empty = order->root == NULL};
    struct mfs_ordernode *last[MFS_ORDERNODE_HEIGHT_MOST + 1];
    if (plan.is_empty)
        return plan;
    find_last_nodes(order, last);
    for (unsigned level = 0; level <= order->height; level++) {
        plan.last[level].count = last[level]->count;
        plan.last[level].bytes = last[level]->bytes;
    }
    return plan;
}

/* Whether the last node of a level has no room; a root that can grow is given what it needs. */
static int plan_level(struct mfs_order_plan *plan, unsigned level,
                      const struct mfs_chunk_source *source, struct mfs_chunk **spares,
                      bool *is_full)
{
    uint32_t count = plan->last[level].count;
    size_t bytes = plan->last[level].bytes;
    *is_full = count == mfs_ordernode_items_in(bytes, level);
    if (!*is_full || bytes >= MFS_CHUNK_MOST)
        return 0;
    MFS_CHECK(level == plan->height);
    *is_full = false;
    plan->last[level].bytes = mfs_num_min_size(bytes * 2, MFS_CHUNK_MOST);
    return mfs_chunk_set_aside(source, plan->last[level].bytes, spares);
}

int mfs_order_plan_addition(struct mfs_order_plan *plan, const struct mfs_chunk_source *source,
                            struct mfs_chunk **spares)
{
    if (plan->is_empty) {
        plan->is_empty = false;
        plan->last[0].count = 1;
        plan->last[0].bytes = LEAF_ROOT_BYTES;
        return mfs_chunk_set_aside(source, LEAF_ROOT_BYTES, spares);
    }
    for (unsigned level = 0; level <= plan->height; level++) {
        bool is_full;
        int error = plan_level(plan, level, source, spares, &is_full);
        if (error == 0 && is_full)
            error = mfs_chunk_set_aside(source, MFS_CHUNK_MOST, spares);
        if (error != 0 || !is_full) {
            plan->last[level].count++;
            return error;
        }
        plan->last[level].count = 1;
    }
    MFS_CHECK(plan->height < MFS_ORDERNODE_HEIGHT_MOST);
    plan->height++;
    plan->last[plan->height].count = 2;
    plan->last[plan->height].bytes = INNER_ROOT_BYTES;
    return mfs_chunk_set_aside(source, INNER_ROOT_BYTES, spares);
}

static struct mfs_ordernode *make_node(struct mfs_chunk **spares, size_t bytes)
{
    struct mfs_ordernode *node = mfs_chunk_use(spares, bytes);
    node->bytes = (uint16_t)bytes;
    return node;
}

/* Puts a larger node in the place of the root. */
static void grow_order_root(struct mfs_order *order, const struct mfs_chunk_source *source,
                            struct mfs_chunk **spares)
{
    struct mfs_ordernode *old = order->root, *grown = make_node(spares, grown_bytes(old));
    uint16_t bytes = grown->bytes;
    memcpy(grown, old, old->bytes);
    grown->bytes = bytes;
    order->root = grown;
    mfs_chunk_free(source, old, old->bytes);
}

static void add_root(struct mfs_order *order, struct mfs_chunk **spares,
                     const struct mfs_ordernode_branch *second)
{
    struct mfs_ordernode_branch first = {.node = order->root};
    struct mfs_ordernode *root = make_node(spares, INNER_ROOT_BYTES);
    MFS_CHECK(order->height < MFS_ORDERNODE_HEIGHT_MOST);
    ((struct mfs_ordernode_inner *)(void *)root)->packed_to = packed_to(order);
    order->height++;
    order->root = root;
    mfs_ordernode_add(root, order->height, &first);
    mfs_ordernode_add(root, order->height, second);
}

/* Where the last leaf is full: the nodes that are set aside come into use. */
static void append_node(struct mfs_order *order, const struct mfs_chunk_source *source,
                        struct mfs_chunk **spares, struct mfs_dirent *entry)
{
    struct mfs_ordernode *last[MFS_ORDERNODE_HEIGHT_MOST + 1];
    struct mfs_ordernode_branch branch = {.from = entry->sequence};
    const void *item = &entry;
    find_last_nodes(order, last);
    for (unsigned level = 0; level <= order->height; level++) {
        if (mfs_ordernode_is_full(last[level], level) && last[level]->bytes < MFS_CHUNK_MOST) {
            MFS_CHECK(level == order->height);
            grow_order_root(order, source, spares);
            last[level] = order->root;
        }
        if (!mfs_ordernode_is_full(last[level], level)) {
            mfs_ordernode_add(last[level], level, item);
            if (level < order->height)
                last[level + 1]->below++;
            return;
        }
        struct mfs_ordernode *node = make_node(spares, MFS_CHUNK_MOST);
        mfs_ordernode_add(node, level, item);
        branch.node = node;
        item = &branch;
    }
    add_root(order, spares, &branch);
}

/* ---------------------------------------------------------------- removing */

/* Moves the items of all nodes below `parent`, at `level`, to the left, so that empty nodes are
 * on the right. */
static void pack_below(struct mfs_ordernode_inner *parent, unsigned level)
{
    uint32_t to = 0;
    for (uint32_t from = 1; from < parent->head.count; from++) {
        struct mfs_ordernode *right = parent->branches[from].node;
        for (; to < from && right->count > 0; to++) {
            struct mfs_ordernode *left = parent->branches[to].node;
            (void)mfs_ordernode_move(left, right, level);
            if (!mfs_ordernode_is_full(left, level))
                break;
        }
    }
    for (uint32_t i = 1; i < parent->head.count; i++) {
        const struct mfs_ordernode *node = parent->branches[i].node;
        if (node->count != 0)
            parent->branches[i].from = mfs_ordernode_number(node, level, 0);
    }
}

/*
 * Drops nodes below `parent`, at `level`, as soon as the items fit into fewer; returns how many
 * nodes went.
 */
static uint32_t drop_spare_nodes(struct mfs_ordernode_inner *parent,
                                 const struct mfs_chunk_source *source, unsigned level)
{
    const uint32_t capacity = mfs_ordernode_items_in(MFS_CHUNK_MOST, level);
    uint32_t dropped = 0;
    if (parent->head.below > (parent->head.count - 1u) * capacity)
        return 0;
    pack_below(parent, level);
    while (parent->head.count > 0) {
        struct mfs_ordernode *last = parent->branches[parent->head.count - 1].node;
        if (last->count != 0)
            break;
        mfs_chunk_free(source, last, last->bytes);
        parent->head.count--;
        dropped++;
    }
    return dropped;
}

/* Replaces an inner root that has one branch by that branch, and drops an empty root. */
static void lower_order_root(struct mfs_order *order, const struct mfs_chunk_source *source)
{
    struct mfs_ordernode *root = order->root;
    while (order->height > 0 && root->count == 1) {
        const struct mfs_ordernode_inner *inner = order->root;
        uint64_t sequence = inner->packed_to;
        order->root = inner->branches[0].node;
        order->height--;
        set_packed_to(order, sequence);
        mfs_chunk_free(source, root, root->bytes);
        root = order->root;
    }
    if (root->count != 0)
        return;
    MFS_CHECK(order->height == 0);
    order->root = NULL;
    mfs_chunk_free(source, root, root->bytes);
}

void mfs_order_remove(struct mfs_order *order, const struct mfs_chunk_source *source,
                      const struct mfs_dirent *entry)
{
    struct mfs_ordernode_path path;
    MFS_CHECK(order->root != NULL);
    struct mfs_ordernode_leaf *leaf = way_to(order, entry->sequence, &path);
    struct mfs_ordernode_inner *parent;
    if (entry->sequence < packed_to(order) && leaf != last_leaf(order, &parent))
        set_packed_to(order, entry->sequence);
    mfs_ordernode_remove(&leaf->head, 0, place_of(leaf, entry));
    uint32_t removed = 1;
    for (unsigned level = 0; level < order->height && removed > 0; level++) {
        parent = path.nodes[level + 1];
        MFS_CHECK(parent->head.below >= removed);
        parent->head.below -= removed;
        removed = drop_spare_nodes(parent, source, level);
    }
    lower_order_root(order, source);
}

/* ----------------------------------------------------------------- packing */

/* The node at `level` on the path has lost its first items: the numbers beside it follow. */
static void raise_numbers(const struct mfs_ordernode_path *path, unsigned level)
{
    uint64_t from = mfs_ordernode_number(mfs_ordernode_on_path(path, level), level, 0);
    for (unsigned above = level + 1; above <= path->height; above++) {
        path->nodes[above]->branches[path->at[above]].from = from;
        if (path->at[above] != 0)
            break;
    }
}

/* Drops the empty node at `level` on the path, and those above that are empty without it. */
static void drop_empty_nodes(const struct mfs_order *order, const struct mfs_chunk_source *source,
                             const struct mfs_ordernode_path *path, unsigned level)
{
    struct mfs_ordernode *node = mfs_ordernode_on_path(path, level), *parent;
    do {
        MFS_CHECK(node->count == 0 && level < order->height);
        mfs_chunk_free(source, node, node->bytes);
        level++;
        parent = &path->nodes[level]->head;
        mfs_ordernode_remove(parent, level, path->at[level]);
        if (level < order->height)
            path->nodes[level + 1]->head.below--;
        node = parent;
    } while (parent->count == 0);
    if (path->at[level] == 0)
        raise_numbers(path, level);
}

/* Fills the node at `level` on the path from its right neighbour, which may be a cousin. */
static void fill_from_right(const struct mfs_order *order, const struct mfs_chunk_source *source,
                            const struct mfs_ordernode_path *path, unsigned level)
{
    struct mfs_ordernode_path right = *path;
    struct mfs_ordernode *left = mfs_ordernode_on_path(path, level);
    struct mfs_ordernode *node = mfs_ordernode_is_full(left, level)
                                     ? NULL
                                     : mfs_ordernode_go_right(&right, level);
    if (node == NULL)
        return;
    uint32_t moved = mfs_ordernode_move(left, node, level);
    path->nodes[level + 1]->head.below += moved;
    right.nodes[level + 1]->head.below -= moved;
    if (node->count == 0)
        drop_empty_nodes(order, source, &right, level);
    else
        raise_numbers(&right, level);
}

/* Whether all nodes on `path` that are not on `next`, the path to the next leaf, are full. */
static bool is_full_behind(const struct mfs_ordernode_path *path,
                           const struct mfs_ordernode_path *next)
{
    for (unsigned level = 0; level < path->height; level++) {
        const struct mfs_ordernode *node = mfs_ordernode_on_path(path, level);
        if (level > 0 && node == mfs_ordernode_on_path(next, level))
            return true;
        if (!mfs_ordernode_is_full(node, level))
            return false;
    }
    return true;
}

/* One step of packing: fills one node of each level, and goes on to the next leaf, unless that
 * would leave behind a node from which filling the lower level has just taken a branch. */
static void pack_more(struct mfs_order *order, const struct mfs_chunk_source *source)
{
    struct mfs_ordernode_path path;
    (void)way_to(order, packed_to(order), &path);
    for (unsigned level = order->height; level-- > 0;)
        fill_from_right(order, source, &path, level);
    struct mfs_ordernode_path next_path = path;
    const struct mfs_ordernode_leaf *next = (const void *)mfs_ordernode_go_right(&next_path, 0);
    if (next == NULL)
        set_packed_to(order, ALL_PACKED);
    else if (is_full_behind(&path, &next_path))
        set_packed_to(order, next->entries[0]->sequence);
    lower_order_root(order, source);
}

void mfs_order_append_planned(struct mfs_order *order, const struct mfs_chunk_source *source,
                              struct mfs_chunk **spares, struct mfs_dirent *entry)
{
    struct mfs_ordernode_inner *parent;
    MFS_CHECK(entry->sequence != 0);
    if (order->root == NULL)
        order->root = make_node(spares, LEAF_ROOT_BYTES);
    struct mfs_ordernode_leaf *leaf = last_leaf(order, &parent);
    if (mfs_ordernode_is_full(&leaf->head, 0)) {
        append_node(order, source, spares, entry);
    } else {
        leaf->entries[leaf->head.count++] = entry;
        if (parent != NULL)
            parent->head.below++;
    }
}

void mfs_order_append(struct mfs_order *order, const struct mfs_chunk_source *source,
                      struct mfs_chunk **spares, struct mfs_dirent *entry)
{
    mfs_order_append_planned(order, source, spares, entry);
    if (packed_to(order) != ALL_PACKED)
        pack_more(order, source);
}

/* ------------------------------------------------------- going through all */

void mfs_order_shift(struct mfs_order *order, uint64_t shift)
{
    if (packed_to(order) != ALL_PACKED)
        set_packed_to(order, packed_to(order) + shift);
    struct mfs_ordernode_visit visit = mfs_ordernode_visit_first(order->root, order->height);
    for (; visit.node != NULL; mfs_ordernode_visit_next(&visit)) {
        struct mfs_ordernode_leaf *leaf = (void *)visit.node;
        struct mfs_ordernode_inner *inner = (void *)visit.node;
        for (uint32_t i = 0; i < visit.node->count; i++) {
            if (visit.level == 0)
                leaf->entries[i]->sequence += shift;
            else
                inner->branches[i].from += shift;
        }
    }
}

uint64_t mfs_order_cost(const struct mfs_order *order, const struct mfs_chunk_source *source)
{
    uint64_t cost = 0;
    struct mfs_ordernode_visit visit = mfs_ordernode_visit_first(order->root, order->height);
    for (; visit.node != NULL; mfs_ordernode_visit_next(&visit))
        cost += mfs_chunk_cost(source, visit.node->bytes);
    return cost;
}

/* The leaf to the left of which all nodes are full; null in an empty tree. */
static const struct mfs_ordernode *first_loose_leaf(const struct mfs_order *order)
{
    struct mfs_ordernode_path path;
    return order->root != NULL ? &way_to(order, packed_to(order), &path)->head : NULL;
}

bool mfs_order_is_valid(const struct mfs_order *order, uint64_t entries)
{
    uint64_t found = 0, highest[MFS_ORDERNODE_HEIGHT_MOST + 1] = {0};
    const struct mfs_ordernode *loose = first_loose_leaf(order);
    bool is_packed = true;
    struct mfs_ordernode_visit visit = mfs_ordernode_visit_first(order->root, order->height);
    for (; visit.node != NULL; mfs_ordernode_visit_next(&visit)) {
        const struct mfs_ordernode *node = visit.node;
        unsigned level = visit.level;
        if (node->count == 0 || node->count > mfs_ordernode_items_in(node->bytes, level))
            return false;
        is_packed = is_packed && node != loose;
        if (is_packed && !mfs_ordernode_is_full(node, level))
            return false;
        if (level > 0 && node->below != mfs_ordernode_items_below(node, node->count))
            return false;
        for (uint32_t i = 0; i < node->count; i++) {
            uint64_t number = mfs_ordernode_number(node, level, i);
            if (number < highest[level] || (level == 0 && number == highest[0]))
                return false;
            highest[level] = number;
        }
        found += level == 0 ? node->count : 0;
    }
    return found == entries;
}
