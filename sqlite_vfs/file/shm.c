/*
 * The regions of a WAL index and its locks.
 *
 * 1. regions_mapped <= regions_ready <= regions_capacity.  A region's address never changes while
 *    a connection maps the index.
 * 2. Region 0 indexes 4062 frames, since it begins with the header; every other region indexes 4096
 *    (SQLite's wal.c, HASHTABLE_NPAGE_ONE).
 * 3. A slot is -1, 0, or the number of connections that share it.  Each connection counts once, as
 *    its `shared` and `exclusive` bits say.
 *
 * Cost: a lock is one atomic operation, without a mutex.
 *
 * Left out on purpose: waiting, which is in locks/waiting.c; and giving regions back while the
 * index is mapped, since SQLite keeps their addresses.
 */
#include "file/shm.h"

#include "base/assertion.h"
#include "file/sibling.h"

#include <memfs/storage.h>

#include <string.h>

enum { FRAMES_IN_FIRST = 4062, FRAMES_IN_OTHERS = 4096, REGIONS_AT_FIRST = 8 };

int mfs_shm_create(memfs *fs, uint64_t number, const char *wal_path, struct mfs_shm **out)
{
    void *memory;
    int error = memfs_charged_alloc_emergency(fs, sizeof(struct mfs_shm), &memory);
    if (error != 0)
        return error;
    struct mfs_shm *shm = memory; /* zeroed */
    shm->fs = fs;
    shm->number = number;
    mfs_shm_set_wal_path(shm, wal_path);
    *out = shm;
    return 0;
}

void mfs_shm_set_wal_path(struct mfs_shm *shm, const char *wal_path)
{
    size_t path_bytes = strlen(wal_path) + 1;
    MFS_ASSERT(path_bytes <= sizeof shm->wal_path);
    memcpy(shm->wal_path, wal_path, path_bytes);
}

void mfs_shm_destroy(struct mfs_shm *shm)
{
    MFS_ASSERT(shm->mappers == 0);
    for (uint32_t i = 0; i < shm->regions_ready; i++)
        (void)memfs_free(shm->fs, shm->regions[i]);
    (void)memfs_free(shm->fs, shm->regions);
    (void)memfs_free(shm->fs, shm);
}

/* Enlarges the array of addresses; the regions stay where they are. */
static int grow_regions(struct mfs_shm *shm)
{
    uint32_t capacity = shm->regions_capacity == 0 ? REGIONS_AT_FIRST : shm->regions_capacity * 2;
    void *grown;
    int error = memfs_charged_alloc_emergency(shm->fs, capacity * sizeof *shm->regions, &grown);
    if (error != 0)
        return error;
    if (shm->regions_ready != 0)
        memcpy(grown, shm->regions, shm->regions_ready * sizeof *shm->regions);
    (void)memfs_free(shm->fs, shm->regions);
    shm->regions = grown;
    shm->regions_capacity = capacity;
    return 0;
}

static int allocate_regions(struct mfs_shm *shm, uint32_t count)
{
    while (shm->regions_ready < count) {
        int error = shm->regions_ready == shm->regions_capacity ? grow_regions(shm) : 0;
        void *region;
        if (error == 0)
            error = memfs_charged_alloc_emergency(shm->fs, MFS_SHM_REGION_BYTES, &region);
        if (error != 0)
            return error;
        shm->regions[shm->regions_ready++] = region; /* zeroed */
    }
    MFS_ASSERT(shm->regions_mapped <= shm->regions_ready &&
               shm->regions_ready <= shm->regions_capacity);
    return 0;
}

int mfs_shm_map(struct mfs_shm *shm, uint32_t index, bool extends, void **out)
{
    if (index >= shm->regions_mapped && !extends) {
        *out = NULL;
        return 0;
    }
    int error = allocate_regions(shm, index + 1);
    if (error != 0)
        return error;
    if (index >= shm->regions_mapped)
        shm->regions_mapped = index + 1;
    *out = shm->regions[index];
    return 0;
}

int mfs_shm_prepare(struct mfs_shm *shm, uint64_t frames)
{
    uint64_t count = 1;
    if (frames > FRAMES_IN_FIRST)
        count += (frames - FRAMES_IN_FIRST + FRAMES_IN_OTHERS - 1) / FRAMES_IN_OTHERS;
    return allocate_regions(shm, (uint32_t)count);
}

void mfs_shm_reset(struct mfs_shm *shm)
{
    MFS_ASSERT(shm->mappers == 0);
    for (uint32_t i = 0; i < shm->regions_mapped; i++)
        memset(shm->regions[i], 0, MFS_SHM_REGION_BYTES);
    shm->regions_mapped = 0;
}

/* WalIndexHdr.mxFrame, in the byte order of the machine. */
uint32_t mfs_shm_frames(const struct mfs_shm *shm)
{
    enum { FRAMES_OFFSET = 16 };
    if (shm->regions_mapped == 0)
        return 0;
    return *(const volatile uint32_t *)((const char *)shm->regions[0] + FRAMES_OFFSET);
}

bool mfs_shm_wal_is_live(const struct mfs_shm *shm)
{
    return mfs_sibling_wal_is_live(shm->fs, shm->wal_path);
}

/* -------------------------------------------------------------------- locks */

static bool lock_slot_shared(atomic_int *slot)
{
    int state = atomic_load(slot);
    while (state >= 0)
        if (atomic_compare_exchange_weak(slot, &state, state + 1))
            return true;
    return false;
}

static bool lock_slot_exclusive(atomic_int *slot)
{
    int free = 0;
    return atomic_compare_exchange_strong(slot, &free, -1);
}

static uint16_t slot_bit(unsigned slot)
{
    return (uint16_t)(1u << slot);
}

static void unlock_slots(struct mfs_shm *shm, struct mfs_shm_hold *hold, uint16_t slots,
                         bool exclusive)
{
    uint16_t *mask = exclusive ? &hold->exclusive : &hold->shared;
    for (unsigned i = 0; i < MFS_SHM_SLOTS; i++) {
        if ((*mask & slots & slot_bit(i)) == 0)
            continue;
        *mask &= (uint16_t)~slot_bit(i);
        if (exclusive)
            atomic_store(&shm->slots[i], 0);
        else
            (void)atomic_fetch_sub(&shm->slots[i], 1);
    }
}

bool mfs_shm_lock(struct mfs_shm *shm, struct mfs_shm_hold *hold, unsigned first, unsigned count,
                  bool exclusive)
{
    MFS_ASSERT(count >= 1 && first + count <= MFS_SHM_SLOTS && (exclusive || count == 1));
    uint16_t *mask = exclusive ? &hold->exclusive : &hold->shared;
    uint16_t taken = 0; /* here, to be unlocked if a later slot is refused */
    for (unsigned i = first; i < first + count; i++) {
        if ((*mask & slot_bit(i)) != 0)
            continue;
        if (!(exclusive ? lock_slot_exclusive(&shm->slots[i]) : lock_slot_shared(&shm->slots[i]))) {
            unlock_slots(shm, hold, taken, exclusive);
            return false;
        }
        *mask |= slot_bit(i);
        taken |= slot_bit(i);
    }
    return true;
}

bool mfs_shm_is_free(const struct mfs_shm *shm, unsigned first, unsigned count, bool exclusive)
{
    for (unsigned i = first; i < first + count; i++) {
        int state = atomic_load(&shm->slots[i]);
        if (exclusive ? state != 0 : state < 0)
            return false;
    }
    return true;
}

void mfs_shm_unlock(struct mfs_shm *shm, struct mfs_shm_hold *hold, unsigned first, unsigned count,
                    bool exclusive)
{
    MFS_ASSERT(first + count <= MFS_SHM_SLOTS);
    unlock_slots(shm, hold, (uint16_t)(((1u << count) - 1u) << first), exclusive);
}

void mfs_shm_unlock_all(struct mfs_shm *shm, struct mfs_shm_hold *hold)
{
    mfs_shm_unlock(shm, hold, 0, MFS_SHM_SLOTS, false);
    mfs_shm_unlock(shm, hold, 0, MFS_SHM_SLOTS, true);
}

/* A read-modify-write of one shared word is a full barrier between threads, and one that the
 * thread sanitizer understands. */
void mfs_shm_barrier(struct mfs_shm *shm)
{
    (void)atomic_fetch_add(&shm->barrier, 1u);
}
