/*
 * The WAL index: memory that all connections to one database map, and eight
 * locks.
 *
 * Regions of 32 KiB are charged memory at fixed addresses.  They are allocated
 * when the WAL grows (mfs_shm_prepare()), before the frames that they will speak
 * of are written; so asking for a region later, when the frames are there and it
 * is too late to refuse, finds it ready.  They may come from the file system's
 * reserve, as the WAL itself.
 *
 * Threads: mapping and preparing are guarded by the database's mutex, which the
 * caller holds; the locks are atomics, one word each.
 */
#ifndef MFS_SHM_H
#define MFS_SHM_H

#include <memfs/memfs.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { MFS_SHM_REGION_BYTES = 32768, MFS_SHM_SLOTS = 8, MFS_SHM_PATH_BYTES = 528 };

struct mfs_shm {
    memfs *fs;
    uint64_t number;         /* of the database's node */
    struct mfs_shm *next;    /* among those that no connection maps */
    uint32_t mappers;        /* connections */
    uint32_t regions_mapped; /* that SQLite knows of */
    uint32_t regions_ready;  /* allocated, at least as many */
    uint32_t regions_room;   /* in the array */
    void **regions;
    atomic_int slots[MFS_SHM_SLOTS]; /* -1: exclusive; n: n share it */
    atomic_uint barrier;
    char wal_path[MFS_SHM_PATH_BYTES];
};

/* One connection's part: which slots it holds. */
struct mfs_shm_hold {
    uint16_t shared, exclusive;
};

/* An index without regions, for the WAL at `wal_path`.  Errors: EDQUOT, ENOMEM. */
int mfs_shm_create(memfs *fs, uint64_t number, const char *wal_path, struct mfs_shm **out);
void mfs_shm_destroy(struct mfs_shm *shm);

/* The WAL is at another path by now: the database was renamed, and it with it. */
void mfs_shm_set_wal_path(struct mfs_shm *shm, const char *wal_path);

/* Makes region `index` ready for the first time or finds it: its address, or null if it is not
 * mapped yet and `extends` is false.  Errors: EDQUOT, ENOMEM. */
int mfs_shm_map(struct mfs_shm *shm, uint32_t index, bool extends, void **out);

/* Allocates the regions that a WAL of `frames` frames needs.  Errors: EDQUOT, ENOMEM. */
int mfs_shm_prepare(struct mfs_shm *shm, uint64_t frames);

/* Forgets what the regions say, but keeps them ready: the next to map them recovers. */
void mfs_shm_reset(struct mfs_shm *shm);

/* True if the WAL has anything in it. */
bool mfs_shm_wal_is_live(const struct mfs_shm *shm);

/* Takes `count` slots from `first` on, shared (one slot) or exclusive; all or nothing; never waits. */
bool mfs_shm_lock(struct mfs_shm *shm, struct mfs_shm_hold *hold, unsigned first, unsigned count,
                  bool exclusive);

/* Whether a connection that holds none of them could. */
bool mfs_shm_is_free(const struct mfs_shm *shm, unsigned first, unsigned count, bool exclusive);

/* Gives back those of them that are held so. */
void mfs_shm_unlock(struct mfs_shm *shm, struct mfs_shm_hold *hold, unsigned first, unsigned count,
                    bool exclusive);
void mfs_shm_unlock_all(struct mfs_shm *shm, struct mfs_shm_hold *hold);

void mfs_shm_barrier(struct mfs_shm *shm);

#endif
