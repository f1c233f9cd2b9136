/* The limit that a quota and an arena set together. */
#ifndef MFS_LIMITS_H
#define MFS_LIMITS_H

#include "instance/fs.h"

/* The smaller of the quota (MEMFS_UNLIMITED: none) and the arena's limit; MFS_UNLIMITED if there
 * is neither. */
uint64_t mfs_limits_in_force(uint64_t quota_bytes, uint64_t arena_limit);

#endif
