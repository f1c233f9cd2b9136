/* The list of the walkers that are open: doubly linked, in no order. */
#include "wholetree/walker.h"

#include "base/check.h"

void mfs_walker_list_add(struct mfs_walker_list *list, struct mfs_lot *lot,
                         struct memfs_walker *walker)
{
    mfs_sync_lock_exclusive(lot, &list->lock);
    walker->previous = NULL;
    walker->next = list->first;
    if (walker->next != NULL)
        walker->next->previous = walker;
    list->first = walker;
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_walker_list_remove(struct mfs_walker_list *list, struct mfs_lot *lot,
                            struct memfs_walker *walker)
{
    mfs_sync_lock_exclusive(lot, &list->lock);
    MFS_CHECK(walker->previous != NULL || list->first == walker);
    if (walker->previous != NULL)
        walker->previous->next = walker->next;
    else
        list->first = walker->next;
    if (walker->next != NULL)
        walker->next->previous = walker->previous;
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_walker_describe(const struct mfs_nodes *nodes, const struct mfs_tour_stop *stop,
                         memfs_stat_info *stat, memfs_walk_entry *out)
{
    *stat = (memfs_stat_info){.struct_size = sizeof *stat};
    mfs_node_stat(nodes, stop->node, stat);
    *out = (memfs_walk_entry){.event = stop->event,
                              .depth = stop->depth,
                              .path = stop->path,
                              .name = stop->name,
                              .stat = stat};
}
