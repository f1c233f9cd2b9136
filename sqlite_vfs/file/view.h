/*
 * A view: a version of its database's content that a connection reads and writes in the place of
 * the file.
 *
 * What a transaction changes in its view becomes the file's content in one step, or never.  Until
 * then nothing else sees it: no other connection, no copy of the file, no snapshot of the tree.
 */
#ifndef MFS_VIEW_H
#define MFS_VIEW_H

#include "file/bytes.h"

#include <memfs/storage.h>

#include <stdbool.h>

/* All zeros to begin with: there is no view. */
struct mfs_view {
    bool is_held;   /* `version` is a reference to a content */
    bool is_idle;   /* kept for the next transaction; another thread may drop it meanwhile */
    bool is_doomed; /* a change was refused: the transaction can only be rolled back */
    struct mfs_bytes bytes; /* while held: of `version`; the generation never moves back */
    memfs_content_ref version;
};

/* Takes the file's current content; needs no memory.  The view is not held before. */
int mfs_view_take(struct mfs_view *view, memfs_file *file);

/* Drops the view with what was changed in it.  Does nothing if it is not held. */
void mfs_view_drop(struct mfs_view *view);

/*
 * Makes the view's content the file's, in one step; the view then holds the file's former content.
 * Cannot fail: `file` may be written, and all memory has been allocated before.
 */
void mfs_view_exchange(struct mfs_view *view, memfs_file *file);

/* Drops the former content after mfs_view_exchange(), and frees what the transaction cut off. */
void mfs_view_drop_former(struct mfs_view *view, memfs_file *file);

/* Whether the view stands in the place of the file now. */
static inline bool mfs_view_is_used(const struct mfs_view *view)
{
    return !view->is_idle && view->is_held;
}

/* The bytes that the connection reads and writes now: the view's if it is used, else the file's. */
static inline struct mfs_bytes *mfs_view_bytes(struct mfs_view *view, struct mfs_bytes *file)
{
    return mfs_view_is_used(view) ? &view->bytes : file;
}

#endif
