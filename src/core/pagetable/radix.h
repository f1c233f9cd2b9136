/*
 * A file's page table: a radix tree whose leaves hold pages.  This module looks into trees and
 * changes nothing.
 *
 *     height 0: the root is page 0 itself
 *     height h: the root is a node; its slots are trees of height h - 1
 *
 * Running example, four slots a node, pages 1, 2 and 6 present, height 2:
 *
 *            [ * * - - ]            3 pages
 *              |  \
 *     [ - 1 2 - ]  [ - - 6 - ]      2 and 1
 *
 * An absent page is a hole; an absent node is a hole of all that it would cover.  Each node knows
 * the number of pages below it.
 *
 * Nodes and pages have reference counts, so trees share parts: a clone is one more reference to a
 * root.  What is reached through a count above one, at any level, is never written; a writer takes
 * a private copy of each such node on its way down (path copying).
 *
 * The modules of this room, the lowest first:
 *
 *     radix_node   the layout of nodes
 *     radix_visit  visiting all nodes of a tree
 *     twins        a leaf and its copy, which share references to pages
 *     stash        pages and nodes set aside for a change
 *     radix        searching and counting
 *     radix_ref    holding a tree, and letting go of it
 *     radix_plan   what a change will need
 *     radix_edit   the changes
 *     radix_tally  the audit's recount
 *
 * and radix_compare, which finds where two trees differ.
 *
 * Threads: the holder of a tree guards it with a lock of its own.  A tree that nobody writes (a
 * reference to a root that is kept for reading) needs none.
 */
#ifndef MFS_RADIX_H
#define MFS_RADIX_H

#include "memory/page.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MFS_NO_INDEX UINT64_MAX

struct mfs_radix {
    uintptr_t root; /* 0: no page at all; a mfs_page at height 0, else a node */
    uint8_t height; /* 0 if the root is 0 */
};

/* The page at `index`, or 0. */
mfs_page mfs_radix_find(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t index);

/* The same, but 0 also if the page or the way to it is shared. */
mfs_page mfs_radix_find_exclusive(struct mfs_pool *pool, struct mfs_radix tree, uint64_t index);

/* The first index at or after `from` that has a page, or MFS_NO_INDEX. */
uint64_t mfs_radix_next_page(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t from);

/* The first index at or after `from` that has none. */
uint64_t mfs_radix_next_hole(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t from);

/* The number of pages below `end`. */
uint64_t mfs_radix_count(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t end);

/* The same without those that another tree has, too.  Looks at each page that may be counted. */
uint64_t mfs_radix_count_own(struct mfs_pool *pool, struct mfs_radix tree, uint64_t end);

/* The number of nodes, shared ones included. */
uint64_t mfs_radix_count_nodes(const struct mfs_pool *pool, struct mfs_radix tree);

/* The bytes that one node costs. */
size_t mfs_radix_node_cost(const struct mfs_pool *pool);

/*
 * For assertions: whether root and height go together, and each node on the way to `index` counts
 * as many pages as its slots have below them.  Looks at one node a level, however large the tree.
 */
bool mfs_radix_is_valid(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t index);

#endif
