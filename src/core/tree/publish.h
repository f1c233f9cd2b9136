/* Links a finished node into the tree, with its missing parents, in one step for every observer. */
#ifndef MFS_PUBLISH_H
#define MFS_PUBLISH_H

#include "tree/subtree.h"

#include <memfs/memfs.h>

enum { MFS_PARENTS_MODE = 0755 };

/* From now on, until it is set back to ordinary before the lock is released, names and missing
 * parents are charged so. */
void mfs_publish_draw_on(struct mfs_tree *tree, enum mfs_charge_from charge_from)
    MFS_REQUIRES(tree->lock);

/*
 * Gives `node` the name at `place`, which is free, and makes the missing parents that `place->rest`
 * names, with `parents_mode`.  The name holds a reference of its own.
 * Errors: as mfs_namespace_prepare() and mfs_subtree_make_chain().
 */
int mfs_publish(struct mfs_tree *tree, const struct mfs_place *place, struct mfs_node *node,
                uint32_t parents_mode, int64_t now) MFS_REQUIRES(tree->lock);

/*
 * Puts the private tree `top` at `path`, which must be free; with MFS_WALK_MAKE_PARENTS among
 * `walk_flags`, missing parents are made.  The caller's reference is gone afterwards; after a
 * failure the tree is, too.  Errors: EEXIST, ENOENT (a slash follows the name, and `top` is no
 * directory), and as mfs_publish().
 */
int mfs_publish_private(struct mfs_tree *tree, const char *path, int walk_flags,
                        struct mfs_node *top) MFS_EXCLUDES(tree->lock);

/*
 * Moves `from` to `to`, which mfs_rename_check() has allowed, and makes the missing parents of
 * `to`.  `*removed` is for mfs_namespace_forget().
 */
int mfs_publish_rename(struct mfs_tree *tree, const struct mfs_place *from,
                       const struct mfs_place *to, unsigned flags, struct mfs_dirent **removed)
    MFS_REQUIRES(tree->lock);

#endif
