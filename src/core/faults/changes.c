/*
 * 1. A name is tracked if the disk has its directory.  A directory that is being built, of which
 *    others know nothing, is adopted with all that is in it when it gets its name.
 * 2. A write is tracked if the disk has the file: one without a name becomes known when it is
 *    synced, or gets a name.
 */
#include "faults/changes.h"

#include "base/check.h"
#include "faults/adopt.h"

static struct mfs_kit *kit_of(struct mfs_observer *observer)
{
    return (struct mfs_kit *)(void *)observer;
}

static bool knows(struct mfs_kit *kit, uint64_t number)
{
    mfs_kit_lock(kit);
    bool has = mfs_disk_has(kit->store, number);
    mfs_kit_unlock(kit);
    return has;
}

/* Whether the name is tracked; what it leads to is known to the kit afterwards. */
static bool meet(struct mfs_kit *kit, const struct mfs_observed_name *name)
{
    bool tracks = kit->tracks && knows(kit, name->dir->node.number);
    struct mfs_node *node = name->node;
    if (node != NULL && (tracks ? !knows(kit, node->number) : !kit->tracks))
        mfs_adopt_tree(kit, node);
    return tracks;
}

/* Whether the name is in the log. */
static bool log_name(struct mfs_kit *kit, const struct mfs_observed_name *name, bool tracks,
                     bool continues) MFS_REQUIRES(kit->lock)
{
    const struct mfs_disk_name at = {name->dir->node.number, name->name, name->length};
    const struct mfs_node *node = name->node;
    uint64_t number = node != NULL ? node->number : 0;
    if (node != NULL)
        mfs_kit_set_path(kit, number, &at);
    if (!tracks)
        return false;
    bool is_added = mfs_pending_add_name(&kit->log, &at, number, node != NULL ? node->kind : 0,
                                         continues) != NULL;
    kit->is_broken = kit->is_broken || !is_added;
    return is_added;
}

/* The names of one step come into the log together, so that none is synced without the others. */
void mfs_changes_named(struct mfs_observer *observer, const struct mfs_observed_name *names,
                       size_t count)
{
    struct mfs_kit *kit = kit_of(observer);
    bool tracks[2] = {false, false}, continues = false;
    MFS_CHECK(count <= 2);
    for (size_t i = 0; i < count; i++)
        tracks[i] = meet(kit, &names[i]);
    mfs_kit_lock(kit);
    for (size_t i = 0; i < count; i++)
        continues = log_name(kit, &names[i], tracks[i], continues);
    if (kit->tracks && kit->model.names == MEMFS_NAMES_AT_ONCE)
        mfs_kit_note(kit, mfs_kit_sync_names(kit, 0, 0, true));
    mfs_kit_unlock(kit);
}

void mfs_changes_written(struct mfs_observer *observer, struct mfs_file_node *file, uint64_t offset,
                         uint64_t length)
{
    struct mfs_kit *kit = kit_of(observer);
    if (!kit->tracks)
        return;
    mfs_kit_lock(kit);
    if (mfs_disk_has(kit->store, file->node.number))
        mfs_adopt_bytes(kit, file, offset, length);
    mfs_kit_unlock(kit);
}

void mfs_changes_gone(struct mfs_observer *observer, uint64_t number)
{
    struct mfs_kit *kit = kit_of(observer);
    mfs_kit_lock(kit);
    (void)mfs_kit_forget_path(kit, number);
    if (kit->tracks) {
        mfs_pending_forget_writes(&kit->log, number);
        if (!mfs_pending_has_name_of(&kit->log, number))
            mfs_disk_forget(kit->store, number);
    }
    mfs_kit_unlock(kit);
}

static void sync_file(struct mfs_kit *kit, uint64_t number) MFS_REQUIRES(kit->lock)
{
    mfs_kit_note(kit, mfs_pending_sync_writes(&kit->log, number));
    if (kit->model.names == MEMFS_NAMES_BY_FILE)
        mfs_kit_note(kit, mfs_kit_sync_names(kit, 0, number, false));
}

void mfs_changes_synced(struct mfs_observer *observer, struct mfs_node *node)
{
    struct mfs_kit *kit = kit_of(observer);
    if (!kit->tracks)
        return;
    const struct mfs_disk_attributes attributes = mfs_disk_attributes_of(node);
    mfs_adopt_node(kit, node);
    mfs_kit_lock(kit);
    if (node->kind == MEMFS_KIND_DIRECTORY)
        mfs_kit_note(kit, mfs_kit_sync_names(kit, node->number, 0, false));
    else
        sync_file(kit, node->number);
    if (kit->model.names == MEMFS_NAMES_BY_ANY)
        mfs_kit_note(kit, mfs_kit_sync_names(kit, 0, 0, true));
    mfs_kit_note(kit, mfs_disk_set_attributes(kit->store, node->number, node->kind, &attributes));
    kit->syncs++;
    mfs_kit_unlock(kit);
}
