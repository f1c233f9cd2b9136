/*
 * Files, directories and symlinks that appear in the tree in one step, wherever their paths lead.
 *
 *     mfs_import_make()     once for each, with no lock held: the node and its name
 *     mfs_import_place()    once for each, in the same order, under the lock: where it will be
 *     mfs_import_commit()   under the same lock: all appear.  Cannot fail
 *     mfs_import_end()      without the lock, in any case: frees what is left
 */
#ifndef MFS_IMPORT_H
#define MFS_IMPORT_H

#include "wholetree/graft.h"

#include <memfs/memfs.h>

struct mfs_import {
    struct mfs_grafts grafts;
    bool replaces;               /* files and symlinks that are there */
    struct mfs_dirent *first;    /* made and not placed, linked by u.next_removed */
    struct mfs_dirent *last;     /* of these */
    struct mfs_dirent *replaced; /* by the commit */
};

struct mfs_import mfs_import_begin(struct mfs_tree *tree, bool replaces);

/* Errors: EINVAL, ENAMETOOLONG, ENOENT (an empty target), EISDIR (a slash behind the name of what
 * is no directory), EFBIG, EDQUOT, ENOSPC, ENOMEM. */
int mfs_import_make(struct mfs_import *import, const memfs_import_entry *wanted)
    MFS_EXCLUDES(import->grafts.tree->lock);

/* Errors: EEXIST, EISDIR, EBUSY, EMLINK, EDQUOT, ENOSPC, ENOMEM, and those of walking. */
int mfs_import_place(struct mfs_import *import, const memfs_import_entry *wanted)
    MFS_REQUIRES(import->grafts.tree->lock);

void mfs_import_commit(struct mfs_import *import) MFS_REQUIRES(import->grafts.tree->lock);
void mfs_import_end(struct mfs_import *import) MFS_EXCLUDES(import->grafts.tree->lock);

#endif
