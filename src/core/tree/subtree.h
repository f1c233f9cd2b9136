/*
 * Work on whole subtrees: visiting, taking apart, putting in place.
 *
 * None of it recurses or keeps a stack, however deep the tree is: a directory knows its parent and
 * its own entry there, and the entry's sequence number says where to go on.
 */
#ifndef MFS_SUBTREE_H
#define MFS_SUBTREE_H

#include "tree/namespace.h"

/*
 * Visits a node and all below it, depth first, directories before what is in them:
 *
 *     struct mfs_subtree_cursor at;
 *     mfs_subtree_begin(&at, top);
 *     while ((node = mfs_subtree_next(&at)) != NULL) ...
 *
 * mfs_subtree_begin_below() and mfs_subtree_next_entry() do the same with the entries below a
 * directory; `at.dir` is then the entry's directory, until the next call.
 *
 * The tree must not change meanwhile.
 */
struct mfs_subtree_cursor {
    struct mfs_node *first; /* the top, until it is visited */
    struct mfs_dir_node *top;
    struct mfs_dir_node *dir;
    struct mfs_dir_node *next_dir; /* where to go on, and from which number */
    uint64_t next_sequence;
};

void mfs_subtree_begin(struct mfs_subtree_cursor *cursor, struct mfs_node *top);
struct mfs_node *mfs_subtree_next(struct mfs_subtree_cursor *cursor);

void mfs_subtree_begin_below(struct mfs_subtree_cursor *cursor, struct mfs_dir_node *top);
struct mfs_dirent *mfs_subtree_next_entry(struct mfs_subtree_cursor *cursor);

/* True if `top`, or a file below it, is locked by a handle. */
bool mfs_subtree_has_locked(struct mfs_tree *tree, struct mfs_node *top) MFS_REQUIRES(tree->lock);

/*
 * Takes everything below `top` out of it, onto `*removed`, a list through `u.next_removed`.
 * mfs_subtree_forget() then frees the list, without the lock.
 */
void mfs_subtree_dismantle(struct mfs_tree *tree, struct mfs_dir_node *top, int64_t now,
                           struct mfs_dirent **removed) MFS_REQUIRES(tree->lock);

/* The same with an entry of `dir` and all below it. */
void mfs_subtree_remove(struct mfs_tree *tree, struct mfs_dir_node *dir, struct mfs_dirent *entry,
                        int64_t now, struct mfs_dirent **removed) MFS_REQUIRES(tree->lock);
void mfs_subtree_forget(struct mfs_tree *tree, struct mfs_dirent *removed) MFS_EXCLUDES(tree->lock);

/* Moves all that is in `from`, the top of a private tree, into `to`, which is empty.  The entries
 * get new sequence numbers: listings that have begun do not meet them. */
void mfs_subtree_move(struct mfs_tree *tree, struct mfs_dir_node *from, struct mfs_dir_node *to)
    MFS_REQUIRES(tree->lock);

/* Frees a private tree: no name leads to it, and no other thread knows it. */
void mfs_subtree_discard(struct mfs_tree *tree, struct mfs_node *node);

/*
 * Builds a private chain of directories: `*top`, which has no name yet, and in it, each in the one
 * before, a directory for each component of `rest` but the last.  `*bottom` is the deepest one,
 * `*last` the last component.  Errors: ENOENT (a component is "..", or the last one is "."),
 * ENAMETOOLONG, EDQUOT, ENOSPC, ENOMEM.  Charged as names are just now.
 */
int mfs_subtree_make_chain(struct mfs_tree *tree, const char *rest, uint32_t mode,
                           struct mfs_dir_node **top, struct mfs_dir_node **bottom,
                           struct mfs_component *last) MFS_REQUIRES(tree->lock);

#endif
