/*
 * 1. regions_mapped <= regions_ready <= regions_room; a region's address never
 *    changes while somebody maps the index.
 * 2. Region 0 speaks of 4062 frames (it begins with the header), every other one
 *    of 4096 (SQLite's wal.c, HASHTABLE_NPAGE_ONE).
 * 3. A slot is -1, 0 or the number of connections that share it; each connection
 *    counts once, as its `shared` and `exclusive` bits say.
 */
#include "file/shm.h"

#include <memfs/storage.h>

#include <assert.h>
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
    assert(path_bytes <= sizeof shm->wal_path);
    memcpy(shm->wal_path, wal_path, path_bytes);
}

void mfs_shm_destroy(struct mfs_shm *shm)
{
    assert(shm->mappers == 0);
    for (uint32_t i = 0; i < shm->regions_ready; i++)
        (void)memfs_free(shm->fs, shm->regions[i]);
    (void)memfs_free(shm->fs, shm->regions);
    (void)memfs_free(shm->fs, shm);
}

/* Makes the array longer; the regions stay where they are. */
static int make_room(struct mfs_shm *shm)
{
    uint32_t room = shm->regions_room == 0 ? REGIONS_AT_FIRST : shm->regions_room * 2;
    void *grown;
    int error = memfs_charged_alloc_emergency(shm->fs, room * sizeof *shm->regions, &grown);
    if (error != 0)
        return error;
    if (shm->regions_ready != 0)
        memcpy(grown, shm->regions, shm->regions_ready * sizeof *shm->regions);
    (void)memfs_free(shm->fs, shm->regions);
    shm->regions = grown;
    shm->regions_room = room;
    return 0;
}

static int make_ready(struct mfs_shm *shm, uint32_t count)
{
    while (shm->regions_ready < count) {
        int error = shm->regions_ready == shm->regions_room ? make_room(shm) : 0;
        void *region;
        if (error == 0)
            error = memfs_charged_alloc_emergency(shm->fs, MFS_SHM_REGION_BYTES, &region);
        if (error != 0)
            return error;
        shm->regions[shm->regions_ready++] = region;
    }
    return 0;
}

int mfs_shm_map(struct mfs_shm *shm, uint32_t index, bool extends, void **out)
{
    if (index >= shm->regions_mapped && !extends) {
        *out = NULL;
        return 0;
    }
    int error = make_ready(shm, index + 1);
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
    return make_ready(shm, (uint32_t)count);
}

void mfs_shm_reset(struct mfs_shm *shm)
{
    assert(shm->mappers == 0);
    for (uint32_t i = 0; i < shm->regions_mapped; i++)
        memset(shm->regions[i], 0, MFS_SHM_REGION_BYTES);
    shm->regions_mapped = 0;
}

bool mfs_shm_wal_is_live(const struct mfs_shm *shm)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    return memfs_stat(shm->fs, shm->wal_path, &info) == 0 && info.size_bytes > 0;
}

/* -------------------------------------------------------------------- locks */

static bool take_shared(atomic_int *slot)
{
    int state = atomic_load(slot);
    while (state >= 0)
        if (atomic_compare_exchange_weak(slot, &state, state + 1))
            return true;
    return false;
}

static bool take_exclusive(atomic_int *slot)
{
    int free = 0;
    return atomic_compare_exchange_strong(slot, &free, -1);
}

static uint16_t bit(unsigned slot)
{
    return (uint16_t)(1u << slot);
}

static void give_back(struct mfs_shm *shm, struct mfs_shm_hold *hold, uint16_t slots,
                      bool exclusive)
{
    uint16_t *mask = exclusive ? &hold->exclusive : &hold->shared;
    for (unsigned i = 0; i < MFS_SHM_SLOTS; i++) {
        if ((*mask & slots & bit(i)) == 0)
            continue;
        *mask &= (uint16_t)~bit(i);
        if (exclusive)
            atomic_store(&shm->slots[i], 0);
        else
            (void)atomic_fetch_sub(&shm->slots[i], 1);
    }
}

bool mfs_shm_lock(struct mfs_shm *shm, struct mfs_shm_hold *hold, unsigned first, unsigned count,
                  bool exclusive)
{
    assert(count >= 1 && first + count <= MFS_SHM_SLOTS && (exclusive || count == 1));
    uint16_t *mask = exclusive ? &hold->exclusive : &hold->shared;
    uint16_t taken = 0;
    for (unsigned i = first; i < first + count; i++) {
        if ((*mask & bit(i)) != 0)
            continue;
        if (!(exclusive ? take_exclusive(&shm->slots[i]) : take_shared(&shm->slots[i]))) {
            give_back(shm, hold, taken, exclusive);
            return false;
        }
        *mask |= bit(i);
        taken |= bit(i);
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
    assert(first + count <= MFS_SHM_SLOTS);
    give_back(shm, hold, (uint16_t)(((1u << count) - 1u) << first), exclusive);
}

void mfs_shm_unlock_all(struct mfs_shm *shm, struct mfs_shm_hold *hold)
{
    mfs_shm_unlock(shm, hold, 0, MFS_SHM_SLOTS, false);
    mfs_shm_unlock(shm, hold, 0, MFS_SHM_SLOTS, true);
}

/* A read-modify-write of one shared word orders what comes before it in one thread with what
 * comes after it in another; it is a full barrier, and one that tools can follow. */
void mfs_shm_barrier(struct mfs_shm *shm)
{
    (void)atomic_fetch_add(&shm->barrier, 1u);
}
