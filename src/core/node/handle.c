/*
 * 1. node->handles is the number of open files of the node.
 * 2. Exactly one of them has counts_orphan.
 */
#include "node/handle.h"

#include "base/check.h"

void mfs_handle_add_file(struct mfs_handle_list *list, struct mfs_lot *lot, struct memfs_file *file)
{
    mfs_sync_lock_exclusive(lot, &list->lock);
    file->counts_orphan = file->node->handles++ == 0;
    file->previous = NULL;
    file->next = list->files;
    if (file->next != NULL)
        file->next->previous = file;
    list->files = file;
    list->open_files++;
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

/* Lets another handle of the same node speak for it. */
static void pass_on(struct mfs_handle_list *list, const struct memfs_file *file)
{
    for (struct memfs_file *other = list->files; other != NULL; other = other->next)
        if (other->node == file->node && other != file) {
            other->counts_orphan = true;
            return;
        }
}

void mfs_handle_remove_file(struct mfs_handle_list *list, struct mfs_lot *lot,
                            struct memfs_file *file)
{
    mfs_sync_lock_exclusive(lot, &list->lock);
    MFS_CHECK(file->node->handles > 0);
    if (--file->node->handles > 0 && file->counts_orphan)
        pass_on(list, file);
    if (file->previous != NULL)
        file->previous->next = file->next;
    else
        list->files = file->next;
    if (file->next != NULL)
        file->next->previous = file->previous;
    list->open_files--;
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_handle_add_dir(struct mfs_handle_list *list, struct mfs_lot *lot, struct memfs_dir *dir)
{
    mfs_sync_lock_exclusive(lot, &list->lock);
    dir->previous = NULL;
    dir->next = list->dirs;
    if (dir->next != NULL)
        dir->next->previous = dir;
    list->dirs = dir;
    list->open_dirs++;
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_handle_remove_dir(struct mfs_handle_list *list, struct mfs_lot *lot, struct memfs_dir *dir)
{
    mfs_sync_lock_exclusive(lot, &list->lock);
    if (dir->previous != NULL)
        dir->previous->next = dir->next;
    else
        list->dirs = dir->next;
    if (dir->next != NULL)
        dir->next->previous = dir->previous;
    list->open_dirs--;
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

/* The node's lock is taken after the list's here, and nowhere the other way round. */
void mfs_handle_count_orphans(struct mfs_handle_list *list, const struct mfs_nodes *nodes,
                              uint64_t *count, uint64_t *bytes)
{
    *count = *bytes = 0;
    mfs_sync_lock_exclusive(nodes->lot, &list->lock);
    for (struct memfs_file *file = list->files; file != NULL; file = file->next) {
        if (!file->counts_orphan || mfs_node_links(file->node) != 0)
            continue;
        memfs_stat_info info = {0};
        mfs_node_stat(nodes, file->node, &info);
        ++*count;
        *bytes += info.allocated_bytes;
    }
    mfs_sync_unlock_exclusive(nodes->lot, &list->lock);
}
