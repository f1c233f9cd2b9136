/*
 * 1. A handle is on its list from the moment its caller can know it until it is closed.
 * 2. node->handles is the number of open files of the node.
 * 3. node->is_counted is false whenever the list lock is free.
 *
 * Opening and closing take constant time, however many handles there are.  Counting orphans, for
 * statistics, goes through all open files.
 */
#include "node/handle.h"

#include "base/check.h"

/* Under the list lock; stat reads the number without. */
static void count_handle(struct mfs_node *node, int change)
{
    uint32_t handles = atomic_load_explicit(&node->handles, memory_order_relaxed);
    MFS_CHECK(change > 0 || handles > 0);
    atomic_store_explicit(&node->handles, change > 0 ? handles + 1 : handles - 1,
                          memory_order_relaxed);
}

void mfs_handle_add_file(struct mfs_handle_list *list, struct mfs_lot *lot, struct memfs_file *file)
{
    MFS_CHECK(mfs_sync_is_marked(file->magic, MFS_FILE_MAGIC) && file->node != NULL);
    mfs_sync_lock_exclusive(lot, &list->lock);
    count_handle(file->node, 1);
    mfs_list_add(&list->files, &file->link);
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_handle_remove_file(struct mfs_handle_list *list, struct mfs_lot *lot,
                            struct memfs_file *file)
{
    mfs_sync_lock_exclusive(lot, &list->lock);
    count_handle(file->node, -1);
    mfs_list_remove(&list->files, &file->link);
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_handle_add_dir(struct mfs_handle_list *list, struct mfs_lot *lot, struct memfs_dir *dir)
{
    MFS_CHECK(mfs_sync_is_marked(dir->magic, MFS_DIR_MAGIC) && dir->node != NULL);
    mfs_sync_lock_exclusive(lot, &list->lock);
    mfs_list_add(&list->dirs, &dir->link);
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_handle_remove_dir(struct mfs_handle_list *list, struct mfs_lot *lot, struct memfs_dir *dir)
{
    mfs_sync_lock_exclusive(lot, &list->lock);
    mfs_list_remove(&list->dirs, &dir->link);
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

const struct mfs_dirent *mfs_handle_next_entry(struct memfs_dir *dir, uint64_t newest)
{
    MFS_CHECK(dir->end <= newest);
    if (dir->position == 0 || dir->end == 0)
        dir->end = newest;
    const struct mfs_dirent *entry = mfs_dir_at(&dir->node->names, dir->position);
    if (entry == NULL || entry->sequence > dir->end)
        return NULL;
    dir->position = entry->sequence + 1;
    return entry;
}

/* A node with several handles counts once: its first handle marks it. */
static bool is_uncounted_orphan(struct mfs_node *node)
{
    return !node->is_counted && mfs_node_links(node) == 0;
}

/* Nodes' locks are taken while the list's is held here, and nowhere the other way round. */
void mfs_handle_count_orphans(struct mfs_handle_list *list, const struct mfs_nodes *nodes,
                              uint64_t *count, uint64_t *bytes)
{
    *count = *bytes = 0;
    mfs_sync_lock_exclusive(nodes->lot, &list->lock);
    for (struct mfs_link *at = list->files.first; at != NULL; at = at->next) {
        struct mfs_node *node = mfs_handle_of_link(at)->node;
        if (!is_uncounted_orphan(node))
            continue;
        memfs_stat_info info = {0};
        mfs_node_stat(nodes, node, &info);
        node->is_counted = true;
        ++*count;
        *bytes += info.allocated_bytes;
    }
    for (struct mfs_link *at = list->files.first; at != NULL; at = at->next)
        mfs_handle_of_link(at)->node->is_counted = false;
    mfs_sync_unlock_exclusive(nodes->lot, &list->lock);
}
