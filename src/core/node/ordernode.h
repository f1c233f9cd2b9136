/*
 * The nodes of a directory's B+ tree (order.h), and the ways through them.
 *
 *     inner   count 2   below 5   packed_to   [ from 1, node ] [ from 9, node ]
 *     leaf    count 3                         [ entry ] [ entry ] [ entry ]
 *
 * A node is a chunk.  Its items are entries in a leaf, branches in an inner node.  Which of the two
 * a node is follows from its level; the leaves are at level 0.
 */
#ifndef MFS_ORDERNODE_H
#define MFS_ORDERNODE_H

#include "node/dirent.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MFS_ORDERNODE_HEIGHT_MOST = 10 };

/* How every node begins. */
struct mfs_ordernode {
    uint16_t count; /* items */
    uint16_t bytes; /* of the chunk */
    uint32_t below; /* of an inner node: the sum of the counts of the nodes that it leads to */
};

/* What an inner node leads to, and from which sequence number on. */
struct mfs_ordernode_branch {
    uint64_t from;
    void *node;
};

struct mfs_ordernode_leaf {
    struct mfs_ordernode head;
    struct mfs_dirent *entries[];
};

struct mfs_ordernode_inner {
    struct mfs_ordernode head;
    uint64_t packed_to; /* of the root: see order.c */
    struct mfs_ordernode_branch branches[];
};

/* A way from the root to a leaf: in each inner node, the branch. */
struct mfs_ordernode_path {
    void *root;
    unsigned height; /* the root's level */
    struct mfs_ordernode_inner *nodes[MFS_ORDERNODE_HEIGHT_MOST + 1];
    uint32_t at[MFS_ORDERNODE_HEIGHT_MOST + 1];
};

/* -------------------------------------------------------------- the layout */

static inline size_t mfs_ordernode_item_bytes(unsigned level)
{
    return level == 0 ? sizeof(struct mfs_dirent *) : sizeof(struct mfs_ordernode_branch);
}

/* Where the items begin. */
static inline size_t mfs_ordernode_header_bytes(unsigned level)
{
    return level == 0 ? sizeof(struct mfs_ordernode_leaf) : sizeof(struct mfs_ordernode_inner);
}

/* How many items a node of so many bytes has room for. */
static inline uint32_t mfs_ordernode_items_in(size_t bytes, unsigned level)
{
    return (uint32_t)((bytes - mfs_ordernode_header_bytes(level)) /
                      mfs_ordernode_item_bytes(level));
}

static inline bool mfs_ordernode_is_full(const struct mfs_ordernode *node, unsigned level)
{
    return node->count == mfs_ordernode_items_in(node->bytes, level);
}

/* The sequence number of an entry, or the one beside a branch. */
static inline uint64_t mfs_ordernode_number(const struct mfs_ordernode *node, unsigned level,
                                            uint32_t at)
{
    return level == 0
               ? ((const struct mfs_ordernode_leaf *)(const void *)node)->entries[at]->sequence
               : ((const struct mfs_ordernode_inner *)(const void *)node)->branches[at].from;
}

/* ------------------------------------------------------------------- items */

/* Adds an item, for which there is room, behind all others. */
void mfs_ordernode_add(struct mfs_ordernode *node, unsigned level, const void *item);

/* Removes an item.  `below` is the caller's business. */
void mfs_ordernode_remove(struct mfs_ordernode *node, unsigned level, uint32_t at);

/* Moves as many items as there is room for from the front of `from` to the end of `to`; returns
 * how many. */
uint32_t mfs_ordernode_move(struct mfs_ordernode *to, struct mfs_ordernode *from, unsigned level);

/* How many items the first `count` branches of an inner node lead to. */
uint32_t mfs_ordernode_items_below(const struct mfs_ordernode *node, uint32_t count);

/* ------------------------------------------------------------------- ways */

/* The first entry of the leaf whose number is `sequence` or higher; `count` if there is none. */
uint32_t mfs_ordernode_find(const struct mfs_ordernode_leaf *leaf, uint64_t sequence);

/* The leaf that has the entry `sequence` if there is one, and the way to it.  `root` is a node at
 * level `height`. */
struct mfs_ordernode_leaf *mfs_ordernode_descend(void *root, unsigned height, uint64_t sequence,
                                                 struct mfs_ordernode_path *path);

/* The node at `level` on the path. */
void *mfs_ordernode_on_path(const struct mfs_ordernode_path *path, unsigned level);

/* The node to the right of the one at `to` on the path, or null; the path then leads there. */
void *mfs_ordernode_go_right(struct mfs_ordernode_path *path, unsigned to);

/* A visit of every node, each after those below it. */
struct mfs_ordernode_visit {
    struct mfs_ordernode_path path; /* to `node` */
    unsigned level;
    struct mfs_ordernode *node; /* null: at the end */
};

struct mfs_ordernode_visit mfs_ordernode_visit_first(void *root, unsigned height);
void mfs_ordernode_visit_next(struct mfs_ordernode_visit *visit);

#endif
