/*
 * 1. A node is charged as large as its kind needs.
 * 2. The limit on nodes is charged like memory (memory/ledger.h): a compare-and-swap that refuses,
 *    before the memory is taken, and a second look, at a limit that was lowered meanwhile.
 *    `total` is the number of nodes, also of those without a name.
 * 3. preallocated_bytes is the sum over all files of what is preallocated behind their ends.
 *
 * Cost: one allocation for each node.  Numbers are never used again.
 */
#include "node/node.h"

#include "base/check.h"
#include "base/num.h"
#include "base/pause.h"
#include "content/content_compare.h"
#include "content/content_extent.h"
#include "content/content_io.h"
#include "memory/refusal.h"

#include <string.h>

static size_t bytes_of_node(const struct mfs_node *node)
{
    switch (node->kind) {
    case MEMFS_KIND_FILE:
        return sizeof(struct mfs_file_node);
    case MEMFS_KIND_DIRECTORY:
        return sizeof(struct mfs_dir_node);
    default:
        return offsetof(struct mfs_symlink_node, target) +
               ((const struct mfs_symlink_node *)(const void *)node)->length + 1;
    }
}

uint64_t mfs_node_cost(const struct mfs_nodes *nodes, const struct mfs_node *node)
{
    return mfs_memory_cost(nodes->memory, bytes_of_node(node));
}

static int charge_node(struct mfs_nodes *nodes)
{
    uint64_t total = atomic_load(&nodes->total);
    do {
        uint64_t limit = atomic_load(&nodes->limit);
        if (total >= limit)
            return mfs_refusal_record(MEMFS_ENOSPC, 1, 0, limit);
        MFS_PAUSE("nodes: below the limit");
    } while (!atomic_compare_exchange_weak(&nodes->total, &total, total + 1));
    uint64_t limit = atomic_load(&nodes->limit);
    if (total < limit) {
        mfs_refusal_take_node();
        return 0;
    }
    (void)atomic_fetch_sub(&nodes->total, 1);
    return mfs_refusal_record(MEMFS_ENOSPC, 1, 0, limit);
}

bool mfs_node_set_limit(struct mfs_nodes *nodes, uint64_t limit)
{
    mfs_sync_lock_exclusive(nodes->lot, &nodes->limit_lock);
    uint64_t before = atomic_load(&nodes->limit);
    bool fits = atomic_load(&nodes->total) <= limit;
    MFS_PAUSE("node limit: looked at the nodes");
    if (fits) {
        atomic_store(&nodes->limit, limit);
        fits = atomic_load(&nodes->total) <= limit;
        if (!fits)
            atomic_store(&nodes->limit, before);
    }
    mfs_sync_unlock_exclusive(nodes->lot, &nodes->limit_lock);
    return fits;
}

static int create_node(struct mfs_nodes *nodes, enum mfs_charge_from charge_from,
                       enum memfs_kind kind, uint32_t mode, size_t bytes, void **out)
{
    MFS_CHECK(bytes >= sizeof(struct mfs_node) && kind <= MEMFS_KIND_SYMLINK);
    int error = charge_node(nodes);
    if (error != 0)
        return error;
    void *memory;
    error = mfs_memory_take_as(nodes->memory, charge_from, bytes, nodes->class, &memory);
    if (error != 0) {
        (void)atomic_fetch_sub(&nodes->total, 1);
        return error;
    }
    memset(memory, 0, bytes);
    struct mfs_node *node = memory;
    node->kind = (uint8_t)kind;
    node->number = atomic_fetch_add_explicit(&nodes->next_number, 1, memory_order_relaxed);
    atomic_init(&node->references, 1);
    atomic_init(&node->mode, mode);
    atomic_init(&node->uid, nodes->uid);
    atomic_init(&node->gid, nodes->gid);
    int64_t now = mfs_node_now(nodes);
    for (int i = 0; i < MFS_TIMES; i++)
        atomic_init(&node->times[i], now);
    (void)atomic_fetch_add_explicit(&nodes->by_kind[kind], 1, memory_order_relaxed);
    *out = memory;
    return 0;
}

int mfs_node_create_file(struct mfs_nodes *nodes, enum mfs_charge_from charge_from, uint32_t mode,
                         struct mfs_file_node **out)
{
    void *memory;
    int error = create_node(nodes, charge_from, MEMFS_KIND_FILE, mode, sizeof **out, &memory);
    if (error == 0)
        *out = memory;
    return error;
}

int mfs_node_create_dir(struct mfs_nodes *nodes, enum mfs_charge_from charge_from, uint32_t mode,
                        struct mfs_dir_node **out)
{
    void *memory;
    int error = create_node(nodes, charge_from, MEMFS_KIND_DIRECTORY, mode, sizeof **out, &memory);
    if (error == 0)
        *out = memory;
    return error;
}

int mfs_node_create_symlink(struct mfs_nodes *nodes, enum mfs_charge_from charge_from,
                            const char *target, size_t length, struct mfs_symlink_node **out)
{
    void *memory;
    size_t bytes = offsetof(struct mfs_symlink_node, target) + length + 1;
    MFS_CHECK(length > 0 && memchr(target, '\0', length) == NULL);
    int error = create_node(nodes, charge_from, MEMFS_KIND_SYMLINK, 0777, bytes, &memory);
    if (error != 0)
        return error;
    struct mfs_symlink_node *link = memory;
    link->length = (uint32_t)length;
    memcpy(link->target, target, length);
    link->target[length] = '\0';
    *out = link;
    return 0;
}

void mfs_node_retain(struct mfs_node *node)
{
    uint32_t before = atomic_fetch_add_explicit(&node->references, 1, memory_order_relaxed);
    MFS_CHECK(before != 0 && before != UINT32_MAX);
}

/* What is preallocated behind the end of the file. */
static uint64_t preallocated_behind(const struct mfs_file_node *file)
{
    return mfs_num_sub_saturating(file->content.preallocated_end, mfs_node_size(file));
}

static void recount_preallocated(struct mfs_nodes *nodes, const struct mfs_file_node *file,
                                 uint64_t before)
{
    uint64_t after = preallocated_behind(file);
    if (after != before)
        (void)atomic_fetch_add_explicit(&nodes->preallocated_bytes, after - before,
                                        memory_order_relaxed);
}

void mfs_node_set_size_preallocated(struct mfs_nodes *nodes, struct mfs_file_node *file,
                                    uint64_t size)
{
    uint64_t before = preallocated_behind(file);
    atomic_store_explicit(&file->size, size, memory_order_relaxed);
    recount_preallocated(nodes, file, before);
}

void mfs_node_set_preallocated_end(struct mfs_nodes *nodes, struct mfs_file_node *file,
                                   uint64_t end)
{
    uint64_t before = preallocated_behind(file);
    file->content.preallocated_end = end;
    recount_preallocated(nodes, file, before);
}

int mfs_node_punch(struct mfs_nodes *nodes, struct mfs_file_node *file,
                   enum mfs_charge_from charge_from, uint64_t offset, uint64_t length)
{
    uint64_t before = preallocated_behind(file);
    struct mfs_content_edit edit = {nodes->pool, &file->content, mfs_node_size(file), charge_from};
    int error = mfs_content_extent_punch(&edit, offset, length);
    recount_preallocated(nodes, file, before);
    mfs_node_count_page_change(file);
    return error;
}

/* `replaced` was the file's content. */
static void tell_of_swap(const struct mfs_nodes *nodes, struct mfs_file_node *file,
                         const struct mfs_content *replaced, uint64_t size_before)
{
    const struct mfs_content_sized now = {&file->content, mfs_node_size(file)};
    const struct mfs_content_sized then = {replaced, size_before};
    struct mfs_content_range range;
    uint64_t at = 0;
    for (; mfs_content_compare_next(nodes->pool, now, then, at, &range); at = range.end)
        mfs_observer_written(nodes->observer, file, range.start, range.end - range.start);
    mfs_observer_written(nodes->observer, file, now.size, 0);
}

void mfs_node_swap_content(struct mfs_nodes *nodes, struct mfs_file_node *file,
                           struct mfs_content *content, uint64_t size)
{
    struct mfs_content replaced = file->content;
    MFS_CHECK(content->preallocated_end == 0);
    uint64_t before = preallocated_behind(file), size_before = mfs_node_size(file);
    file->content = *content;
    atomic_store_explicit(&file->size, size, memory_order_relaxed);
    recount_preallocated(nodes, file, before);
    *content = replaced;
    mfs_node_count_page_change(file);
    if (MFS_OBSERVER_IS(nodes->observer))
        tell_of_swap(nodes, file, content, size_before);
}

void mfs_node_cut(struct mfs_nodes *nodes, struct mfs_file_node *file, uint64_t size)
{
    uint64_t before = preallocated_behind(file);
    mfs_content_extent_cut(nodes->pool, &file->content, size);
    atomic_store_explicit(&file->size, size, memory_order_relaxed);
    recount_preallocated(nodes, file, before);
    mfs_node_count_page_change(file);
}

void mfs_node_release(struct mfs_nodes *nodes, struct mfs_node *node)
{
    uint32_t before = atomic_fetch_sub_explicit(&node->references, 1, memory_order_acq_rel);
    MFS_CHECK(before != 0);
    if (before != 1)
        return;
    MFS_CHECK(node->handles == 0 && node->whole_file_lock == 0 && !node->upgrade_waits);
    MFS_CHECK(!node->is_captured && !node->is_counted);
    struct mfs_file_node *file = mfs_node_as_file(node);
    struct mfs_dir_node *dir = mfs_node_as_dir(node);
    if (file != NULL) {
        (void)atomic_fetch_sub_explicit(&nodes->preallocated_bytes, preallocated_behind(file),
                                        memory_order_relaxed);
        mfs_content_release(nodes->pool, &file->content);
    }
    MFS_CHECK(dir == NULL || (dir->names.live == 0 && dir->names.order.root == NULL));
    (void)atomic_fetch_sub_explicit(&nodes->by_kind[node->kind], 1, memory_order_relaxed);
    mfs_observer_gone(nodes->observer, node->number);
    mfs_memory_give(nodes->memory, node, bytes_of_node(node), nodes->class);
    (void)atomic_fetch_sub(&nodes->total, 1);
}

int64_t mfs_node_now(const struct mfs_nodes *nodes)
{
    return nodes->clock(nodes->clock_context);
}

static void count_change(struct mfs_node *node)
{
    (void)atomic_fetch_add_explicit(&node->generation, 1, memory_order_relaxed);
}

void mfs_node_modified(struct mfs_node *node, int64_t now)
{
    mfs_node_set_time(node, MFS_MODIFY, now);
    mfs_node_set_time(node, MFS_CHANGE, now);
    count_change(node);
}

void mfs_node_changed(struct mfs_node *node, int64_t now)
{
    mfs_node_set_time(node, MFS_CHANGE, now);
    count_change(node);
}

/* The rule of Linux's relatime: only if it says something new, or once a day. */
static bool is_stale(const struct mfs_node *node, int64_t now)
{
    static const int64_t day_ns = (int64_t)24 * 3600 * 1000000000;
    int64_t access = mfs_node_time(node, MFS_ACCESS);
    return access <= mfs_node_time(node, MFS_MODIFY) || access <= mfs_node_time(node, MFS_CHANGE) ||
           now - access >= day_ns;
}

void mfs_node_accessed(const struct mfs_nodes *nodes, struct mfs_node *node)
{
    uint32_t policy = atomic_load_explicit(&nodes->atime_policy, memory_order_relaxed);
    if (policy == MEMFS_ATIME_OFF)
        return;
    int64_t now = mfs_node_now(nodes);
    if (policy == MEMFS_ATIME_STRICT || is_stale(node, now))
        mfs_node_set_time(node, MFS_ACCESS, now);
}

int mfs_node_clone_content(const struct mfs_nodes *nodes, struct mfs_file_node *file,
                           struct mfs_content *content, uint64_t *size)
{
    int error = 0;
    uint64_t bytes = mfs_node_size(file);
    if (atomic_load_explicit(&file->private_holders, memory_order_relaxed) == 0)
        *content = mfs_content_clone(nodes->pool, &file->content);
    else
        error = mfs_content_io_duplicate(nodes->pool, &file->content, bytes, content);
    if (error == 0)
        *size = bytes;
    return error;
}

void mfs_node_stat(const struct mfs_nodes *nodes, struct mfs_node *node, memfs_stat_info *info)
{
    struct mfs_file_node *file = mfs_node_as_file(node);
    struct mfs_symlink_node *link = mfs_node_as_symlink(node);
    mfs_sync_lock_shared(nodes->lot, &node->lock);
    info->size_bytes = 0;
    info->allocated_bytes = 0;
    info->preallocated_bytes = 0;
    if (file != NULL) {
        info->size_bytes = mfs_node_size(file);
        info->allocated_bytes = mfs_content_allocated(nodes->pool, &file->content,
                                                      info->size_bytes);
        info->preallocated_bytes = preallocated_behind(file);
    } else if (link != NULL) {
        info->size_bytes = link->length;
    }
    info->number = node->number;
    info->generation = mfs_node_generation(node);
    info->access_ns = mfs_node_time(node, MFS_ACCESS);
    info->modify_ns = mfs_node_time(node, MFS_MODIFY);
    info->change_ns = mfs_node_time(node, MFS_CHANGE);
    info->birth_ns = mfs_node_time(node, MFS_BIRTH);
    info->kind = node->kind;
    info->mode = atomic_load_explicit(&node->mode, memory_order_relaxed);
    info->uid = atomic_load_explicit(&node->uid, memory_order_relaxed);
    info->gid = atomic_load_explicit(&node->gid, memory_order_relaxed);
    info->links = mfs_node_links(node);
    info->page_size = nodes->pool->page_size;
    info->open_handles = atomic_load_explicit(&node->handles, memory_order_relaxed);
    info->lock_state = atomic_load_explicit(&node->whole_file_lock, memory_order_relaxed);
    mfs_sync_unlock_shared(nodes->lot, &node->lock);
}

int64_t mfs_node_read_target(struct mfs_node *node, char *buffer, size_t size)
{
    const struct mfs_symlink_node *link = mfs_node_as_symlink(node);
    if (link == NULL)
        return MEMFS_EINVAL;
    size_t count = mfs_num_min_size(size, link->length);
    memcpy(buffer, link->target, count);
    return (int64_t)count;
}
