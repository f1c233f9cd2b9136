/*
 * 1. A kit is there while durability is tracked, or there are rules or a hook; an instance without
 *    has no observer.
 * 2. The store has a quota of 0, so only its allocator can refuse.
 */
#include "faults/kit.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void mfs_kit_set_path(struct mfs_kit *kit, uint64_t number, const struct mfs_disk_name *name)
{
    char path[32], target[32 + MEMFS_NAME_MAX];
    snprintf(path, sizeof path, "/path/%" PRIx64, number);
    snprintf(target, sizeof target, "%" PRIx64 "/%.*s", name->dir, (int)name->length, name->name);
    (void)memfs_unlink(kit->store, path);
    mfs_kit_note(kit, memfs_symlink(kit->store, target, path, 0));
}

bool mfs_kit_forget_path(struct mfs_kit *kit, uint64_t number)
{
    char path[32];
    snprintf(path, sizeof path, "/path/%" PRIx64, number);
    return memfs_unlink(kit->store, path) == 0;
}

bool mfs_kit_has_path(struct mfs_kit *kit, uint64_t number)
{
    char path[32];
    snprintf(path, sizeof path, "/path/%" PRIx64, number);
    return memfs_is_symlink(kit->store, path) != 0;
}

/* Written from the end of the buffer, the last name first. */
void mfs_kit_path(struct mfs_kit *kit, uint64_t number, char *buffer, size_t size)
{
    char path[32], target[32 + MEMFS_NAME_MAX];
    size_t at = size - 1;
    bool is_whole = number != kit->fs->tree.root->node.number;
    MFS_CHECK(size >= 2);
    buffer[at] = '\0';
    while (is_whole && number != kit->fs->tree.root->node.number) {
        snprintf(path, sizeof path, "/path/%" PRIx64, number);
        int64_t length = memfs_readlink(kit->store, path, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        const char *name = strchr(target, '/');
        is_whole = name != NULL && strlen(name) <= at && sscanf(target, "%" SCNx64, &number) == 1;
        if (is_whole) {
            at -= strlen(name);
            memcpy(buffer + at, name, strlen(name));
        }
    }
    if (number == kit->fs->tree.root->node.number && at == size - 1)
        buffer[--at] = '/';
    else if (!is_whole)
        at = size - 1;
    memmove(buffer, buffer + at, size - at);
}

static void forget_if_gone(void *context, uint64_t number) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    struct mfs_kit *kit = context;
    if (!mfs_kit_has_path(kit, number) && !mfs_pending_has_name_of(&kit->log, number))
        mfs_disk_forget(kit->store, number);
}

int mfs_kit_sync_names(struct mfs_kit *kit, uint64_t dir, uint64_t number, bool all)
{
    return mfs_pending_sync_names(&kit->log, dir, number, all, forget_if_gone, kit);
}
