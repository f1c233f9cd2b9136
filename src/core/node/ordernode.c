/*
 * 1. Items lie side by side, in order; what is behind `count` is of no meaning.
 * 2. Numbers beside branches increase from left to right.  The one beside the first branch is never
 *    looked at on the way down: what is lower than all others is there if it is anywhere.
 *
 * Cost: a search in a node takes one step for each bit of its count.
 */
#include "node/ordernode.h"

#include "base/check.h"

#include <string.h>

static unsigned char *item_at(struct mfs_ordernode *node, unsigned level, uint32_t at)
{
    return (unsigned char *)node + mfs_ordernode_header_bytes(level) +
           at * mfs_ordernode_item_bytes(level);
}

uint32_t mfs_ordernode_items_below(const struct mfs_ordernode *node, uint32_t count)
{
    const struct mfs_ordernode_inner *inner = (const void *)node;
    uint32_t below = 0;
    MFS_CHECK(count <= node->count);
    for (uint32_t i = 0; i < count; i++)
        below += ((const struct mfs_ordernode *)inner->branches[i].node)->count;
    return below;
}

void mfs_ordernode_add(struct mfs_ordernode *node, unsigned level, const void *item)
{
    MFS_CHECK(!mfs_ordernode_is_full(node, level));
    memcpy(item_at(node, level, node->count), item, mfs_ordernode_item_bytes(level));
    node->count++;
    if (level > 0) {
        const struct mfs_ordernode_branch *branch = item;
        node->below += ((const struct mfs_ordernode *)branch->node)->count;
    }
}

void mfs_ordernode_remove(struct mfs_ordernode *node, unsigned level, uint32_t at)
{
    MFS_CHECK(at < node->count);
    node->count--;
    memmove(item_at(node, level, at), item_at(node, level, at + 1),
            (node->count - at) * mfs_ordernode_item_bytes(level));
}

uint32_t mfs_ordernode_move(struct mfs_ordernode *to, struct mfs_ordernode *from, unsigned level)
{
    const size_t item_bytes = mfs_ordernode_item_bytes(level);
    uint32_t room = mfs_ordernode_items_in(to->bytes, level) - to->count;
    uint32_t moved = from->count < room ? from->count : room;
    if (level > 0) {
        uint32_t below = mfs_ordernode_items_below(from, moved);
        to->below += below;
        from->below -= below;
    }
    memcpy(item_at(to, level, to->count), item_at(from, level, 0), moved * item_bytes);
    memmove(item_at(from, level, 0), item_at(from, level, moved),
            (from->count - moved) * item_bytes);
    to->count = (uint16_t)(to->count + moved);
    from->count = (uint16_t)(from->count - moved);
    return moved;
}

/* The last branch that may lead to `sequence`. */
static uint32_t branch_for(const struct mfs_ordernode_inner *node, uint64_t sequence)
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

uint32_t mfs_ordernode_find(const struct mfs_ordernode_leaf *leaf, uint64_t sequence)
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

struct mfs_ordernode_leaf *mfs_ordernode_descend(void *root, unsigned height, uint64_t sequence,
                                                 struct mfs_ordernode_path *path)
{
    void *node = root;
    MFS_CHECK(root != NULL && height <= MFS_ORDERNODE_HEIGHT_MOST);
    path->root = root;
    path->height = height;
    for (unsigned level = height; level > 0; level--) {
        path->nodes[level] = node;
        path->at[level] = branch_for(node, sequence);
        node = path->nodes[level]->branches[path->at[level]].node;
    }
    return node;
}

void *mfs_ordernode_on_path(const struct mfs_ordernode_path *path, unsigned level)
{
    return level == path->height ? path->root
                                 : path->nodes[level + 1]->branches[path->at[level + 1]].node;
}

/* Continues the path by first branches, from `node` at `from` down to the level `to`. */
static void *go_down(struct mfs_ordernode_path *path, void *node, unsigned from, unsigned to)
{
    for (unsigned level = from; level > to; level--) {
        path->nodes[level] = node;
        path->at[level] = 0;
        node = path->nodes[level]->branches[0].node;
    }
    return node;
}

void *mfs_ordernode_go_right(struct mfs_ordernode_path *path, unsigned to)
{
    unsigned level = to + 1;
    while (level <= path->height && path->at[level] + 1 == path->nodes[level]->head.count)
        level++;
    if (level > path->height)
        return NULL;
    void *node = path->nodes[level]->branches[++path->at[level]].node;
    return go_down(path, node, level - 1, to);
}

struct mfs_ordernode_visit mfs_ordernode_visit_first(void *root, unsigned height)
{
    struct mfs_ordernode_visit visit = {.path = {.root = root, .height = height}};
    if (root != NULL)
        visit.node = go_down(&visit.path, root, height, 0);
    return visit;
}

void mfs_ordernode_visit_next(struct mfs_ordernode_visit *visit)
{
    struct mfs_ordernode_path *path = &visit->path;
    unsigned above = visit->level + 1;
    MFS_CHECK(visit->node != NULL);
    if (visit->level == path->height) {
        visit->node = NULL;
    } else if (path->at[above] + 1 < path->nodes[above]->head.count) {
        void *node = path->nodes[above]->branches[++path->at[above]].node;
        visit->node = go_down(path, node, visit->level, 0);
        visit->level = 0;
    } else {
        visit->node = &path->nodes[above]->head;
        visit->level = above;
    }
}
