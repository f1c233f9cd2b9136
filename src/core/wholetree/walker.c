/* Where a walker stands, in the words of memfs.h. */
#include "wholetree/walker.h"

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
