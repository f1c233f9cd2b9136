/*
 * Moving a name: the one edit that concerns two directories.
 *
 * In one directory an entry keeps its place in the order of listings: a listing that has begun
 * meets it once, under the old name or the new one.  A name that is replaced keeps its place, or
 * takes that of the moved entry if this is earlier.  An exchange leaves both names in their places.
 */
#ifndef MFS_RENAME_H
#define MFS_RENAME_H

#include "tree/namespace.h"

/*
 * Whether the move may be made; see memfs_rename() for the errors.  `to` may still lack parents
 * (`rest`).  `*same` is set if both are names of one node, so that there is nothing to do.
 */
int mfs_rename_check(struct mfs_tree *tree, const struct mfs_place *from,
                     const struct mfs_place *to, unsigned flags, bool *same)
    MFS_REQUIRES(tree->lock);

/*
 * Makes the entry that the move needs; null if it needs none.  `to` lacks no parents.
 * Errors: EDQUOT, ENOMEM.
 */
int mfs_rename_prepare(struct mfs_tree *tree, const struct mfs_place *from,
                       const struct mfs_place *to, struct mfs_dirent **prepared)
    MFS_REQUIRES(tree->lock);

/*
 * Makes the move, with the entry that was prepared for it.  Cannot fail.  Returns an entry that
 * has left the tree, for mfs_namespace_forget() after the lock is given back, or null.
 */
struct mfs_dirent *mfs_rename_apply(struct mfs_tree *tree, const struct mfs_place *from,
                                    const struct mfs_place *to, unsigned flags,
                                    struct mfs_dirent *prepared) MFS_REQUIRES(tree->lock);

#endif
