/* Copying a whole subtree as it is at one instant, while others write to its files. */
#ifndef MFS_TREECOPY_H
#define MFS_TREECOPY_H

#include "tree/subtree.h"

enum mfs_copy_kind {
    MFS_COPY_FRESH,      /* made now; only the modes are kept */
    MFS_COPY_ATTRIBUTES, /* access and modification times, owners and modes are kept */
    MFS_COPY_EXACT,      /* all times and the generation, too */
    MFS_COPY_KEPT        /* the number, too: the copy, in another tree, stands for the original */
};

/*
 * Builds a private copy of `node` and all below it, of nodes of `to`, which may be
 * `from`.  Files share their pages (see mfs_node_clone_content()); names of one node
 * become names of one copy.  The copy has one reference, the caller's, and no name
 * yet.  All or nothing.  Errors: EDQUOT, ENOSPC, ENOMEM.
 */
int mfs_treecopy(struct mfs_tree *from, struct mfs_node *node, enum mfs_copy_kind kind,
                 struct mfs_tree *to, struct mfs_node **out) MFS_REQUIRES_SHARED(from->lock);

/* A file of `nodes`, without a name, that is as `from` is now, but for its number.  Errors: EDQUOT,
 * ENOSPC, ENOMEM. */
int mfs_treecopy_file(struct mfs_nodes *nodes, struct mfs_file_node *from,
                      struct mfs_file_node **out) MFS_EXCLUDES(from->node.lock);

/* Gives `to` the attributes of `from` that this kind of copy keeps. */
void mfs_treecopy_attributes(struct mfs_node *to, const struct mfs_node *from,
                             enum mfs_copy_kind kind);

#endif
