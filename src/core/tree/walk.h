/*
 * From a path to a place in the tree.
 *
 * A place is a directory and a name in it, with the entry and the node if they are there.  Paths
 * that end in "/", "." or ".." give no name: `dir` is then null and `node` is a directory.
 *
 * Walking allocates nothing: for symbolic links, it keeps pointers into their targets, which do not
 * change while the namespace lock is held.
 */
#ifndef MFS_WALK_H
#define MFS_WALK_H

#include "base/annot.h"
#include "base/path.h"
#include "node/node.h"

#include <stdbool.h>

/* The tree of names, and the lock on all of it. */
struct mfs_tree {
    struct mfs_lock lock;    /* the namespace lock */
    struct mfs_lock capture; /* held by the one thread that locks many nodes at a time */
    struct mfs_nodes *nodes;
    struct mfs_dir_node *root;
    _Atomic uint64_t name_changes; /* written under the lock, read without */
};

/*
 * To be called once for each name that comes, goes or leads elsewhere, under the lock.  Returns the
 * new count, which serves as sequence number of an entry that is added: no other entry of the tree
 * has it, and all that were added before have lower ones.
 */
static inline uint64_t mfs_walk_count_name_change(struct mfs_tree *tree) MFS_REQUIRES(tree->lock)
{
    return atomic_fetch_add(&tree->name_changes, 1) + 1;
}

/* The highest sequence number given so far. */
static inline uint64_t mfs_walk_newest_sequence(const struct mfs_tree *tree)
{
    return atomic_load(&tree->name_changes);
}

enum mfs_walk_flags {
    MFS_WALK_FOLLOW = 1,       /* the last component too, if it is a symlink */
    MFS_WALK_FOLLOW_SLASH = 2, /* it too, if a slash comes behind it */
    MFS_WALK_MAKE_PARENTS = 4  /* a missing directory ends the walk: see `rest` */
};

enum mfs_last { MFS_LAST_NAME, MFS_LAST_DOT, MFS_LAST_DOTDOT, MFS_LAST_ROOT };

struct mfs_place {
    struct mfs_dir_node *dir;
    struct mfs_dir_key name;
    struct mfs_dirent *entry; /* null: nothing has the name */
    struct mfs_node *node;    /* entry->node; or the directory that has no name here */
    enum mfs_last last;
    bool needs_dir;   /* a slash follows the name */
    const char *rest; /* with MAKE_PARENTS: the components behind `name`, which is missing;
                                 null: `name` is the last */
};

/*
 * Resolves `path`, from `start` unless it is absolute or `start` is null.  The place is valid while
 * the lock is held.  If only the last component is missing, that is no error.  A removed directory
 * has nothing but ".".  Errors: ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG.
 */
int mfs_walk(struct mfs_tree *tree, struct mfs_dir_node *start, const char *path, int flags,
             struct mfs_place *out) MFS_REQUIRES_SHARED(tree->lock);

/* The same as if the directory `root` were the root: absolute paths and links begin there, and its
 * ".." is itself. */
int mfs_walk_within(struct mfs_tree *tree, struct mfs_dir_node *root, const char *path, int flags,
                    struct mfs_place *out) MFS_REQUIRES_SHARED(tree->lock);

/*
 * The node at `path`, with a reference for the caller; locks the namespace meanwhile.  `follow`: a
 * symlink as last component is followed; with a slash behind it, it always is.  Errors: also ENOENT
 * if nothing has the name, ENOTDIR if a slash follows the name of what is no directory.
 */
int mfs_walk_to_node(struct mfs_tree *tree, struct mfs_dir_node *start, const char *path,
                     bool follow, struct mfs_node **out) MFS_EXCLUDES(tree->lock);

/*
 * The same for the first `length` bytes of `path`, from the root, links followed: the root itself
 * (0, or 1 for a slash), or whole components of it.  A slash behind them demands a directory.
 */
int mfs_walk_prefix_to_node(struct mfs_tree *tree, const char *path, size_t length,
                            struct mfs_node **out) MFS_EXCLUDES(tree->lock);

/*
 * The absolute path of a place, without links: its length, and the path itself with a NUL behind
 * it, into a buffer of that length and one.
 */
size_t mfs_walk_path_length(const struct mfs_tree *tree, const struct mfs_place *place)
    MFS_REQUIRES_SHARED(tree->lock);
void mfs_walk_write_path(const struct mfs_tree *tree, const struct mfs_place *place, char *buffer,
                         size_t length) MFS_REQUIRES_SHARED(tree->lock);

#endif
