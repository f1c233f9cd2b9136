/*
 * The edits of the tree that touch one name: adding and removing.
 *
 * Adding has two steps, so that everything that can fail comes first and what
 * makes the name visible cannot.  All times and link counts that POSIX wants to
 * change are changed here.
 */
#ifndef MFS_NAMESPACE_H
#define MFS_NAMESPACE_H

#include "tree/walk.h"

/* A name that has its memory but is not yet in the tree. */
struct mfs_addition {
    struct mfs_dir_node *dir;
    struct mfs_dirent *entry;
};

/*
 * Gets everything ready to give `node` the name `name` in `dir`.  Nothing else
 * may be added to `dir` before the commit.  Errors: EMLINK, ENAMETOOLONG,
 * EDQUOT, ENOMEM, ENOENT (`dir` was removed).
 */
int mfs_namespace_prepare(struct mfs_tree *tree, struct mfs_dir_node *dir,
                          const struct mfs_dir_key *name, const struct mfs_node *node,
                          struct mfs_addition *out) MFS_REQUIRES(tree->lock);

/* The name refers to `node` from now on, and holds a reference of its own. */
void mfs_namespace_commit(struct mfs_tree *tree, struct mfs_addition *addition,
                          struct mfs_node *node, int64_t now) MFS_REQUIRES(tree->lock);

/*
 * Takes a name out of the tree.  The entry still holds its reference to the
 * node; mfs_namespace_forget() drops both, after the lock was given back.  A
 * directory must be empty.
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

/* Room in the directory's link count for one more directory in it, or EMLINK. */
int mfs_namespace_check_links(const struct mfs_node *node);

#endif
