/*
 * Versions: contents that callers hold by reference.  A version lies in the caller's own
 * memfs_content_ref, and its file system knows all of them by a list, for the audit and for a
 * forced end.
 */
#ifndef MFS_VERSION_H
#define MFS_VERSION_H

#include "base/list.h"
#include "content/content.h"
#include "sync/sync.h"

#include <memfs/storage.h>

struct mfs_version {
    uint64_t size;
    memfs *fs; /* null: not held, and in no list */
    struct mfs_content content;
    struct mfs_link link; /* in the list of held versions */
    uint32_t magic;
    uint8_t reserve_use; /* enum memfs_emergency_use: that of the handle it was taken through */
};

#define MFS_VERSION_MAGIC 0x6d667376u

_Static_assert(sizeof(struct mfs_version) <= sizeof(memfs_content_ref), "a version must fit");

struct mfs_version_list {
    struct mfs_lock lock; /* a leaf: guards the list and the links */
    struct mfs_list held;
};

void mfs_version_list_add(struct mfs_version_list *list, struct mfs_lot *lot,
                          struct mfs_version *version);
void mfs_version_list_remove(struct mfs_version_list *list, struct mfs_lot *lot,
                             struct mfs_version *version);

#endif
