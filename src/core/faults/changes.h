/* What the kit does when the tree changes, and when something is synced. */
#ifndef MFS_CHANGES_H
#define MFS_CHANGES_H

#include "faults/kit.h"

void mfs_changes_named(struct mfs_observer *observer, const struct mfs_observed_name *names,
                       size_t count);
void mfs_changes_written(struct mfs_observer *observer, struct mfs_file_node *file, uint64_t offset,
                         uint64_t length);
void mfs_changes_gone(struct mfs_observer *observer, uint64_t number);
void mfs_changes_synced(struct mfs_observer *observer, struct mfs_node *node);

#endif
