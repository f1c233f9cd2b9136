/*
 * The WAL index: memory that all connections to one database map, and eight locks.
 *
 * Regions of 32 KiB are charged memory at fixed addresses.  A region is allocated when the WAL
 * grows (mfs_shm_prepare()), before the frames that it indexes are written; so SQLite's request for
 * the region, which comes when the frames are written and it is too late to refuse, finds it ready.
 * Regions may come from the file system's emergency reserve, as the WAL itself.
 *
 * Threads: the caller holds the database's mutex to create, map, prepare, reset and destroy.  The
 * locks are atomics, one word each, and need no mutex.
 */
#ifndef MFS_SHM_H
#define MFS_SHM_H

#include "base/list.h"

#include <memfs/memfs.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { MFS_SHM_REGION_BYTES = 32768, MFS_SHM_SLOTS = 8, MFS_SHM_PATH_BYTES = 528 };

/* SQLite's WAL_WRITE_LOCK, WAL_CKPT_LOCK and WAL_READ_LOCK(0): slots of the index. */
enum { MFS_SHM_WRITER_SLOT = 0, MFS_SHM_CHECKPOINT_SLOT = 1, MFS_SHM_FIRST_READER_SLOT = 3 };

struct mfs_shm {
    memfs *fs;
    uint64_t number;           /* of the database's node */
    struct mfs_link link;      /* in the registry, while no connection maps it */
    uint32_t mappers;          /* connections that map it */
    uint32_t regions_mapped;   /* that SQLite has asked for */
    uint32_t regions_ready;    /* allocated */
    uint32_t regions_capacity; /* of the array */
    void **regions;
    atomic_int slots[MFS_SHM_SLOTS]; /* -1: locked exclusive; n: shared by n connections */
    atomic_uint barrier;
    char wal_path[MFS_SHM_PATH_BYTES];
};

/* The slots that one connection has locked, as bits. */
struct mfs_shm_hold {
    uint16_t shared, exclusive;
};

/* Creates an index without regions for the WAL at `wal_path`.  Errors: EDQUOT, ENOMEM. */
int mfs_shm_create(memfs *fs, uint64_t number, const char *wal_path, struct mfs_shm **out);
void mfs_shm_destroy(struct mfs_shm *shm);

/* Sets the WAL's path anew, after the database and its WAL were renamed. */
void mfs_shm_set_wal_path(struct mfs_shm *shm, const char *wal_path);

/* The address of region `index`.  One that was not asked for before becomes null if `extends` is
 * false, and is allocated otherwise.  Errors: EDQUOT, ENOMEM. */
int mfs_shm_map(struct mfs_shm *shm, uint32_t index, bool extends, void **out);

/* Allocates the regions that a WAL of `frames` frames needs.  Errors: EDQUOT, ENOMEM. */
int mfs_shm_prepare(struct mfs_shm *shm, uint64_t frames);

/* Zeroes the regions and keeps them allocated; the next connection to map them runs recovery. */
void mfs_shm_reset(struct mfs_shm *shm);

/* The frames that the WAL has, as the index's header says; 0 before the first region is mapped.
 * With the database's mutex held.  Another connection may be committing. */
uint32_t mfs_shm_frames(const struct mfs_shm *shm);

/* Whether the WAL has any content. */
bool mfs_shm_wal_is_live(const struct mfs_shm *shm);

/* Locks `count` slots from `first` on, one slot shared or several exclusive: all or nothing,
 * without waiting. */
bool mfs_shm_lock(struct mfs_shm *shm, struct mfs_shm_hold *hold, unsigned first, unsigned count,
                  bool exclusive);

/* Whether a connection that holds none of the slots could lock them now. */
bool mfs_shm_is_free(const struct mfs_shm *shm, unsigned first, unsigned count, bool exclusive);

/* Unlocks those of the slots that the connection holds in this way. */
void mfs_shm_unlock(struct mfs_shm *shm, struct mfs_shm_hold *hold, unsigned first, unsigned count,
                    bool exclusive);
void mfs_shm_unlock_all(struct mfs_shm *shm, struct mfs_shm_hold *hold);

/* A full memory barrier, for xShmBarrier. */
void mfs_shm_barrier(struct mfs_shm *shm);

#endif
