/* Lists of names and paths: of a directory, of the snapshots, of what matches a pattern. */
#include "api/call.h"
#include "api/structsize.h"
#include "base/check.h"
#include "base/pattern.h"
#include "instance/strlist.h"
#include "wholetree/tour.h"

#include <string.h>

struct list_request {
    memfs *fs;
    const char *path; /* of a directory, or a pattern */
    memfs_list *out;
};

static int check_list(const memfs *fs, const memfs_list *out)
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    return mfs_structsize_check_out(out, MFS_STRUCTSIZE_UP_TO(memfs_list, opaque));
}

/* Ends every function that makes a list: hands it over, or drops it if there was an error. */
static int deliver_list(struct mfs_strlist *list, int error, memfs_list *out)
{
    memfs_list own;
    if (error != 0) {
        mfs_strlist_fini(list);
        return error;
    }
    error = mfs_strlist_finish(list, &own);
    if (error != 0)
        return error;
    MFS_CHECK(own.names[own.count] == NULL);
    mfs_structsize_copy_out(out, &own, sizeof own);
    return 0;
}

/* ------------------------------------------------- directories and snapshots */

static int64_t list_dir_once(const void *operation)
{
    const struct list_request *r = operation;
    memfs *fs = r->fs;
    struct mfs_place place;
    int error = r->path != NULL ? check_list(fs, r->out) : MEMFS_EINVAL;
    if (error != 0)
        return error;
    struct mfs_strlist list = {.blocks = &fs->blocks, .memory = fs->memory};
    /* Found and listed in one step: a directory removed in between would be seen empty. */
    mfs_sync_lock_shared(fs->lot, &fs->tree.lock);
    error = mfs_walk(&fs->tree, NULL, r->path, MFS_WALK_FOLLOW | MFS_WALK_FOLLOW_SLASH, &place);
    if (error == 0 && place.node == NULL)
        error = MEMFS_ENOENT;
    if (error == 0 && mfs_node_as_dir(place.node) == NULL)
        error = MEMFS_ENOTDIR;
    if (error == 0)
        error = mfs_strlist_append_names(&list, &mfs_node_as_dir(place.node)->names);
    if (error == 0)
        mfs_node_retain(place.node);
    mfs_sync_unlock_shared(fs->lot, &fs->tree.lock);
    if (error != 0)
        return deliver_list(&list, error, r->out);
    /* A refused call leaves the access time. */
    error = deliver_list(&list, 0, r->out);
    if (error == 0)
        mfs_node_accessed(&fs->nodes, place.node);
    mfs_node_release(&fs->nodes, place.node);
    return error;
}

int memfs_list_dir(memfs *fs, const char *path, memfs_list *out)
{
    struct list_request request = {fs, path, out};
    return (int)MFS_CALL_GROWING(fs, list_dir_once, &request, .what = MEMFS_OP_LIST, .path = path);
}

static int64_t list_snapshots_once(const void *operation)
{
    const struct list_request *r = operation;
    memfs *fs = r->fs;
    int error = check_list(fs, r->out);
    if (error != 0)
        return error;
    struct mfs_strlist list = {.blocks = &fs->blocks, .memory = fs->memory};
    mfs_sync_lock_shared(fs->lot, &fs->snapshots.lock);
    const struct mfs_dir_node *root = fs->snapshots.root;
    error = root != NULL ? mfs_strlist_append_names(&list, &root->names) : 0;
    mfs_sync_unlock_shared(fs->lot, &fs->snapshots.lock);
    return deliver_list(&list, error, r->out);
}

int memfs_snapshot_list(memfs *fs, memfs_list *out)
{
    struct list_request request = {fs, NULL, out};
    return (int)mfs_retry_run(fs, list_snapshots_once, &request);
}

/* ----------------------------------------------------------------- globbing */

/* The length of the part before the first component with a wildcard. */
static size_t literal_length(const char *pattern)
{
    const char *rest = pattern;
    struct mfs_component c;
    size_t length = pattern[0] == '/' ? 1 : 0;
    while (mfs_path_next(&rest, &c) && mfs_pattern_is_literal(c.name, c.length))
        length = (size_t)(c.name + c.length - pattern);
    return length;
}

static int collect(struct mfs_strlist *list, struct mfs_tour *tour, const char *pattern)
{
    struct mfs_tour_stop stop;
    bool wants_dir = pattern[strlen(pattern) - 1] == '/';
    int more;
    while ((more = mfs_tour_next(tour, &stop)) == 1) {
        bool is_dir = stop.event == MEMFS_WALK_ENTER;
        if (stop.event == MEMFS_WALK_LEAVE)
            continue;
        size_t length = strlen(stop.path);
        if (length > 0 && length <= MEMFS_PATH_MAX && (is_dir || !wants_dir) &&
            mfs_pattern_match_path(pattern, stop.path)) {
            bool adds_slash = wants_dir && stop.path[length - 1] != '/';
            int error = mfs_strlist_append(list, stop.path, length, "/", adds_slash);
            if (error != 0)
                return error;
        }
        /* What is longer than a path can be is of no use to the caller, and would take
         * the square of a tree's depth to look at. */
        if (is_dir && (length >= MEMFS_PATH_MAX || !mfs_pattern_leads_below(pattern, stop.path)))
            mfs_tour_prune(tour);
    }
    return more;
}

static int64_t glob_once(const void *operation)
{
    const struct list_request *r = operation;
    memfs *fs = r->fs;
    const char *pattern = r->path;
    struct mfs_node *node;
    int error = pattern != NULL ? check_list(fs, r->out) : MEMFS_EINVAL;
    if (error == 0)
        error = mfs_path_check(pattern);
    if (error != 0)
        return error;
    if (!mfs_pattern_is_valid(pattern))
        return MEMFS_EINVAL;
    struct mfs_strlist list = {.blocks = &fs->blocks, .memory = fs->memory};
    size_t length = literal_length(pattern);
    error = mfs_walk_prefix_to_node(&fs->tree, pattern, length, &node);
    if (error == 0) {
        struct mfs_tour tour;
        struct mfs_tour_room room;
        error = mfs_tour_init(&tour, &fs->tree, &room, node, pattern, length);
        mfs_node_release(&fs->nodes, node);
        if (error == 0)
            error = collect(&list, &tour, pattern);
        mfs_tour_fini(&tour);
    } else if (error == MEMFS_ENOENT || error == MEMFS_ENOTDIR) {
        error = 0;
    }
    return deliver_list(&list, error, r->out);
}

int memfs_glob(memfs *fs, const char *pattern, memfs_list *out)
{
    struct list_request request = {fs, pattern, out};
    return (int)mfs_retry_run(fs, glob_once, &request);
}

int memfs_glob_match(const char *pattern, const char *path, int *matches)
{
    if (pattern == NULL || path == NULL || matches == NULL || !mfs_pattern_is_valid(pattern))
        return MEMFS_EINVAL;
    *matches = mfs_pattern_match_path(pattern, path);
    return 0;
}

/* ------------------------------------------------------------------ freeing */

void memfs_list_free(memfs *fs, memfs_list *list)
{
    if (!mfs_fs_is_valid(fs) || list == NULL)
        return;
    size_t struct_size = list->struct_size;
    mfs_strlist_free(&fs->blocks, fs->memory, list);
    list->struct_size = struct_size;
}
