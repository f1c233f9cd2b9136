/*
 * What is different in one tree from another, as a list, and what memfs_compare_open() hands out.
 *
 * The trees are snapshots, or private copies of the live tree: nothing in them changes.
 */
#ifndef MFS_COMPARISON_H
#define MFS_COMPARISON_H

#include "tree/subtree.h"
#include "wholetree/opened.h"

#include <memfs/memfs.h>

#define MFS_COMPARISON_MAGIC 0x6d667363u

struct mfs_change {
    struct mfs_change *next;
    struct mfs_node *node; /* by a reference, of a file or symlink; else null */
    size_t bytes;          /* of this struct, with the paths */
    memfs_stat_info stat;
    memfs_change shown; /* points into this struct, and to the target in the node */
    char paths[];
};

struct memfs_comparison {
    struct mfs_opened opened;
    struct mfs_change *first; /* all of them */
    struct mfs_change *next;
    struct mfs_change *given; /* null: none yet, or none any more */
};

/* What is different in `after`; `tree` is the one that both nodes are of.
 * Errors: EDQUOT, ENOMEM. */
int mfs_comparison_make(struct mfs_tree *tree, struct mfs_dir_node *before,
                        struct mfs_dir_node *after, struct mfs_change **out)
    MFS_REQUIRES_SHARED(tree->lock);

void mfs_comparison_free(struct mfs_nodes *nodes, struct mfs_change *first);

#endif
