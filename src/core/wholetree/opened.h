/*
 * What callers have open beside files and directory streams: walkers and comparisons.  They stand
 * on one list, by which an audit and a forced end find the nodes that they refer to.
 */
#ifndef MFS_OPENED_H
#define MFS_OPENED_H

#include "base/list.h"
#include "sync/sync.h"

#include <memfs/memfs.h>

/* How each of them begins; the magic number says which it is. */
struct mfs_opened {
    uint32_t magic;
    memfs *fs;
    struct mfs_link link;
};

struct mfs_opened_list {
    struct mfs_lock lock; /* a leaf: guards the list */
    struct mfs_list all;
};

/* Whether it is open, and what the magic number says; it may be null. */
static inline bool mfs_opened_is(const void *what, uint32_t magic)
{
    const struct mfs_opened *opened = what;
    return opened != NULL && mfs_sync_is_marked(opened->magic, magic);
}

static inline struct mfs_opened *mfs_opened_of_link(struct mfs_link *link)
{
    return MFS_LIST_ENTRY(link, struct mfs_opened, link);
}

void mfs_opened_add(struct mfs_opened_list *list, struct mfs_lot *lot, struct mfs_opened *opened);
void mfs_opened_remove(struct mfs_opened_list *list, struct mfs_lot *lot,
                       struct mfs_opened *opened);

#endif
