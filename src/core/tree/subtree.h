/*
 * Work on whole subtrees: visiting, taking apart, putting in place.
 *
 * None of it recurses or keeps a stack, however deep the tree: a directory
 * knows its parent and its own entry there, and the entry's sequence number says
 * where to go on.
 */
#ifndef MFS_SUBTREE_H
#define MFS_SUBTREE_H

#include "tree/namespace.h"

/*
 * Depth first, directories before what is in them:
 *
 *     struct mfs_subtree_cursor at;
 *     mfs_subtree_begin(&at, top);
 *     while ((entry = mfs_subtree_next(&at)) != NULL) ...
 *
 * The entry's directory is `at.dir`, until the next call.  `top` itself has no
 * entry and is not visited.
 */
struct mfs_subtree_cursor {
    struct mfs_dir_node *top;
    struct mfs_dir_node *dir;
    struct mfs_dir_node *next_dir; /* where to go on, and from which number */
    uint64_t next_sequence;
};

void mfs_subtree_begin(struct mfs_subtree_cursor *cursor, struct mfs_dir_node *top);
struct mfs_dirent *mfs_subtree_next(struct mfs_subtree_cursor *cursor);

/* True if a file below `top` is locked by a handle. */
bool mfs_subtree_has_locked(struct mfs_tree *tree, struct mfs_dir_node *top)
    MFS_REQUIRES(tree->lock);

/*
 * Takes everything below `top` out of it, onto `*removed`, a list through
 * `u.next_removed`; mfs_subtree_forget() then drops it, without the lock.
 */
void mfs_subtree_dismantle(struct mfs_tree *tree, struct mfs_dir_node *top, int64_t now,
                           struct mfs_dirent **removed) MFS_REQUIRES(tree->lock);
void mfs_subtree_forget(struct mfs_tree *tree, struct mfs_dirent *removed) MFS_EXCLUDES(tree->lock);

/* Moves all that is in `from`, the top of a private tree, into `to`, which is empty. */
void mfs_subtree_move(struct mfs_tree *tree, struct mfs_dir_node *from, struct mfs_dir_node *to)
    MFS_REQUIRES(tree->lock);

/* Frees a private tree: one that no name leads to, and that nobody else knows. */
void mfs_subtree_discard(struct mfs_tree *tree, struct mfs_node *node);

/*
 * Builds the directories that `first` and the components of `rest`, but for the
 * last one, name, each in the one before.  The top one is private, to be named
 * `first`; `*bottom` is the deepest.  Errors: ENOENT (a component is "..",
 * or the last one "."), ENAMETOOLONG, EDQUOT, ENOSPC, ENOMEM.
 */
int mfs_subtree_make_chain(struct mfs_tree *tree, const char *rest, uint32_t mode,
                           struct mfs_dir_node **top, struct mfs_dir_node **bottom,
                           struct mfs_component *last) MFS_REQUIRES(tree->lock);

#endif
