/*
 * 1. A kit is there while durability is tracked, or there are rules or a hook; an instance without
 *    has no observer.
 * 2. The store has no quota, so only its allocator can refuse.
 */
#include "faults/start.h"

#include "base/check.h"
#include "faults/adopt.h"
#include "faults/calls.h"
#include "faults/changes.h"

#include <string.h>

static void destroy_store(memfs *store)
{
    int error = memfs_destroy(store, MEMFS_DESTROY_FORCE);
    MFS_CHECK(error == 0);
    (void)error;
}

/* With the instance. */
static void end_kit(struct mfs_observer *observer)
{
    struct mfs_kit *kit = (struct mfs_kit *)(void *)observer;
    kit->fs->nodes.observer = NULL;
    destroy_store(kit->store);
}

static int make_store(memfs *fs, const memfs_allocator *allocator, memfs **out)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = MEMFS_UNLIMITED;
    config.page_size = fs->pool->page_size;
    config.allocator = allocator;
    config.atime_policy = MEMFS_ATIME_OFF;
    int error = memfs_create(&config, out);
    if (error == 0)
        error = memfs_mkdir(*out, "/path", 0755);
    return error;
}

static void fill_kit(struct mfs_kit *kit, memfs *fs, memfs *store, const memfs_allocator *allocator)
{
    kit->observer = (struct mfs_observer){.named = mfs_changes_named,
                                          .written = mfs_changes_written,
                                          .gone = mfs_changes_gone,
                                          .synced = mfs_changes_synced,
                                          .before = mfs_calls_before,
                                          .after = mfs_calls_after,
                                          .end = end_kit};
    kit->fs = fs;
    kit->store = store;
    kit->log.store = store;
    if (allocator != NULL)
        kit->allocator = *allocator;
}

int mfs_start_kit(memfs *fs, const memfs_allocator *allocator, struct mfs_kit **out)
{
    memfs *store = NULL;
    void *memory;
    *out = mfs_kit_of(fs);
    if (*out != NULL)
        return 0;
    int error = make_store(fs, allocator, &store);
    if (error == 0)
        error = memfs_charged_alloc(store, sizeof(struct mfs_kit), &memory);
    if (error != 0) {
        if (store != NULL)
            destroy_store(store);
        return error;
    }
    struct mfs_kit *kit = memory;
    fill_kit(kit, fs, store, allocator);
    mfs_sync_lock_shared(fs->lot, &fs->tree.lock);
    mfs_adopt_tree(kit, &fs->tree.root->node);
    mfs_sync_unlock_shared(fs->lot, &fs->tree.lock);
    if (kit->is_broken) {
        destroy_store(store);
        return MEMFS_ENOMEM;
    }
    fs->nodes.observer = &kit->observer;
    *out = kit;
    return 0;
}

void mfs_start_end_unused(struct mfs_kit *kit)
{
    if (!kit->tracks && kit->rules.first == NULL && kit->hook == NULL)
        end_kit(&kit->observer);
}

/* ------------------------------------------------------------------ tracking */

/* All that is there becomes durable: it is adopted as pending, and all of that is synced. */
static void adopt_as_durable(struct mfs_kit *kit)
{
    memfs *fs = kit->fs;
    mfs_sync_lock_shared(fs->lot, &fs->tree.lock);
    mfs_adopt_tree(kit, &fs->tree.root->node);
    mfs_kit_lock(kit);
    mfs_kit_note(kit, mfs_pending_sync_all(&kit->log));
    mfs_kit_unlock(kit);
    if (!kit->is_broken)
        mfs_adopt_attributes(kit, &fs->tree.root->node);
    mfs_sync_unlock_shared(fs->lot, &fs->tree.lock);
}

int mfs_start_tracking(struct mfs_kit *kit, const memfs_durability *model)
{
    if (kit->tracks)
        return MEMFS_EBUSY;
    int error = mfs_disk_format(kit->store);
    if (error != 0)
        return error;
    kit->model = *model;
    kit->syncs = 0;
    kit->tracks = true;
    adopt_as_durable(kit);
    if (!kit->is_broken)
        return 0;
    mfs_start_stop_tracking(kit);
    return MEMFS_ENOMEM;
}

void mfs_start_stop_tracking(struct mfs_kit *kit)
{
    kit->tracks = false;
    kit->is_broken = false;
    mfs_pending_clear(&kit->log);
    (void)memfs_remove_tree(kit->store, "/node");
    (void)memfs_remove_tree(kit->store, "/link");
    (void)memfs_remove_tree(kit->store, "/down");
}
