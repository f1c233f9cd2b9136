/*
 * The edits of the tree that concern one name: adding and removing.
 *
 * Adding has two steps: the first takes all memory and may fail, the second makes the name visible
 * and cannot fail.  The second also changes all times and link counts that POSIX says.
 */
#ifndef MFS_NAMESPACE_H
#define MFS_NAMESPACE_H

#include "tree/walk.h"

/* A name that has its memory and is not yet in the tree. */
struct mfs_addition {
    struct mfs_dir_node *dir;
    struct mfs_dirent *entry;
};

/*
 * Prepares to give `node` the name `name` in `dir`.  Nothing else in `dir` may change before the
 * commit.  Errors: EMLINK, ENAMETOOLONG, EDQUOT, ENOMEM, ENOENT (`dir` was removed).
 */
int mfs_namespace_prepare(struct mfs_tree *tree, struct mfs_dir_node *dir,
                          const struct mfs_dir_key *name, const struct mfs_node *node,
                          struct mfs_addition *out) MFS_REQUIRES(tree->lock);

/* The name refers to `node` from now on, and holds a reference of its own. */
void mfs_namespace_commit(struct mfs_tree *tree, struct mfs_addition *addition,
                          struct mfs_node *node, int64_t now) MFS_REQUIRES(tree->lock);

/*
 * Takes a name out of the tree; a directory must be empty.  The entry still holds its reference to
 * the node.  mfs_namespace_forget() drops both, after the lock is released.
 */
void mfs_namespace_remove(struct mfs_tree *tree, struct mfs_dir_node *dir, struct mfs_dirent *entry,
                          int64_t now) MFS_REQUIRES(tree->lock);
void mfs_namespace_forget(struct mfs_tree *tree, struct mfs_dirent *removed)
    MFS_EXCLUDES(tree->lock);

/* Moves a directory below another one: its parent, and the link counts. */
void mfs_namespace_set_parent(struct mfs_dir_node *dir, struct mfs_dir_node *parent,
                              struct mfs_dirent *entry);

/* True if `dir` is `ancestor` or lies below it. */
bool mfs_namespace_is_within(const struct mfs_dir_node *dir, const struct mfs_dir_node *ancestor);

/* Whether the node may have one more link: a name or, in a directory, a directory.
 * Errors: EMLINK. */
int mfs_namespace_check_links(const struct mfs_node *node);

#endif
