/*
 * Opening.
 *
 * Everything that can fail comes before the file that is created gets its name:
 * the handle's memory, the node, the whole-file lock (which no other handle can hold
 * on a node without a name), the entry.
 */
#include "api/open.h"

#include "api/call.h"
#include "api/closing.h"
#include "api/structsize.h"
#include "base/check.h"
#include "tree/publish.h"
#include "wholetree/treecopy.h"
#include "wholetree/walker.h"

#include <string.h>

_Static_assert(sizeof(memfs_file) <= sizeof(memfs_file_storage), "a handle must fit");

#define OPEN_FLAGS \
    (MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE | MEMFS_O_TRUNCATE | MEMFS_O_APPEND | \
     MEMFS_O_DIRECTORY | MEMFS_O_NOFOLLOW | MEMFS_O_TMPFILE | MEMFS_O_SHARED_LOCK | \
     MEMFS_O_EXCLUSIVE_LOCK | MEMFS_O_NOATIME | MEMFS_O_MAKE_PARENTS | MEMFS_O_EMERGENCY)

struct opening {
    memfs *fs;
    struct mfs_dir_node *start;
    const char *path;
    struct mfs_node *node; /* not null: what to open, instead of looking for `path` */
    bool is_privileged;    /* by the directory stream where the path starts */
    bool is_nameless;      /* the node has no name and need not have one */
    uint32_t flags;
    uint32_t mode;
    int64_t lock_timeout_ms;
    enum mfs_held lock;
};

static bool has_flag(const struct opening *o, uint32_t flag)
{
    return (o->flags & flag) != 0;
}

static enum mfs_charge_from charge_of(const struct opening *o)
{
    bool may = o->is_privileged || has_flag(o, MEMFS_O_EMERGENCY);
    return may ? MFS_CHARGE_RESERVE : MFS_CHARGE_ORDINARY;
}

static int check_open_flags(const struct opening *o)
{
    if ((o->flags & ~OPEN_FLAGS) != 0 || !has_flag(o, MEMFS_O_RDWR) || (o->mode & ~07777u) != 0)
        return MEMFS_EINVAL;
    if (has_flag(o, MEMFS_O_SHARED_LOCK) && has_flag(o, MEMFS_O_EXCLUSIVE_LOCK))
        return MEMFS_EINVAL;
    if (has_flag(o, MEMFS_O_EXCLUSIVE) && !has_flag(o, MEMFS_O_CREATE) &&
        !has_flag(o, MEMFS_O_TMPFILE))
        return MEMFS_EINVAL;
    if (has_flag(o, MEMFS_O_DIRECTORY) && has_flag(o, MEMFS_O_CREATE))
        return MEMFS_EINVAL;
    if (has_flag(o, MEMFS_O_MAKE_PARENTS) && !has_flag(o, MEMFS_O_CREATE))
        return MEMFS_EINVAL;
    if (has_flag(o, MEMFS_O_TMPFILE) &&
        (!has_flag(o, MEMFS_O_WRITE) || has_flag(o, MEMFS_O_CREATE)))
        return MEMFS_EINVAL;
    return 0;
}

/* A new file that already has the lock that the handle will hold. */
static int make_file(const struct opening *o, struct mfs_node **out)
{
    struct mfs_file_node *file;
    int error = mfs_node_create_file(&o->fs->nodes, charge_of(o), o->mode, &file);
    if (error != 0)
        return error;
    mfs_filelock_set_state(&file->node, o->lock == MFS_HELD_EXCLUSIVE ? -1
                                        : o->lock == MFS_HELD_SHARED  ? 1
                                                                      : 0);
    *out = &file->node;
    MFS_CHECK(mfs_node_links(*out) == 0);
    return 0;
}

static void unmake_file(const struct opening *o, struct mfs_node *node)
{
    mfs_filelock_set_state(node, 0);
    mfs_node_release(&o->fs->nodes, node);
}

static int walk_flags(const struct opening *o)
{
    int flags = MFS_WALK_FOLLOW_SLASH;
    bool exclusive = has_flag(o, MEMFS_O_CREATE) && has_flag(o, MEMFS_O_EXCLUSIVE);
    if (!exclusive && !has_flag(o, MEMFS_O_NOFOLLOW))
        flags |= MFS_WALK_FOLLOW;
    if (has_flag(o, MEMFS_O_MAKE_PARENTS))
        flags |= MFS_WALK_MAKE_PARENTS;
    return flags;
}

/* What is there already. */
static int accept_existing(const struct opening *o, const struct mfs_place *place)
{
    if (has_flag(o, MEMFS_O_CREATE) && has_flag(o, MEMFS_O_EXCLUSIVE))
        return MEMFS_EEXIST;
    if (mfs_node_as_symlink(place->node) != NULL)
        return has_flag(o, MEMFS_O_DIRECTORY) ? MEMFS_ENOTDIR : MEMFS_ELOOP;
    if (mfs_node_as_dir(place->node) == NULL)
        return place->needs_dir || has_flag(o, MEMFS_O_DIRECTORY) ? MEMFS_ENOTDIR : 0;
    return has_flag(o, MEMFS_O_WRITE) || has_flag(o, MEMFS_O_CREATE) ||
                   has_flag(o, MEMFS_O_TRUNCATE)
               ? MEMFS_EISDIR
               : 0;
}

static int find_existing(const struct opening *o, struct mfs_node **out)
{
    memfs *fs = o->fs;
    struct mfs_place place;
    mfs_sync_lock_shared(fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, o->start, o->path, walk_flags(o), &place);
    *out = NULL;
    if (error == 0 && place.node != NULL) {
        error = accept_existing(o, &place);
        if (error == 0) {
            mfs_node_retain(place.node);
            *out = place.node;
        }
    }
    mfs_sync_unlock_shared(fs->lot, &fs->tree.lock);
    return error;
}

/* Name and missing parents may come from the reserve, as the node. */
static int publish_file(memfs *fs, const struct opening *o, const struct mfs_place *place,
                        struct mfs_node *made) MFS_REQUIRES(fs->tree.lock)
{
    mfs_publish_draw_on(&fs->tree, charge_of(o));
    int error = mfs_publish(&fs->tree, place, made, MFS_PARENTS_MODE, mfs_node_now(&fs->nodes));
    mfs_publish_draw_on(&fs->tree, MFS_CHARGE_ORDINARY);
    return error;
}

/* Nothing had the name a moment ago. */
static int find_or_create(const struct opening *o, struct mfs_node **out, bool *created)
{
    memfs *fs = o->fs;
    struct mfs_node *made;
    struct mfs_place place;
    int error = make_file(o, &made);
    if (error != 0)
        return error;
    mfs_sync_lock_exclusive(fs->lot, &fs->tree.lock);
    error = mfs_walk(&fs->tree, o->start, o->path, walk_flags(o), &place);
    bool exists = error == 0 && place.node != NULL;
    if (exists)
        error = accept_existing(o, &place);
    else if (error == 0 && place.needs_dir)
        error = MEMFS_EISDIR;
    else if (error == 0)
        error = publish_file(fs, o, &place, made);
    if (error == 0 && exists)
        mfs_node_retain(place.node);
    mfs_sync_unlock_exclusive(fs->lot, &fs->tree.lock);
    if (error != 0 || exists)
        unmake_file(o, made);
    if (error != 0)
        return error;
    *created = !exists;
    *out = exists ? place.node : made;
    return 0;
}

static int make_unnamed(const struct opening *o, struct mfs_node **out)
{
    struct mfs_node *dir;
    int error = mfs_walk_to_node(&o->fs->tree, o->start, o->path, true, &dir);
    if (error != 0)
        return error;
    error = mfs_node_as_dir(dir) != NULL ? make_file(o, out) : MEMFS_ENOTDIR;
    mfs_node_release(&o->fs->nodes, dir);
    return error;
}

/* Optimistic: creates with one walk.  That the name exists takes precedence over other errors. */
static int create_exclusively(const struct opening *o, struct mfs_node **out, bool *created)
{
    int error = find_or_create(o, out, created);
    if (error == 0 || error == MEMFS_EEXIST)
        return error;
    int found = find_existing(o, out);
    return found != 0 ? found : error;
}

/* The node that the caller has already, unless its last name is gone. */
static int accept_node(const struct opening *o, struct mfs_node **out)
{
    const struct mfs_place place = {.node = o->node};
    bool is_gone = mfs_node_links(o->node) == 0 && !o->is_nameless;
    int error = is_gone ? MEMFS_ENOENT : accept_existing(o, &place);
    if (error != 0)
        return error;
    mfs_node_retain(o->node);
    *out = o->node;
    return 0;
}

/* Finds or makes the node, with a reference. */
static int get_node(const struct opening *o, struct mfs_node **out, bool *created)
{
    *created = has_flag(o, MEMFS_O_TMPFILE);
    if (o->node != NULL)
        return accept_node(o, out);
    if (*created)
        return make_unnamed(o, out);
    if (has_flag(o, MEMFS_O_EXCLUSIVE))
        return create_exclusively(o, out, created);
    int error = find_existing(o, out);
    if (error == 0 && *out == NULL)
        error = has_flag(o, MEMFS_O_CREATE) ? find_or_create(o, out, created) : MEMFS_ENOENT;
    return error;
}

/* On an existing file: takes the lock and cuts off the content, as asked. */
static int prepare_existing(const struct opening *o, struct mfs_node *node)
{
    uint8_t held = MFS_HELD_NOTHING;
    struct mfs_lot *lot = o->fs->lot;
    struct mfs_file_node *file = mfs_node_as_file(node);
    if (o->lock != MFS_HELD_NOTHING) {
        if (file == NULL)
            return MEMFS_EISDIR;
        int error = mfs_filelock_change(lot, node, &held, o->lock, o->lock_timeout_ms);
        if (error != 0)
            return error;
        mfs_fs_wait_for_earlier_lookups(o->fs, node);
    }
    if (!has_flag(o, MEMFS_O_TRUNCATE))
        return 0;
    int64_t now = mfs_node_now(&o->fs->nodes);
    mfs_sync_lock_exclusive(lot, &file->node.lock);
    bool is_locked = mfs_filelock_is_locked(lot, node, o->lock);
    if (!is_locked) {
        mfs_node_cut(&o->fs->nodes, file, 0);
        mfs_node_modified(node, now);
        mfs_observer_written(o->fs->nodes.observer, file, 0, 0);
    }
    mfs_sync_unlock_exclusive(lot, &file->node.lock);
    if (!is_locked)
        return 0;
    mfs_filelock_release(lot, node, &held);
    return MEMFS_EBUSY;
}

static int take_handle(const struct opening *o, enum mfs_charge_from charge_from, bool has_line,
                       memfs_file **out)
{
    void *block;
    size_t bytes = sizeof **out + (has_line ? MFS_HANDLE_LEAD_MOST : 0u);
    int error = mfs_memory_take_as(o->fs->memory, charge_from, bytes, MEMFS_CLASS_HANDLES, &block);
    if (error != 0)
        return error;
    unsigned lead = has_line ? (unsigned)(-(uintptr_t)block % MFS_READERS_LINE_BYTES) / 8 : 0;
    *out = (void *)((unsigned char *)block + (size_t)lead * 8);
    (*out)->has_line = has_line;
    (*out)->lead_words = lead & 7u;
    return 0;
}

/* Memory for a handle: a spare, or a block of its own. */
static int find_handle(const struct opening *o, memfs_file **out)
{
    *out = mfs_handle_take_spare(&o->fs->handles);
    if (*out != NULL)
        return 0;
    bool has_line = mfs_sync_has_met_threads() && !o->fs->memory->is_unpooled;
    int error = take_handle(o, MFS_CHARGE_LOOKING, has_line, out);
    if (error == MEMFS_EDQUOT && has_flag(o, MEMFS_O_EMERGENCY))
        error = take_handle(o, MFS_CHARGE_RESERVE, false, out);
    return error;
}

static int get_handle(const struct opening *o, memfs_file_storage *storage, memfs_file **out)
{
    memfs_file *file = (void *)storage;
    if (storage == NULL) {
        int error = find_handle(o, &file);
        if (error != 0)
            return error;
    }
    memfs_file empty = {.fs = o->fs, .is_lent = storage != NULL};
    if (storage == NULL) {
        empty.has_line = file->has_line;
        empty.lead_words = file->lead_words;
    }
    if (has_flag(o, MEMFS_O_EMERGENCY))
        empty.reserve_use = MEMFS_EMERGENCY_WRITING;
    memcpy(file, &empty, sizeof empty);
    *out = file;
    return 0;
}

static int open_node(const struct opening *o, memfs_file *file)
{
    bool created;
    struct mfs_node *node;
    int error = get_node(o, &node, &created);
    if (error != 0)
        return error;
    if (!created) {
        error = prepare_existing(o, node);
        if (error != 0) {
            mfs_node_release(&o->fs->nodes, node);
            return error;
        }
    }
    MFS_CHECK(o->lock == MFS_HELD_NOTHING || mfs_node_as_file(node) != NULL);
    file->magic = mfs_sync_mark(o->fs->lot, MFS_FILE_MAGIC);
    file->flags = o->flags;
    file->node = node;
    file->held = (uint8_t)o->lock;
    mfs_handle_add_file(&o->fs->handles, o->fs->lot, file);
    return 0;
}

/* Makes a handle, in `storage` or in memory of its own, and the node that it is to lead to. */
static int open_handle(struct opening *o, memfs_file_storage *storage, memfs_file **out)
{
    if (has_flag(o, MEMFS_O_APPEND))
        o->flags |= MEMFS_O_WRITE;
    o->lock = has_flag(o, MEMFS_O_EXCLUSIVE_LOCK) ? MFS_HELD_EXCLUSIVE
              : has_flag(o, MEMFS_O_SHARED_LOCK)  ? MFS_HELD_SHARED
                                                  : MFS_HELD_NOTHING;
    int error = check_open_flags(o);
    if (error != 0)
        return error;
    memfs_file *file;
    error = get_handle(o, storage, &file);
    if (error != 0)
        return error;
    error = open_node(o, file);
    if (error != 0) {
        mfs_closing_drop_handle(o->fs, file);
        return error;
    }
    *out = file;
    return 0;
}

struct open_request {
    memfs *fs;
    const char *path;
    memfs_open_options options;
    memfs_file **out;
};

static int64_t open_once(const void *operation)
{
    const struct open_request *r = operation;
    const memfs_open_options *options = &r->options;
    if (!mfs_fs_is_valid(r->fs) || r->path == NULL || r->out == NULL)
        return MEMFS_EINVAL;
    struct opening o = {.fs = r->fs,
                        .path = r->path,
                        .flags = options->flags,
                        .mode = options->mode,
                        .lock_timeout_ms = options->lock_timeout_ms};
    int error = mfs_fs_start(r->fs, options->at, &o.start);
    o.is_privileged = error == 0 && mfs_fs_charge_of(options->at) == MFS_CHARGE_RESERVE;
    return error == 0 ? open_handle(&o, options->storage, r->out) : error;
}

static int open_with(memfs *fs, const char *path, const memfs_open_options *options,
                     memfs_file **out)
{
    struct open_request request = {fs, path, *options, out};
    if (options->flags == 0)
        request.options.flags = MEMFS_O_READ;
    return (int)MFS_CALL_GROWING(fs, open_once, &request, .what = MEMFS_OP_OPEN, .at = options->at,
                                 .path = path);
}

int memfs_openat(memfs *fs, memfs_dir *at, const char *path, uint32_t flags, uint32_t mode,
                 memfs_file **out)
{
    const memfs_open_options options = {.flags = flags, .mode = mode, .at = at};
    return open_with(fs, path, &options, out);
}

int memfs_open(memfs *fs, const char *path, uint32_t flags, uint32_t mode, memfs_file **out)
{
    return memfs_openat(fs, NULL, path, flags, mode, out);
}

int memfs_open_with(memfs *fs, const char *path, const memfs_open_options *options,
                    memfs_file **out)
{
    memfs_open_options own;
    int error = mfs_structsize_copy_in(&own, sizeof own, options,
                                       MFS_STRUCTSIZE_UP_TO(memfs_open_options, mode));
    return error == 0 ? open_with(fs, path, &own, out) : error;
}

int mfs_open_kept(memfs *fs, struct mfs_node *kept, uint32_t flags, memfs_file **out)
{
    struct mfs_file_node *file = mfs_node_as_file(kept);
    flags |= flags == 0 ? MEMFS_O_READ : 0;
    if ((flags & ~(MEMFS_O_READ | MEMFS_O_NOFOLLOW | MEMFS_O_NOATIME)) != 0)
        return MEMFS_EINVAL;
    if (file == NULL)
        return mfs_node_as_symlink(kept) != NULL ? MEMFS_ELOOP : MEMFS_EISDIR;
    int error = mfs_treecopy_file(&fs->nodes, file, &file);
    if (error != 0)
        return error;
    struct opening o = {.fs = fs, .node = &file->node, .is_nameless = true, .flags = flags};
    error = open_handle(&o, NULL, out);
    mfs_node_release(&fs->nodes, &file->node);
    return error;
}

struct walked_file {
    memfs_walker *walker;
    uint32_t flags;
    memfs_file **out;
};

static int64_t open_walked_file_once(const void *operation)
{
    const struct walked_file *w = operation;
    const struct mfs_tour *tour = &w->walker->tour;
    memfs *fs = w->walker->opened.fs;
    struct opening o = {.fs = fs, .node = tour->node, .flags = w->flags};
    return tour->tree == &fs->tree ? open_handle(&o, NULL, w->out)
                                   : mfs_open_kept(fs, tour->node, w->flags, w->out);
}

int memfs_walk_open_file(memfs_walker *walker, uint32_t flags, memfs_file **out)
{
    if (!mfs_opened_is(walker, MFS_WALKER_MAGIC))
        return MEMFS_EBADF;
    if (out == NULL || walker->entry.event == 0 ||
        (flags & (MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE | MEMFS_O_TMPFILE)) != 0)
        return MEMFS_EINVAL;
    struct walked_file opened = {walker, flags != 0 ? flags : MEMFS_O_READ, out};
    return (int)mfs_retry_run(walker->opened.fs, open_walked_file_once, &opened);
}

/* The flags of an fopen() mode, or 0 for what is none. */
static uint32_t flags_of_mode(const char *mode)
{
    static const char letters[] = "+btex";
    bool seen[sizeof letters] = {false};
    uint32_t flags;
    switch (mode[0]) {
    case 'r':
        flags = MEMFS_O_READ;
        break;
    case 'w':
        flags = MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_TRUNCATE;
        break;
    case 'a':
        flags = MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_APPEND;
        break;
    case 'x':
        flags = MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE;
        break;
    default:
        return 0;
    }
    for (const char *letter = mode + 1; *letter != '\0'; letter++) {
        const char *known = strchr(letters, *letter);
        if (known == NULL || seen[known - letters] || (*letter == 'x' && mode[0] != 'w'))
            return 0;
        seen[known - letters] = true;
        if (*letter == '+')
            flags |= MEMFS_O_RDWR;
        else if (*letter == 'x')
            flags |= MEMFS_O_EXCLUSIVE;
    }
    return flags;
}

int memfs_open_mode(memfs *fs, const char *path, const char *mode, memfs_file **out)
{
    uint32_t flags = mode != NULL ? flags_of_mode(mode) : 0;
    return flags != 0 ? memfs_open(fs, path, flags, 0666, out) : MEMFS_EINVAL;
}
