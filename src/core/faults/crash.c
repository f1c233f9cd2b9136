/*
 * Durability and power cuts: the exported functions.
 *
 * A power cut is played on a clone of the store, so it disturbs nothing; what the clone's disk then
 * has becomes a tree in an instance with memory of its own.
 */
#include "api/structsize.h"
#include "base/check.h"
#include "base/num.h"
#include "faults/start.h"

#include <string.h>

#ifdef MEMFS_NO_FAULTS
#define DURABILITY_IS_LEFT_OUT true
#else
#define DURABILITY_IS_LEFT_OUT false
#endif

enum { SECTOR_BYTES = 512, SECTOR_BYTES_MAX = 65536, CRASH_PATH_BYTES = 2 * MEMFS_PATH_MAX };

static int read_model(const memfs_durability *model, memfs_durability *out)
{
    memset(out, 0, sizeof *out);
    if (model != NULL) {
        int error = mfs_structsize_copy_in(out, sizeof *out, model,
                                           MFS_STRUCTSIZE_UP_TO(memfs_durability, names));
        if (error != 0)
            return error;
    }
    if (out->sector_bytes == 0)
        out->sector_bytes = SECTOR_BYTES;
    bool is_known = out->names <= MEMFS_NAMES_AT_ONCE &&
                    out->failed_sync <= MEMFS_FAILED_SYNC_KEEPS &&
                    out->sector_bytes <= SECTOR_BYTES_MAX &&
                    (out->sector_bytes & (out->sector_bytes - 1)) == 0;
    return is_known ? 0 : MEMFS_EINVAL;
}

int memfs_durability_start(memfs *fs, const memfs_durability *model)
{
    memfs_durability own;
    struct mfs_kit *kit;
    int error = read_model(model, &own);
    if (!mfs_fs_is_valid(fs))
        error = MEMFS_EINVAL;
    if (error == 0 && DURABILITY_IS_LEFT_OUT)
        error = MEMFS_EOPNOTSUPP;
    if (error == 0)
        error = mfs_start_kit(fs, own.allocator, &kit);
    if (error != 0)
        return error;
    error = mfs_start_tracking(kit, &own);
    if (error != 0)
        mfs_start_end_unused(kit);
    return error;
}

/* The kit of an instance that tracks what is durable.  Errors: EINVAL. */
static int find_kit(memfs *fs, struct mfs_kit **out)
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    *out = mfs_kit_of(fs);
    return *out != NULL && (*out)->tracks ? 0 : MEMFS_EINVAL;
}

int memfs_durability_stop(memfs *fs)
{
    struct mfs_kit *kit;
    int error = find_kit(fs, &kit);
    if (error != 0)
        return error;
    mfs_start_stop_tracking(kit);
    mfs_start_end_unused(kit);
    return 0;
}

int memfs_is_observed(memfs *fs)
{
    return mfs_fs_is_valid(fs) && mfs_kit_of(fs) != NULL;
}

/* -------------------------------------------------------------- power cuts */

static int read_options(const memfs_crash_options *how, memfs_crash_options *out)
{
    memset(out, 0, sizeof *out);
    if (how != NULL) {
        int error = mfs_structsize_copy_in(out, sizeof *out, how,
                                           MFS_STRUCTSIZE_UP_TO(memfs_crash_options, flags));
        if (error != 0)
            return error;
    }
    bool is_known = (out->flags & ~(MEMFS_CRASH_TORN | MEMFS_CRASH_ORDERED)) == 0 &&
                    out->percent <= 100;
    return is_known ? 0 : MEMFS_EINVAL;
}

/* An empty instance like `fs`. */
static int create_like(struct mfs_kit *kit, memfs **out)
{
    memfs *fs = kit->fs;
    memfs_config config = memfs_config_default();
    uint64_t limit = atomic_load(&fs->memory->ledger.limit);
    uint64_t node_limit = atomic_load(&fs->nodes.limit);
    config.quota_bytes = limit == MFS_UNLIMITED ? MEMFS_UNLIMITED : limit;
    config.node_limit = node_limit == MFS_UNLIMITED ? 0 : node_limit;
    config.emergency_reserve_bytes = atomic_load(&fs->memory->ledger.reserve);
    config.page_size = fs->pool->page_size;
    config.atime_policy = atomic_load(&fs->nodes.atime_policy);
    config.uid = fs->nodes.uid;
    config.gid = fs->nodes.gid;
    config.clock = fs->nodes.clock;
    config.clock_context = fs->nodes.clock_context;
    config.allocator = kit->allocator.take != NULL ? &kit->allocator : NULL;
    return memfs_create(&config, out);
}

/* The store as the power cut leaves it.  Errors: ENOENT, ENOMEM. */
static int cut_power(struct mfs_kit *kit, const memfs_crash_options *how, memfs **disk)
{
    const struct mfs_survival survival = {.percent = how->percent,
                                          .is_torn = (how->flags & MEMFS_CRASH_TORN) != 0,
                                          .is_ordered = (how->flags & MEMFS_CRASH_ORDERED) != 0,
                                          .seed = how->seed,
                                          .sector_bytes = kit->model.sector_bytes};
    mfs_kit_lock(kit);
    int error = kit->is_broken ? MEMFS_ENOMEM : kit->syncs == 0 ? MEMFS_ENOENT : 0;
    if (error == 0)
        error = memfs_clone_instance(kit->store, disk);
    if (error == 0) {
        error = mfs_pending_survive(&kit->log, &survival, *disk);
        if (error != 0)
            (void)memfs_destroy(*disk, 0);
    }
    mfs_kit_unlock(kit);
    return error;
}

int memfs_crash(memfs *fs, const memfs_crash_options *how, memfs **out)
{
    memfs_crash_options own;
    struct mfs_kit *kit;
    memfs *disk, *after;
    int error = read_options(how, &own);
    if (error == 0 && out == NULL)
        error = MEMFS_EINVAL;
    if (error == 0)
        error = find_kit(fs, &kit);
    if (error == 0)
        error = cut_power(kit, &own, &disk);
    if (error != 0)
        return error;
    error = create_like(kit, &after);
    if (error == 0) {
        error = mfs_disk_build(disk, fs->tree.root->node.number, after);
        if (error != 0)
            (void)memfs_destroy(after, MEMFS_DESTROY_FORCE);
    }
    (void)memfs_destroy(disk, MEMFS_DESTROY_FORCE);
    if (error == 0)
        *out = after;
    return error;
}

/* ----------------------------------------------------------- what is pending */

struct listing {
    struct mfs_kit *kit;
    uint64_t number; /* of the file or directory; 0: any */
    memfs_pending_callback callback;
    void *context;
    char path[CRASH_PATH_BYTES];
};

/* The path of the file, or of the name. */
static void find_path(struct listing *l, const struct mfs_pending *entry) MFS_REQUIRES(l->kit->lock)
{
    if (!entry->is_name) {
        mfs_kit_path(l->kit, entry->number, l->path, sizeof l->path);
        return;
    }
    mfs_kit_path(l->kit, entry->dir, l->path, sizeof l->path);
    size_t length = strlen(l->path);
    if (length == 0 || length + entry->length + 2 > sizeof l->path) {
        l->path[0] = '\0';
        return;
    }
    if (length > 1)
        l->path[length++] = '/';
    memcpy(l->path + length, entry->bytes, (size_t)entry->length);
    l->path[length + entry->length] = '\0';
}

static int64_t list_pending(struct listing *l) MFS_REQUIRES(l->kit->lock)
{
    int64_t count = 0;
    bool goes_on = l->callback != NULL;
    for (struct mfs_pending *at = l->kit->log.oldest; at != NULL; at = mfs_pending_newer(at)) {
        uint64_t of = at->is_name ? at->dir : at->number;
        if (l->number != 0 && l->number != of)
            continue;
        count++;
        if (!goes_on)
            continue;
        find_path(l, at);
        const memfs_pending pending = {.struct_size = sizeof pending,
                                       .path = l->path,
                                       .is_name = at->is_name,
                                       .offset = at->offset,
                                       .length = at->is_name ? 0 : at->length};
        goes_on = l->callback(l->context, &pending) == 0;
    }
    return count;
}

/* The analysis does not see that `listing->kit` is `kit`. */
int64_t memfs_unsynced(memfs *fs, const char *path, memfs_pending_callback callback,
                       void *context) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    memfs_stat_info info = {.struct_size = sizeof info};
    struct mfs_kit *kit;
    void *memory;
    int error = find_kit(fs, &kit);
    if (error == 0 && path != NULL)
        error = memfs_stat(fs, path, &info);
    if (error == 0)
        error = memfs_charged_alloc(kit->store, sizeof(struct listing), &memory);
    if (error != 0)
        return error;
    struct listing *listing = memory;
    listing->kit = kit;
    listing->number = path != NULL ? info.number : 0;
    listing->callback = callback;
    listing->context = context;
    mfs_kit_lock(kit);
    int64_t count = kit->is_broken ? MEMFS_ENOMEM : list_pending(listing);
    mfs_kit_unlock(kit);
    (void)memfs_free(kit->store, memory);
    return count;
}
