/* A content that a caller holds by reference: what memfs_content_ref really is. */
#ifndef MFS_VERSION_H
#define MFS_VERSION_H

#include "base/list.h"
#include "content/content.h"
#include "sync/sync.h"

#include <memfs/storage.h>

struct mfs_version {
    uint64_t size;
    memfs *fs; /* null: not held */
    struct mfs_content content;
    struct mfs_link link; /* in the list of held versions */
    uint32_t magic;
    uint8_t reserve_use; /* the handle's that it was taken through */
};

#define MFS_VERSION_MAGIC 0x6d667376u

_Static_assert(sizeof(struct mfs_version) <= sizeof(memfs_content_ref), "a version must fit");

/* All versions that are held, to find their pages again at an audit or a forced end. */
struct mfs_version_list {
    struct mfs_lock lock; /* a leaf */
    struct mfs_list held;
};

void mfs_version_list_add(struct mfs_version_list *list, struct mfs_lot *lot,
                          struct mfs_version *version);
void mfs_version_list_remove(struct mfs_version_list *list, struct mfs_lot *lot,
                             struct mfs_version *version);

#endif
