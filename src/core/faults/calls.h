/* What the kit does when a call begins and when it ends. */
#ifndef MFS_CALLS_H
#define MFS_CALLS_H

#include "faults/kit.h"

int mfs_calls_before(struct mfs_observer *observer, const struct mfs_operation *operation);
int64_t mfs_calls_after(struct mfs_observer *observer, const struct mfs_operation *operation,
                        int64_t result);

#endif
