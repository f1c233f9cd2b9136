/*
 * Names that are to appear in many directories of the tree in one step.
 *
 *     tree     /a (x, y)   /b (z)
 *     grafts   for /a: [p, y']     for /b: [q]
 *
 *     after    /a (x, y', p)       /b (z, q)
 *
 * A graft belongs to one directory of the tree and holds the entries that will be added to it, or
 * will replace one of the same name.  What an entry leads to is private: a file, a symlink, or a
 * directory with more below it.  Collecting may fail and touches nothing that others see;
 * mfs_graft_commit() cannot fail.
 *
 * The tree stays locked exclusively from the first graft to the commit, since each graft is planned
 * for its directory as it is.
 */
#ifndef MFS_GRAFT_H
#define MFS_GRAFT_H

#include "tree/subtree.h"

struct mfs_graft {
    struct mfs_chain chain; /* in the buckets of the set, by the directory's number */
    struct mfs_graft *next; /* that was made after this one */
    struct mfs_dir_node *dir;
    struct mfs_dir pending;   /* the entries; each holds a reference to its node */
    struct mfs_dir_plan plan; /* for those whose name is free */
    uint32_t new_directories; /* among these */
};

struct mfs_grafts {
    struct mfs_tree *tree;
    struct mfs_names names; /* ordinary charges, whatever the tree's are at the moment */
    struct mfs_buckets buckets;
    struct mfs_graft *first, *last;
    uint64_t count;
    uint64_t last_sequence; /* of the entries in all grafts, and in private directories */
};

struct mfs_grafts mfs_graft_begin(struct mfs_tree *tree);

/* The graft for a directory of the tree; it is made if there is none.  Errors: EDQUOT, ENOMEM. */
int mfs_graft_for(struct mfs_grafts *grafts, struct mfs_dir_node *dir, struct mfs_graft **out)
    MFS_REQUIRES(grafts->tree->lock);

/* The entry of this name among those that are to come, or null. */
struct mfs_dirent *mfs_graft_find(const struct mfs_grafts *grafts, const struct mfs_graft *graft,
                                  struct mfs_dir_key *name);

/*
 * Adds an entry, which is in no directory, with the caller's reference to `node`.  `is_new` says
 * that the directory has no such name; else it replaces what is no directory by what is none.
 * Errors: EMLINK, EDQUOT, ENOMEM; then entry and node are still the caller's.
 */
int mfs_graft_add(struct mfs_grafts *grafts, struct mfs_graft *graft, struct mfs_dirent *entry,
                  struct mfs_node *node, bool is_new) MFS_REQUIRES(grafts->tree->lock);

/* The same in a private directory, whose own times stay. */
int mfs_graft_add_private(struct mfs_grafts *grafts, struct mfs_dir_node *dir,
                          struct mfs_dirent *entry, struct mfs_node *node);

/* Makes all names appear.  `*removed` then is the list of entries that were replaced, for
 * mfs_subtree_forget() after the lock was given back. */
void mfs_graft_commit(struct mfs_grafts *grafts, struct mfs_dirent **removed)
    MFS_REQUIRES(grafts->tree->lock);

/* Frees the grafts, and all that was not committed.  Not under the lock. */
void mfs_graft_end(struct mfs_grafts *grafts) MFS_EXCLUDES(grafts->tree->lock);

#endif
