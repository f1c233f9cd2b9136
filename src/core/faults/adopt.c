/*
 * Where a node is adopted, its content is read, and it becomes known, under its lock: what is
 * written earlier is read, and what is written later is told.
 */
#include "faults/adopt.h"

#include "base/check.h"
#include "content/content_io.h"
#include "tree/subtree.h"

/* The most that one entry of the log has. */
#define ENTRY_BYTES ((uint64_t)1 << 20)

static void add_bytes(struct mfs_kit *kit, struct mfs_file_node *file, uint64_t offset,
                      uint64_t length) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    struct mfs_pending *entry = mfs_pending_add_write(&kit->log, file->node.number, offset, length,
                                                      mfs_node_size(file));
    if (entry == NULL) {
        kit->is_broken = true;
        return;
    }
    memfs_iovec part = {entry->bytes, (size_t)length};
    struct mfs_sink sink = {.parts = &part};
    if (length != 0)
        mfs_content_io_read(kit->fs->pool, &file->content, offset, length, &sink);
}

void mfs_adopt_bytes(struct mfs_kit *kit, struct mfs_file_node *file, uint64_t offset,
                     uint64_t length)
{
    uint64_t size = mfs_node_size(file);
    uint64_t left = offset < size ? size - offset : 0;
    left = left < length ? left : length;
    do {
        uint64_t step = left < ENTRY_BYTES ? left : ENTRY_BYTES;
        add_bytes(kit, file, offset, step);
        offset += step;
        left -= step;
    } while (left != 0);
}

/* All data of a file, without its holes; under the file's lock, shared. */
static void adopt_content(struct mfs_kit *kit, struct mfs_file_node *file) MFS_REQUIRES(kit->lock)
{
    uint64_t size = mfs_node_size(file), at = 0;
    while (at < size) {
        at = mfs_content_next_data(kit->fs->pool, &file->content, size, at);
        if (at == MFS_NO_INDEX)
            break;
        uint64_t end = mfs_content_next_hole(kit->fs->pool, &file->content, size, at);
        mfs_adopt_bytes(kit, file, at, end - at);
        at = end;
    }
    if (size != 0)
        add_bytes(kit, file, size, 0);
}

static void set_attributes(struct mfs_kit *kit, const struct mfs_node *node) MFS_REQUIRES(kit->lock)
{
    const struct mfs_disk_attributes attributes = mfs_disk_attributes_of(node);
    mfs_kit_note(kit, mfs_disk_set_attributes(kit->store, node->number, node->kind, &attributes));
}

void mfs_adopt_node(struct mfs_kit *kit, struct mfs_node *node)
{
    struct mfs_file_node *file = mfs_node_as_file(node);
    const struct mfs_symlink_node *symlink = mfs_node_as_symlink(node);
    mfs_sync_lock_shared(kit->fs->lot, &node->lock);
    mfs_kit_lock(kit);
    if (!mfs_disk_has(kit->store, node->number)) {
        mfs_kit_note(kit, mfs_disk_add(kit->store, node->number, node->kind,
                                       symlink != NULL ? symlink->target : NULL));
        set_attributes(kit, node);
        if (file != NULL)
            adopt_content(kit, file);
    }
    mfs_kit_unlock(kit);
    mfs_sync_unlock_shared(kit->fs->lot, &node->lock);
}

static void adopt_entry(struct mfs_kit *kit, const struct mfs_dir_node *dir,
                        const struct mfs_dirent *entry)
{
    const struct mfs_disk_name name = {dir->node.number, entry->name, entry->length};
    if (kit->tracks)
        mfs_adopt_node(kit, entry->node);
    mfs_kit_lock(kit);
    mfs_kit_set_path(kit, entry->node->number, &name);
    if (kit->tracks && mfs_pending_add_name(&kit->log, &name, entry->node->number,
                                            entry->node->kind, false) == NULL)
        kit->is_broken = true;
    mfs_kit_unlock(kit);
}

void mfs_adopt_tree(struct mfs_kit *kit, struct mfs_node *top)
{
    struct mfs_subtree_cursor at;
    const struct mfs_dirent *entry;
    if (kit->tracks)
        mfs_adopt_node(kit, top);
    if (mfs_node_as_dir(top) == NULL)
        return;
    mfs_subtree_begin_below(&at, mfs_node_as_dir(top));
    while ((entry = mfs_subtree_next_entry(&at)) != NULL)
        adopt_entry(kit, at.dir, entry);
}

void mfs_adopt_attributes(struct mfs_kit *kit, struct mfs_node *top)
{
    struct mfs_subtree_cursor at;
    const struct mfs_node *node;
    mfs_subtree_begin(&at, top);
    while ((node = mfs_subtree_next(&at)) != NULL) {
        mfs_kit_lock(kit);
        set_attributes(kit, node);
        mfs_kit_unlock(kit);
    }
}
