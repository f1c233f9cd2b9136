/* The walkers that are open, in no order. */
#include "wholetree/walker.h"

void mfs_walker_list_add(struct mfs_walker_list *list, struct mfs_lot *lot,
                         struct memfs_walker *walker)
{
    mfs_sync_lock_exclusive(lot, &list->lock);
    mfs_list_add(&list->open, &walker->link);
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_walker_list_remove(struct mfs_walker_list *list, struct mfs_lot *lot,
                            struct memfs_walker *walker)
{
    mfs_sync_lock_exclusive(lot, &list->lock);
    mfs_list_remove(&list->open, &walker->link);
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_walker_describe(const struct mfs_nodes *nodes, const struct mfs_tour_stop *stop,
                         memfs_stat_info *stat, memfs_walk_entry *out)
{
    *stat = (memfs_stat_info){.struct_size = sizeof *stat};
    mfs_node_stat(nodes, stop->node, stat);
    *out = (memfs_walk_entry){.struct_size = sizeof *out,
                              .event = stop->event,
                              .depth = stop->depth,
                              .path = stop->path,
                              .name = stop->name,
                              .stat = stat};
}
