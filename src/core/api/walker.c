/*
 * Walking: by callback, and by a cursor.
 *
 * Both are a tour (wholetree/tour.h).  A step that a limit refuses has not moved the tour, so the
 * refusal callback may make room for that step alone: what the caller has done at the steps before
 * cannot be run again.
 */
#include "wholetree/walker.h"

#include "api/retry.h"
#include "instance/snapshot.h"

#include <string.h>

struct walk_step {
    struct mfs_tour *tour;
    struct mfs_tour_stop *stop;
};

static int64_t step_once(const void *operation)
{
    const struct walk_step *step = operation;
    return mfs_tour_next(step->tour, step->stop);
}

static int next_stop(memfs *fs, struct mfs_tour *tour, struct mfs_tour_stop *out)
{
    const struct walk_step step = {tour, out};
    return (int)mfs_retry_run(fs, step_once, &step);
}

/* --------------------------------------------------------------- by callback */

/* Whether the walk goes on (0), or what it ends with. */
static int take_answer(struct mfs_tour *tour, int answer)
{
    if (answer == MEMFS_WALK_PRUNE)
        mfs_tour_prune(tour);
    if (answer == MEMFS_WALK_PRUNE || answer == MEMFS_WALK_CONTINUE)
        return 0;
    return answer > 0 && answer != MEMFS_WALK_STOP ? MEMFS_EINVAL : answer;
}

struct walk_start {
    memfs *fs;
    struct mfs_tour *tour;
    struct mfs_tour_room *room;
    struct mfs_node *node;
    const char *path;
};

static int64_t begin_walk_once(const void *operation)
{
    const struct walk_start *start = operation;
    return mfs_tour_init(start->tour, &start->fs->tree, start->room, start->node, start->path,
                         strlen(start->path));
}

int memfs_walk(memfs *fs, const char *path, memfs_walk_callback callback, void *context)
{
    struct mfs_node *node;
    struct mfs_tour tour;
    struct mfs_tour_room room;
    struct mfs_tour_stop stop;
    if (!mfs_fs_is_valid(fs) || path == NULL || callback == NULL)
        return MEMFS_EINVAL;
    int result = mfs_walk_to_node(&fs->tree, NULL, path, true, &node);
    if (result != 0)
        return result;
    const struct walk_start start = {fs, &tour, &room, node, path};
    result = (int)mfs_retry_run(fs, begin_walk_once, &start);
    mfs_node_release(&fs->nodes, node);
    while (result == 0 && (result = next_stop(fs, &tour, &stop)) == 1) {
        memfs_stat_info stat;
        memfs_walk_entry entry;
        mfs_walker_describe(&fs->nodes, &stop, &stat, &entry);
        result = take_answer(&tour, callback(context, &entry));
    }
    mfs_tour_fini(&tour);
    return result;
}

/* ----------------------------------------------------------------- by cursor */

static int walk_flags_of(unsigned flags)
{
    return MFS_WALK_FOLLOW_SLASH | ((flags & MEMFS_WALK_NOFOLLOW) == 0 ? MFS_WALK_FOLLOW : 0);
}

/* Starts the tour at what `path` leads to, under the name that the flags ask for. */
static int start_tour(struct memfs_walker *walker, const char *path, unsigned flags)
{
    memfs *fs = walker->opened.fs;
    struct mfs_place place;
    mfs_sync_lock_shared(fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, NULL, path, walk_flags_of(flags), &place);
    if (error == 0 && place.node == NULL)
        error = MEMFS_ENOENT;
    if (error == 0 && place.needs_dir && mfs_node_as_dir(place.node) == NULL)
        error = MEMFS_ENOTDIR;
    if (error == 0 && (flags & MEMFS_WALK_REAL_PATHS) != 0)
        error = mfs_tour_init_real(&walker->tour, &fs->tree, walker->lent, &place);
    else if (error == 0)
        error = mfs_tour_init(&walker->tour, &fs->tree, walker->lent, place.node, path,
                              strlen(path));
    mfs_sync_unlock_shared(fs->lot, &fs->tree.lock);
    return error;
}

/* What a memfs_walker_storage holds. */
struct lent_walker {
    struct memfs_walker walker;
    struct mfs_tour_room room;
};

_Static_assert(sizeof(struct lent_walker) <= sizeof(memfs_walker_storage), "a walker must fit");

/* The walker goes, with what it refers to. */
static void drop_walker(memfs *fs, struct memfs_walker *walker)
{
    mfs_tour_fini(&walker->tour);
    walker->opened.magic = MFS_CLOSED_MAGIC;
    if (walker->lent == NULL)
        mfs_memory_give(fs->memory, walker, sizeof *walker, MEMFS_CLASS_HANDLES);
}

struct walker_request {
    memfs *fs;
    const struct mfs_component *snapshot; /* null: the live tree */
    const char *path;
    unsigned flags;
    memfs_walker_storage *storage;
    memfs_walker **out;
};

/* Starts the tour in a snapshot. */
static int start_kept_tour(struct memfs_walker *walker, const struct walker_request *r)
{
    memfs *fs = r->fs;
    struct mfs_place place;
    mfs_sync_lock_shared(fs->lot, &fs->snapshots.lock);
    int error = mfs_snapshot_look_up(fs, r->snapshot, r->path, walk_flags_of(r->flags), &place);
    if (error == 0)
        error = mfs_tour_init(&walker->tour, &fs->snapshots, walker->lent, place.node, r->path,
                              strlen(r->path));
    mfs_sync_unlock_shared(fs->lot, &fs->snapshots.lock);
    return error;
}

static int64_t open_walker_once(const void *operation)
{
    const struct walker_request *r = operation;
    memfs *fs = r->fs;
    void *memory = r->storage;
    struct lent_walker *lent = memory;
    if (lent == NULL) {
        int error = mfs_memory_take_as(fs->memory, MFS_CHARGE_LOOKING, sizeof **r->out,
                                       MEMFS_CLASS_HANDLES, &memory);
        if (error != 0)
            return error;
    }
    struct memfs_walker *walker = memory;
    *walker = (struct memfs_walker){
        .opened = {.magic = mfs_sync_mark(fs->lot, MFS_WALKER_MAGIC), .fs = fs},
        .flags = r->flags,
        .tour.tree = r->snapshot == NULL ? &fs->tree : &fs->snapshots,
        .lent = lent != NULL ? &lent->room : NULL};
    int error = r->snapshot == NULL ? start_tour(walker, r->path, r->flags)
                                    : start_kept_tour(walker, r);
    if (error != 0) {
        drop_walker(fs, walker);
        return error;
    }
    mfs_opened_add(&fs->opened, fs->lot, &walker->opened);
    *r->out = walker;
    return 0;
}

int memfs_walk_open_in(memfs *fs, const char *path, unsigned flags, memfs_walker_storage *storage,
                       memfs_walker **out)
{
    if (!mfs_fs_is_valid(fs) || path == NULL || out == NULL ||
        (flags & ~(MEMFS_WALK_NOFOLLOW | MEMFS_WALK_REAL_PATHS | MEMFS_WALK_NOATIME)) != 0)
        return MEMFS_EINVAL;
    struct walker_request request = {fs, NULL, path, flags, storage, out};
    return (int)mfs_retry_run(fs, open_walker_once, &request);
}

int memfs_walk_open(memfs *fs, const char *path, unsigned flags, memfs_walker **out)
{
    return memfs_walk_open_in(fs, path, flags, NULL, out);
}

int memfs_snapshot_walk(memfs *fs, const char *name, const char *path, unsigned flags,
                        memfs_walker **out)
{
    struct mfs_component c;
    if (!mfs_fs_is_valid(fs) || name == NULL || path == NULL || out == NULL ||
        (flags & ~(MEMFS_WALK_NOFOLLOW | MEMFS_WALK_NOATIME)) != 0)
        return MEMFS_EINVAL;
    int error = mfs_snapshot_check_name(name, &c);
    /* What is kept never changes, times included. */
    struct walker_request request = {fs, &c, path, flags | MEMFS_WALK_NOATIME, NULL, out};
    return error == 0 ? (int)mfs_retry_run(fs, open_walker_once, &request) : error;
}

static bool is_walking(const memfs_walker *walker)
{
    return mfs_opened_is(walker, MFS_WALKER_MAGIC);
}

/* What has been read: its access time follows, unless the walker leaves it alone. */
static void touch(const memfs_walker *walker, struct mfs_node *node)
{
    if ((walker->flags & MEMFS_WALK_NOATIME) == 0)
        mfs_node_accessed(&walker->opened.fs->nodes, node);
}

int memfs_walk_next(memfs_walker *walker, const memfs_walk_entry **entry)
{
    struct mfs_tour_stop stop;
    if (!is_walking(walker))
        return MEMFS_EBADF;
    if (entry == NULL)
        return MEMFS_EINVAL;
    struct mfs_node *entered = walker->tour.next_step == MFS_TOUR_ENTERS ? walker->tour.node : NULL;
    int result = next_stop(walker->opened.fs, &walker->tour, &stop);
    walker->entry.event = 0;
    if (result >= 0 && entered != NULL)
        touch(walker, entered);
    if (result != 1)
        return result;
    mfs_walker_describe(&walker->opened.fs->nodes, &stop, &walker->stat, &walker->entry);
    *entry = &walker->entry;
    return 1;
}

int memfs_walk_prune(memfs_walker *walker)
{
    if (!is_walking(walker))
        return MEMFS_EBADF;
    /* Also where a step into the directory was refused. */
    if (walker->entry.event != MEMFS_WALK_ENTER && walker->tour.next_step != MFS_TOUR_ENTERS)
        return MEMFS_EINVAL;
    mfs_tour_prune(&walker->tour);
    return 0;
}

int64_t memfs_walk_readlink(memfs_walker *walker, char *buffer, size_t size)
{
    if (!is_walking(walker))
        return MEMFS_EBADF;
    if (buffer == NULL || size == 0 || walker->entry.event != MEMFS_WALK_ENTRY)
        return MEMFS_EINVAL;
    int64_t result = mfs_node_read_target(walker->tour.node, buffer, size);
    if (result >= 0)
        touch(walker, walker->tour.node);
    return result;
}

int memfs_walk_close(memfs_walker *walker)
{
    if (!is_walking(walker))
        return MEMFS_EBADF;
    memfs *fs = walker->opened.fs;
    mfs_opened_remove(&fs->opened, fs->lot, &walker->opened);
    drop_walker(fs, walker);
    return 0;
}
