/* The beginning and the end of a kit. */
#ifndef MFS_START_H
#define MFS_START_H

#include "faults/kit.h"

/* The kit, which is made if there is none.  Errors: EINVAL, ENOMEM, EOPNOTSUPP. */
int mfs_start_kit(memfs *fs, const memfs_allocator *allocator, struct mfs_kit **out);

/* Ends a kit that is needed for nothing any more. */
void mfs_start_end_unused(struct mfs_kit *kit);

/* Begins and ends to track what is durable; rules and hook stay. */
int mfs_start_tracking(struct mfs_kit *kit, const memfs_durability *model);
void mfs_start_stop_tracking(struct mfs_kit *kit);

#endif
