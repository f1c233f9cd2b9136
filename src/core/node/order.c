/*
 * 1. The entries in the leaves, from left to right, have increasing sequence numbers.
 * 2. The number beside a branch is at most the lowest in it, and higher than all to its left.
 *    It stays when the lowest entry goes, so that a removal changes no node above.
 * 3. No node is empty, and an inner root has more than one branch.
 * 4. Every node but the root has MFS_PIECE_MOST bytes.  The root begins small and grows by
 *    doubling, so that a small directory has a small tree.
 * 5. An inner node knows how many items the nodes below it have.  As soon as, after a removal,
 *    these fit into one node less, they are packed to the left.  So a parent of 15 nodes has less
 *    than one of them empty, whatever was removed and in whatever order.
 *
 * Cost: one pointer for each entry, and a fifteenth for the rest.  Every operation takes one step
 * for each level (five for a million entries).  Packing moves 15 pieces at most, once in 31
 * removals.
 */
#include "node/order.h"

#include "base/check.h"

#include <string.h>

enum { LEAF_ROOT_BYTES = 32, INNER_ROOT_BYTES = 64, HEIGHT_MOST = 16 };

struct order_head {
    uint16_t count; /* of entries in a leaf, of branches in an inner node */
    uint16_t bytes; /* of the piece */
    uint32_t below; /* of an inner node: the sum of the counts of the nodes that branch off */
};

/* What an inner node leads to, and from which number on. */
struct order_branch {
    uint64_t from;
    void *node;
};

struct order_leaf {
    struct order_head head;
    struct mfs_dirent *entries[];
};

struct order_inner {
    struct order_head head;
    struct order_branch branches[];
};

_Static_assert(INNER_ROOT_BYTES >= sizeof(struct order_inner) + 2 * sizeof(struct order_branch),
               "a new root has room for two branches");

/* The way from the root to a node at level 0: at each level above, the node and the branch. */
struct order_path {
    struct order_inner *nodes[HEIGHT_MOST + 1];
    uint32_t at[HEIGHT_MOST + 1];
};

static size_t item_bytes(unsigned level)
{
    return level == 0 ? sizeof(struct mfs_dirent *) : sizeof(struct order_branch);
}

static uint32_t node_capacity(const struct order_head *node, unsigned level)
{
    return (uint32_t)((node->bytes - sizeof *node) / item_bytes(level));
}

/* The capacity of a node of the largest size. */
static uint32_t most_items(unsigned level)
{
    return (uint32_t)((MFS_PIECE_MOST - sizeof(struct order_head)) / item_bytes(level));
}

static bool is_full(const struct order_head *node, unsigned level)
{
    return node->count == node_capacity(node, level);
}

static unsigned char *item_at(struct order_head *node, unsigned level, uint32_t at)
{
    return (unsigned char *)(node + 1) + at * item_bytes(level);
}

/* The number of an entry, or the one beside a branch. */
static uint64_t number_at(const struct order_head *node, unsigned level, uint32_t at)
{
    return level == 0 ? ((const struct order_leaf *)(const void *)node)->entries[at]->sequence
                      : ((const struct order_inner *)(const void *)node)->branches[at].from;
}

/* --------------------------------------------------------------- searching */

/* The last branch that may lead to `sequence`. */
static uint32_t branch_for(const struct order_inner *node, uint64_t sequence)
{
    uint32_t low = 1, high = node->head.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (node->branches[middle].from <= sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

/* The first entry of the leaf whose number is `sequence` or higher; `count` if there is none. */
static uint32_t place_in_leaf(const struct order_leaf *leaf, uint64_t sequence)
{
    uint32_t low = 0, high = leaf->head.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (leaf->entries[middle]->sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct order_leaf *descend(const struct mfs_order *order, uint64_t sequence,
                                  struct order_path *path)
{
    void *node = order->root;
    for (unsigned level = order->height; level > 0; level--) {
        path->nodes[level] = node;
        path->at[level] = branch_for(node, sequence);
        node = path->nodes[level]->branches[path->at[level]].node;
    }
    return node;
}

/* The leaf behind the one that the path leads to, or null; the path then leads there. */
static struct order_leaf *next_leaf(const struct mfs_order *order, struct order_path *path)
{
    unsigned level = 1;
    while (level <= order->height && path->at[level] + 1 == path->nodes[level]->head.count)
        level++;
    if (level > order->height)
        return NULL;
    void *node = path->nodes[level]->branches[++path->at[level]].node;
    while (--level > 0) {
        path->nodes[level] = node;
        path->at[level] = 0;
        node = path->nodes[level]->branches[0].node;
    }
    return node;
}

struct mfs_dirent *mfs_order_find(const struct mfs_order *order, uint64_t sequence)
{
    struct order_path path;
    if (order->root == NULL)
        return NULL;
    struct order_leaf *leaf = descend(order, sequence, &path);
    uint32_t at = place_in_leaf(leaf, sequence);
    if (at < leaf->head.count)
        return leaf->entries[at];
    leaf = next_leaf(order, &path);
    return leaf != NULL ? leaf->entries[0] : NULL;
}

/* The last leaf, and the node above it or null. */
static struct order_leaf *last_leaf(const struct mfs_order *order, struct order_inner **parent)
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
    struct order_inner *parent;
    if (order->root == NULL)
        return NULL;
    const struct order_leaf *leaf = last_leaf(order, &parent);
    return leaf->entries[leaf->head.count - 1];
}

struct mfs_dirent *const *mfs_order_only_leaf(const struct mfs_order *order, uint32_t *count)
{
    struct order_leaf *leaf = order->root;
    if (leaf == NULL || order->height != 0)
        return NULL;
    *count = leaf->head.count;
    return leaf->entries;
}

static uint32_t place_of(const struct order_leaf *leaf, const struct mfs_dirent *entry)
{
    uint32_t at = place_in_leaf(leaf, entry->sequence);
    MFS_CHECK(at < leaf->head.count && leaf->entries[at] == entry);
    return at;
}

/* Where the entry's pointer is. */
static struct mfs_dirent **slot_of(const struct mfs_order *order, const struct mfs_dirent *entry)
{
    struct order_path path;
    MFS_CHECK(order->root != NULL);
    struct order_leaf *leaf = descend(order, entry->sequence, &path);
    return &leaf->entries[place_of(leaf, entry)];
}

void mfs_order_replace(struct mfs_order *order, const struct mfs_dirent *old,
                       struct mfs_dirent *entry)
{
    struct mfs_dirent **slot = slot_of(order, old);
    entry->sequence = old->sequence;
    *slot = entry;
}

void mfs_order_exchange(struct mfs_order *order, struct mfs_dirent *a, struct mfs_dirent *b)
{
    struct mfs_dirent **a_slot = slot_of(order, a), **b_slot = slot_of(order, b);
    uint64_t sequence = a->sequence;
    a->sequence = b->sequence;
    b->sequence = sequence;
    *a_slot = b;
    *b_slot = a;
}

/* ------------------------------------------------------------------ adding */

/* The last node of each level. */
static void find_last_nodes(const struct mfs_order *order, struct order_head **last)
{
    MFS_CHECK(order->height <= HEIGHT_MOST);
    void *node = order->root;
    for (unsigned level = order->height; level > 0; level--) {
        const struct order_inner *inner = node;
        last[level] = node;
        node = inner->branches[inner->head.count - 1].node;
    }
    last[0] = node;
}

int mfs_order_prepare(const struct mfs_order *order, const struct mfs_piece_source *source,
                      struct mfs_piece **spares)
{
    struct order_head *last[HEIGHT_MOST + 1];
    struct order_inner *parent;
    if (order->root == NULL)
        return mfs_piece_set_aside(source, LEAF_ROOT_BYTES, spares);
    if (!is_full(&last_leaf(order, &parent)->head, 0))
        return 0;
    find_last_nodes(order, last);
    for (unsigned level = 0; level <= order->height; level++) {
        if (!is_full(last[level], level))
            return 0;
        if (last[level]->bytes < MFS_PIECE_MOST)
            return mfs_piece_set_aside(source, (size_t)last[level]->bytes * 2, spares);
        int error = mfs_piece_set_aside(source, MFS_PIECE_MOST, spares);
        if (error != 0)
            return error;
    }
    return mfs_piece_set_aside(source, INNER_ROOT_BYTES, spares);
}

static struct order_head *make_node(struct mfs_piece **spares, size_t bytes)
{
    struct order_head *node = mfs_piece_use(spares, bytes);
    node->bytes = (uint16_t)bytes;
    return node;
}

/* Puts a node of twice the size in the place of the root. */
static void double_order_root(struct mfs_order *order, const struct mfs_piece_source *source,
                              struct mfs_piece **spares)
{
    struct order_head *old = order->root, *grown = make_node(spares, (size_t)old->bytes * 2);
    grown->count = old->count;
    grown->below = old->below;
    memcpy(grown + 1, old + 1, old->count * item_bytes(order->height));
    order->root = grown;
    mfs_piece_free(source, old, old->bytes);
}

static void add_item(struct order_head *node, unsigned level, const void *item)
{
    MFS_CHECK(!is_full(node, level));
    memcpy(item_at(node, level, node->count), item, item_bytes(level));
    node->count++;
    if (level > 0)
        node->below += ((const struct order_head *)((const struct order_branch *)item)->node)
                           ->count;
}

static void add_root(struct mfs_order *order, struct mfs_piece **spares,
                     const struct order_branch *second)
{
    struct order_branch first = {.node = order->root};
    struct order_head *root = make_node(spares, INNER_ROOT_BYTES);
    MFS_CHECK(order->height < HEIGHT_MOST);
    order->height++;
    order->root = root;
    add_item(root, order->height, &first);
    add_item(root, order->height, second);
}

/* Appends where the last leaf is full: the nodes that are set aside come into use. */
static void append_node(struct mfs_order *order, const struct mfs_piece_source *source,
                        struct mfs_piece **spares, struct mfs_dirent *entry)
{
    struct order_head *last[HEIGHT_MOST + 1];
    struct order_branch branch = {.from = entry->sequence};
    const void *item = &entry;
    find_last_nodes(order, last);
    for (unsigned level = 0; level <= order->height; level++) {
        if (is_full(last[level], level) && last[level]->bytes < MFS_PIECE_MOST) {
            MFS_CHECK(level == order->height);
            double_order_root(order, source, spares);
            last[level] = order->root;
        }
        if (!is_full(last[level], level)) {
            add_item(last[level], level, item);
            if (level < order->height)
                last[level + 1]->below++;
            return;
        }
        struct order_head *node = make_node(spares, MFS_PIECE_MOST);
        add_item(node, level, item);
        branch.node = node;
        item = &branch;
    }
    add_root(order, spares, &branch);
}

void mfs_order_append(struct mfs_order *order, const struct mfs_piece_source *source,
                      struct mfs_piece **spares, struct mfs_dirent *entry)
{
    struct order_inner *parent;
    MFS_CHECK(entry->sequence != 0);
    if (order->root == NULL)
        order->root = make_node(spares, LEAF_ROOT_BYTES);
    struct order_leaf *leaf = last_leaf(order, &parent);
    if (is_full(&leaf->head, 0)) {
        append_node(order, source, spares, entry);
        return;
    }
    leaf->entries[leaf->head.count++] = entry;
    if (parent != NULL)
        parent->head.below++;
}

/* ---------------------------------------------------------------- removing */

static void remove_item(struct order_head *node, unsigned level, uint32_t at)
{
    MFS_CHECK(at < node->count);
    node->count--;
    memmove(item_at(node, level, at), item_at(node, level, at + 1),
            (node->count - at) * item_bytes(level));
}

/* How many items the first `count` branches of an inner node lead to. */
static uint32_t items_below(const struct order_inner *node, uint32_t count)
{
    uint32_t below = 0;
    for (uint32_t i = 0; i < count; i++)
        below += ((const struct order_head *)node->branches[i].node)->count;
    return below;
}

/* Moves as many items as there is room for from the front of `from` to the end of `to`. */
static void move_items(struct order_head *to, struct order_head *from, unsigned level)
{
    uint32_t room = node_capacity(to, level) - to->count;
    uint32_t moved = from->count < room ? from->count : room;
    if (level > 0) {
        uint32_t below = items_below((const void *)from, moved);
        to->below += below;
        from->below -= below;
    }
    memcpy(item_at(to, level, to->count), item_at(from, level, 0), moved * item_bytes(level));
    memmove(item_at(from, level, 0), item_at(from, level, moved),
            (from->count - moved) * item_bytes(level));
    to->count = (uint16_t)(to->count + moved);
    from->count = (uint16_t)(from->count - moved);
}

/* Moves the items of all nodes below `parent`, at `level`, to the left, so that empty nodes are
 * on the right. */
static void pack(struct order_inner *parent, unsigned level)
{
    uint32_t to = 0;
    for (uint32_t from = 1; from < parent->head.count; from++) {
        struct order_head *right = parent->branches[from].node;
        for (; to < from && right->count > 0; to++) {
            struct order_head *left = parent->branches[to].node;
            move_items(left, right, level);
            if (!is_full(left, level))
                break;
        }
    }
    for (uint32_t i = 1; i < parent->head.count; i++) {
        const struct order_head *node = parent->branches[i].node;
        if (node->count != 0)
            parent->branches[i].from = number_at(node, level, 0);
    }
}

/*
 * Drops nodes below `parent`, at `level`, as soon as the items fit into fewer; returns how many
 * nodes went.
 */
static uint32_t drop_nodes(struct order_inner *parent, const struct mfs_piece_source *source,
                           unsigned level)
{
    const uint32_t capacity = most_items(level);
    uint32_t dropped = 0;
    if (parent->head.below > (parent->head.count - 1u) * capacity)
        return 0;
    pack(parent, level);
    while (parent->head.count > 0) {
        struct order_head *last = parent->branches[parent->head.count - 1].node;
        if (last->count != 0)
            break;
        mfs_piece_free(source, last, last->bytes);
        parent->head.count--;
        dropped++;
    }
    return dropped;
}

/* An inner root with one branch gives way to it; an empty one to nothing. */
static void lower_root(struct mfs_order *order, const struct mfs_piece_source *source)
{
    struct order_head *root = order->root;
    while (order->height > 0 && root->count == 1) {
        const struct order_inner *inner = order->root;
        order->root = inner->branches[0].node;
        order->height--;
        mfs_piece_free(source, root, root->bytes);
        root = order->root;
    }
    if (root->count != 0)
        return;
    MFS_CHECK(order->height == 0);
    order->root = NULL;
    mfs_piece_free(source, root, root->bytes);
}

void mfs_order_remove(struct mfs_order *order, const struct mfs_piece_source *source,
                      const struct mfs_dirent *entry)
{
    struct order_path path;
    MFS_CHECK(order->root != NULL);
    struct order_leaf *leaf = descend(order, entry->sequence, &path);
    remove_item(&leaf->head, 0, place_of(leaf, entry));
    uint32_t removed = 1;
    for (unsigned level = 0; level < order->height && removed > 0; level++) {
        struct order_inner *parent = path.nodes[level + 1];
        MFS_CHECK(parent->head.below >= removed);
        parent->head.below -= removed;
        removed = drop_nodes(parent, source, level);
    }
    lower_root(order, source);
}

/* ------------------------------------------------------- going through all */

/* Visits every node, each after those below it, with its level. */
struct order_visit {
    struct order_path path; /* at each level above the current one, the branch that is visited */
    unsigned level;
    struct order_head *node; /* null: at the end */
};

static void go_down(struct order_visit *visit, void *node)
{
    for (; visit->level > 0; visit->level--) {
        visit->path.nodes[visit->level] = node;
        visit->path.at[visit->level] = 0;
        node = visit->path.nodes[visit->level]->branches[0].node;
    }
    visit->node = node;
}

static struct order_visit visit_first(const struct mfs_order *order)
{
    struct order_visit visit = {.level = order->height};
    if (order->root != NULL)
        go_down(&visit, order->root);
    return visit;
}

static void visit_next(const struct mfs_order *order, struct order_visit *visit)
{
    if (visit->level == order->height) {
        visit->node = NULL;
        return;
    }
    unsigned above = visit->level + 1;
    struct order_inner *parent = visit->path.nodes[above];
    if (++visit->path.at[above] < parent->head.count) {
        go_down(visit, parent->branches[visit->path.at[above]].node);
        return;
    }
    visit->level = above;
    visit->node = &parent->head;
}

void mfs_order_shift(struct mfs_order *order, uint64_t shift)
{
    struct order_visit visit = visit_first(order);
    for (; visit.node != NULL; visit_next(order, &visit)) {
        struct order_leaf *leaf = (void *)visit.node;
        struct order_inner *inner = (void *)visit.node;
        for (uint32_t i = 0; i < visit.node->count; i++) {
            if (visit.level == 0)
                leaf->entries[i]->sequence += shift;
            else
                inner->branches[i].from += shift;
        }
    }
}

uint64_t mfs_order_cost(const struct mfs_order *order, const struct mfs_piece_source *source)
{
    uint64_t cost = 0;
    struct order_visit visit = visit_first(order);
    for (; visit.node != NULL; visit_next(order, &visit))
        cost += mfs_piece_cost(source, visit.node->bytes);
    return cost;
}

bool mfs_order_is_valid(const struct mfs_order *order, uint64_t entries)
{
    uint64_t found = 0, highest[HEIGHT_MOST + 1] = {0};
    struct order_visit visit = visit_first(order);
    for (; visit.node != NULL; visit_next(order, &visit)) {
        const struct order_head *node = visit.node;
        unsigned level = visit.level;
        if (node->count == 0 || node->count > node_capacity(node, level))
            return false;
        if (level > 0 && node->below != items_below((const void *)node, node->count))
            return false;
        for (uint32_t i = 0; i < node->count; i++) {
            uint64_t number = number_at(node, level, i);
            if (number < highest[level] || (level == 0 && number == highest[0]))
                return false;
            highest[level] = number;
        }
        found += level == 0 ? node->count : 0;
    }
    return found == entries;
}
