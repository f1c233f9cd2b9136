/*
 * Regions: memory straight from the operating system, for large slabs.
 *
 * A region has one size and begins at a multiple of it, so that the system can back it with
 * one huge page, for which it is asked.  It costs exactly its size.  A system without such
 * memory has no regions; slabs then come from the allocator alone.
 */
#ifndef MFS_REGION_H
#define MFS_REGION_H

#include <stddef.h>

#define MFS_REGION_BYTES ((size_t)2 << 20)

/* MFS_REGION_BYTES, or 0 if this build has no regions. */
size_t mfs_region_bytes(void);

/* Null if the system has no memory left.  The content is uncertain. */
void *mfs_region_take(void);
void mfs_region_give(void *region);

#endif
