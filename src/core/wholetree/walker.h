/* What memfs_walk_open() hands out: a tour, and where it stands. */
#ifndef MFS_WALKER_H
#define MFS_WALKER_H

#include "wholetree/opened.h"
#include "wholetree/tour.h"

#include <memfs/memfs.h>

#define MFS_WALKER_MAGIC 0x6d667377u

struct memfs_walker {
    struct mfs_opened opened;
    unsigned flags;             /* MEMFS_WALK_... */
    struct mfs_tour_room *lent; /* the caller's, as the walker itself then is; or null */
    struct mfs_tour tour;
    memfs_walk_entry entry; /* where the walker stands; its event is 0 where it stands nowhere */
    memfs_stat_info stat;
};

/* Describes a stop of a tour; `stat` is filled, and referred to. */
void mfs_walker_describe(const struct mfs_nodes *nodes, const struct mfs_tour_stop *stop,
                         memfs_stat_info *stat, memfs_walk_entry *out);

#endif
