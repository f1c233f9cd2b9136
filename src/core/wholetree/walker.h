/*
 * What memfs_walk_open() hands out: a tour, and its place on the list of all walkers, by which
 * an audit and a forced end find the nodes that walkers refer to.
 */
#ifndef MFS_WALKER_H
#define MFS_WALKER_H

#include "base/list.h"
#include "sync/sync.h"
#include "wholetree/tour.h"

#include <memfs/memfs.h>

#define MFS_WALKER_MAGIC 0x6d667377u

struct memfs_walker {
    uint32_t magic;
    unsigned flags; /* MEMFS_WALK_... */
    memfs *fs;
    struct mfs_tour_room *lent; /* the caller's, as the walker itself then is; or null */
    struct mfs_tour tour;
    struct mfs_link link;   /* in the list of walkers */
    memfs_walk_entry entry; /* where the walker stands; its event is 0 where it stands nowhere */
    memfs_stat_info stat;
};

struct mfs_walker_list {
    struct mfs_lock lock; /* a leaf: guards the list */
    struct mfs_list open;
};

static inline struct memfs_walker *mfs_walker_of_link(struct mfs_link *link)
{
    return MFS_LIST_ENTRY(link, struct memfs_walker, link);
}

void mfs_walker_list_add(struct mfs_walker_list *list, struct mfs_lot *lot,
                         struct memfs_walker *walker);
void mfs_walker_list_remove(struct mfs_walker_list *list, struct mfs_lot *lot,
                            struct memfs_walker *walker);

/* Describes a stop of a tour; `stat` is filled, and referred to. */
void mfs_walker_describe(const struct mfs_nodes *nodes, const struct mfs_tour_stop *stop,
                         memfs_stat_info *stat, memfs_walk_entry *out);

#endif
