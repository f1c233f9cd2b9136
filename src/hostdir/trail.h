/*
 * Where an operation is in a tree of the host: the directories from the root down to the current
 * one, each reached from the one before by a single name that was no link.
 *
 *     root  /  sub  /  deep        steps[0..2], each with its identity
 *                      ^ directory: an open descriptor
 *     "sub/deep/name"              path: of the current directory, or of an entry in it
 *
 * Only the last directories are kept open.  Further up, the way back leads over "..", and must
 * come to the directory that it came from: ESTALE if that was moved meanwhile.
 */
#ifndef MFS_HOSTDIR_TRAIL_H
#define MFS_HOSTDIR_TRAIL_H

#include <memfs/storage.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct mfs_hostdir_step {
    uint64_t device, number;
    size_t path_length; /* of the directory's path */
    int descriptor;     /* -1: closed, to be opened again on the way back */
};

/* All zeros but for `fs` is a trail that has not begun. */
struct mfs_hostdir_trail {
    memfs *fs;
    struct mfs_hostdir_step *steps;
    size_t depth, capacity; /* depth 0: not begun */
    char *path;             /* relative, NUL-terminated */
    size_t path_capacity;
};

/* Whether it is a single name, which leads down by one: not "..", nor with a slash in it. */
bool mfs_trail_is_name(const char *name);

/* Begins at an open directory, which it takes over, also if it fails.  Returns a problem. */
int mfs_trail_begin(struct mfs_hostdir_trail *trail, int descriptor);

/* The current directory. */
int mfs_trail_directory(const struct mfs_hostdir_trail *trail);

/* The root, which is always open. */
int mfs_trail_root(const struct mfs_hostdir_trail *trail);

/* `path` becomes that of the entry `name` (null: of the current directory).  Errors: EDQUOT,
 * ENOMEM. */
int mfs_trail_name(struct mfs_hostdir_trail *trail, const char *name);

/* Goes down into the directory that `path` names, whose last name is `name`.  Returns a problem. */
int mfs_trail_enter(struct mfs_hostdir_trail *trail, const char *name);

/*
 * Goes back up, not from the root.  `path` is that of the directory that was left, and `*left`, if
 * wanted, its descriptor, for the caller to close.  Returns a problem; what is left is then closed.
 */
int mfs_trail_leave(struct mfs_hostdir_trail *trail, int *left);

void mfs_trail_fini(struct mfs_hostdir_trail *trail);

/* Opens a directory from `parent` by a name that is no link.  Or -1, and errno. */
int mfs_trail_open(int parent, const char *name);

#endif
