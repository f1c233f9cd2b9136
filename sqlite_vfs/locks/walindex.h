/* A connection's use of its database's WAL index: xShmMap and xShmUnmap. */
#ifndef MFS_WALINDEX_H
#define MFS_WALINDEX_H

#include "locks/member.h"

#include <memfs/memfs.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * Lets the connection map the WAL index of its database, for the WAL at `wal_path`.  An index that
 * earlier connections left behind is used again.  Does nothing if it is mapped already.
 * Errors: EDQUOT, ENOMEM.
 */
int mfs_walindex_map(struct mfs_member *member, struct mfs_registry *registry, memfs *fs,
                     const char *wal_path);

/* mfs_shm_map() for a connection that maps the index. */
int mfs_walindex_region(struct mfs_member *member, uint32_t index, bool extends, void **out);

/* mfs_shm_prepare() for the member's database; does nothing if no connection maps the index. */
int mfs_walindex_prepare(struct mfs_member *member, uint64_t frames);

/*
 * Gives back the connection's locks in the index and unmaps it.  With the last connection the index
 * is destroyed if `deletes` or if the WAL is empty; otherwise it is parked for the next connection.
 */
void mfs_walindex_unmap(struct mfs_member *member, struct mfs_registry *registry, bool deletes);

#endif
