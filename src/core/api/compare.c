/* Comparing snapshots with each other, or with the live tree. */
#include "api/open.h"
#include "api/retry.h"
#include "base/check.h"
#include "instance/snapshot.h"
#include "wholetree/comparison.h"

struct compare_request {
    memfs *fs;
    const char *before, *after;
    memfs_comparison **out;
};

/* One of the two trees. */
struct compared {
    struct mfs_component name;
    struct mfs_node *captured; /* of the live tree, or null */
};

static int begin_compared(memfs *fs, const char *name, struct compared *out)
{
    *out = (struct compared){0};
    return name != NULL ? mfs_snapshot_check_name(name, &out->name)
                        : mfs_snapshot_capture(fs, &out->captured);
}

static void end_compared(memfs *fs, const struct compared *compared)
{
    if (compared->captured != NULL)
        mfs_subtree_discard(&fs->snapshots, compared->captured);
}

/* Its root, or null if there is no such snapshot. */
static struct mfs_dir_node *root_of(memfs *fs, const struct compared *compared)
    MFS_REQUIRES_SHARED(fs->snapshots.lock)
{
    if (compared->captured != NULL)
        return mfs_node_as_dir(compared->captured);
    const struct mfs_dirent *entry = mfs_snapshot_find(fs, &compared->name);
    return entry != NULL ? mfs_node_as_dir(entry->node) : NULL;
}

static int compare_both(memfs *fs, const struct compared *before, const struct compared *after,
                        struct mfs_change **out)
{
    mfs_sync_lock_shared(fs->lot, &fs->snapshots.lock);
    struct mfs_dir_node *from = root_of(fs, before), *to = root_of(fs, after);
    int error = from != NULL && to != NULL ? mfs_comparison_make(&fs->snapshots, from, to, out)
                                           : MEMFS_ENOENT;
    mfs_sync_unlock_shared(fs->lot, &fs->snapshots.lock);
    return error;
}

static int compare_trees(const struct compare_request *r, struct mfs_change **out)
{
    struct compared before, after = {0};
    int error = begin_compared(r->fs, r->before, &before);
    if (error == 0)
        error = begin_compared(r->fs, r->after, &after);
    if (error == 0)
        error = compare_both(r->fs, &before, &after, out);
    end_compared(r->fs, &after);
    end_compared(r->fs, &before);
    return error;
}

static int64_t open_comparison_once(const void *operation)
{
    const struct compare_request *r = operation;
    memfs *fs = r->fs;
    void *memory;
    if (!mfs_fs_is_valid(fs) || r->out == NULL || (r->before == NULL && r->after == NULL))
        return MEMFS_EINVAL;
    int error = mfs_memory_take(fs->memory, sizeof **r->out, MEMFS_CLASS_HANDLES, &memory);
    if (error != 0)
        return error;
    struct memfs_comparison *comparison = memory;
    *comparison = (struct memfs_comparison){.opened = {.fs = fs}};
    error = compare_trees(r, &comparison->first);
    if (error != 0) {
        mfs_memory_give(fs->memory, comparison, sizeof *comparison, MEMFS_CLASS_HANDLES);
        return error;
    }
    comparison->opened.magic = mfs_sync_mark(fs->lot, MFS_COMPARISON_MAGIC);
    comparison->next = comparison->first;
    mfs_opened_add(&fs->opened, fs->lot, &comparison->opened);
    *r->out = comparison;
    return 0;
}

int memfs_compare_open(memfs *fs, const char *before, const char *after, memfs_comparison **out)
{
    const struct compare_request request = {fs, before, after, out};
    return (int)mfs_retry_run(fs, open_comparison_once, &request);
}

static bool is_open_comparison(const memfs_comparison *comparison)
{
    return mfs_opened_is(comparison, MFS_COMPARISON_MAGIC);
}

int memfs_compare_next(memfs_comparison *comparison, const memfs_change **change)
{
    if (!is_open_comparison(comparison))
        return MEMFS_EBADF;
    if (change == NULL)
        return MEMFS_EINVAL;
    comparison->given = comparison->next;
    if (comparison->next == NULL)
        return 0;
    comparison->next = comparison->next->next;
    *change = &comparison->given->shown;
    return 1;
}

struct compared_file {
    memfs_comparison *comparison;
    memfs_file **out;
};

/* The copy of the live tree is gone by now, and with it the file's name; so what concerns the name
 * is taken from what was noted. */
static int64_t open_compared_once(const void *operation)
{
    const struct compared_file *f = operation;
    const struct mfs_change *given = f->comparison->given;
    if (given->node == NULL)
        return MEMFS_EISDIR;
    int error = mfs_open_kept(f->comparison->opened.fs, given->node, MEMFS_O_READ, f->out);
    if (error != 0)
        return error;
    struct mfs_node *node = (*f->out)->node;
    mfs_node_set_time(node, MFS_CHANGE, given->stat.change_ns);
    return 0;
}

int memfs_compare_open_file(memfs_comparison *comparison, memfs_file **out)
{
    if (!is_open_comparison(comparison))
        return MEMFS_EBADF;
    if (out == NULL || comparison->given == NULL)
        return MEMFS_EINVAL;
    const struct compared_file file = {comparison, out};
    return (int)mfs_retry_run(comparison->opened.fs, open_compared_once, &file);
}

int memfs_compare_close(memfs_comparison *comparison)
{
    if (!is_open_comparison(comparison))
        return MEMFS_EBADF;
    memfs *fs = comparison->opened.fs;
    mfs_opened_remove(&fs->opened, fs->lot, &comparison->opened);
    mfs_comparison_free(&fs->snapshot_nodes, comparison->first);
    comparison->opened.magic = MFS_CLOSED_MAGIC;
    mfs_memory_give(fs->memory, comparison, sizeof *comparison, MEMFS_CLASS_HANDLES);
    return 0;
}
