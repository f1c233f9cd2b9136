/*
 * 1. A handle is on its list from the moment its caller can know it until it is closed.
 * 2. node->handles is the number of open files of the node.
 * 3. node->is_counted is false whenever a list's lock is free.
 *
 * Opening and closing take constant time, however many handles there are.  Counting orphans, for
 * statistics, goes through all open files.
 */
#include "node/handle.h"

#include "base/check.h"

/* The list of the handles that this thread opens. */
static unsigned own_list(void)
{
    return mfs_sync_thread_number() % MFS_HANDLE_LISTS;
}

void mfs_handle_add_file(struct mfs_handles *handles, struct mfs_lot *lot, struct memfs_file *file)
{
    MFS_CHECK(mfs_sync_is_marked(file->magic, MFS_FILE_MAGIC) && file->node != NULL);
    file->list = own_list() & 3u;
    struct mfs_handle_list *list = mfs_handle_list(handles, file->list);
    (void)atomic_fetch_add_explicit(&file->node->handles, 1, memory_order_relaxed);
    mfs_sync_lock_exclusive(lot, &list->lock);
    mfs_list_add(&list->files, &file->link);
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_handle_remove_file(struct mfs_handles *handles, struct mfs_lot *lot,
                            struct memfs_file *file)
{
    struct mfs_handle_list *list = mfs_handle_list(handles, file->list);
    mfs_sync_lock_exclusive(lot, &list->lock);
    mfs_list_remove(&list->files, &file->link);
    mfs_sync_unlock_exclusive(lot, &list->lock);
    uint32_t before = atomic_fetch_sub_explicit(&file->node->handles, 1, memory_order_relaxed);
    MFS_CHECK(before > 0);
    (void)before;
}

void mfs_handle_add_dir(struct mfs_handles *handles, struct mfs_lot *lot, struct memfs_dir *dir)
{
    MFS_CHECK(mfs_sync_is_marked(dir->magic, MFS_DIR_MAGIC) && dir->node != NULL);
    dir->list = (uint8_t)own_list();
    struct mfs_handle_list *list = mfs_handle_list(handles, dir->list);
    mfs_sync_lock_exclusive(lot, &list->lock);
    mfs_list_add(&list->dirs, &dir->link);
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_handle_remove_dir(struct mfs_handles *handles, struct mfs_lot *lot, struct memfs_dir *dir)
{
    struct mfs_handle_list *list = mfs_handle_list(handles, dir->list);
    mfs_sync_lock_exclusive(lot, &list->lock);
    mfs_list_remove(&list->dirs, &dir->link);
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_handle_count(struct mfs_handles *handles, struct mfs_lot *lot, uint64_t *files,
                      uint64_t *dirs)
{
    *files = *dirs = 0;
    for (unsigned i = 0; i < MFS_HANDLE_LISTS; i++) {
        struct mfs_handle_list *list = mfs_handle_list(handles, i);
        mfs_sync_lock_shared(lot, &list->lock);
        *files += list->files.count;
        *dirs += list->dirs.count;
        mfs_sync_unlock_shared(lot, &list->lock);
    }
}

/* ------------------------------------------------------------------- spares */

static struct memfs_file *exchange_spare(struct mfs_handle_list *list)
{
    if (atomic_load_explicit(&list->spare, memory_order_relaxed) == NULL)
        return NULL;
    return atomic_exchange_explicit(&list->spare, NULL, memory_order_acquire);
}

struct memfs_file *mfs_handle_take_spare(struct mfs_handles *handles)
{
    return exchange_spare(mfs_handle_list(handles, own_list()));
}

bool mfs_handle_keep_spare(struct mfs_handles *handles, struct memfs_file *file)
{
    struct mfs_handle_list *list = mfs_handle_list(handles, own_list());
    struct memfs_file *none = NULL;
    return mfs_sync_has_met_threads() &&
           atomic_load_explicit(&list->spare, memory_order_relaxed) == NULL &&
           atomic_compare_exchange_strong_explicit(&list->spare, &none, file, memory_order_release,
                                                   memory_order_relaxed);
}

void mfs_handle_take_spares(struct mfs_handles *handles, struct mfs_list *out)
{
    for (unsigned i = 0; i < MFS_HANDLE_LISTS; i++) {
        struct memfs_file *spare = exchange_spare(mfs_handle_list(handles, i));
        if (spare != NULL)
            mfs_list_add(out, &spare->link);
    }
}

bool mfs_handle_give_spares(struct mfs_list *spares, struct mfs_memory *memory)
{
    bool had_one = spares->first != NULL;
    while (spares->first != NULL) {
        struct memfs_file *spare = mfs_handle_of_link(spares->first);
        mfs_list_remove(spares, &spare->link);
        mfs_memory_give(memory, mfs_handle_block(spare), mfs_handle_block_bytes(spare),
                        MEMFS_CLASS_HANDLES);
    }
    return had_one;
}

/* ------------------------------------------------------------------ streams */

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

static void count_orphans(struct mfs_handle_list *list, const struct mfs_nodes *nodes,
                          uint64_t *count, uint64_t *bytes)
{
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
}

static void forget_counted(struct mfs_handle_list *list)
{
    for (struct mfs_link *at = list->files.first; at != NULL; at = at->next)
        mfs_handle_of_link(at)->node->is_counted = false;
}

/* All lists are locked, in order, since a node may have handles in each.  Nodes' locks are taken
 * while they are, and nowhere the other way round. */
void mfs_handle_count_orphans(struct mfs_handles *handles, const struct mfs_nodes *nodes,
                              uint64_t *count, uint64_t *bytes) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    *count = *bytes = 0;
    for (unsigned i = 0; i < MFS_HANDLE_LISTS; i++)
        mfs_sync_lock_exclusive(nodes->lot, &mfs_handle_list(handles, i)->lock);
    for (unsigned i = 0; i < MFS_HANDLE_LISTS; i++)
        count_orphans(mfs_handle_list(handles, i), nodes, count, bytes);
    for (unsigned i = 0; i < MFS_HANDLE_LISTS; i++)
        forget_counted(mfs_handle_list(handles, i));
    for (unsigned i = MFS_HANDLE_LISTS; i-- > 0;)
        mfs_sync_unlock_exclusive(nodes->lot, &mfs_handle_list(handles, i)->lock);
}
