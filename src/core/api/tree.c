/* Whole trees: removing, copying, adding up, globbing. */
#include "base/check.h"
#include "base/pattern.h"
#include "instance/census.h"
#include "instance/fs.h"
#include "instance/strlist.h"
#include "tree/publish.h"
#include "tree/subtree.h"
#include "wholetree/tour.h"
#include "wholetree/treecopy.h"

#include <string.h>

/* ----------------------------------------------------------------- removing */

static int check_removal(memfs *fs, const struct mfs_place *place) MFS_REQUIRES(fs->tree.lock)
{
    if (place->last != MFS_LAST_NAME)
        return place->last == MFS_LAST_ROOT ? MEMFS_EBUSY : MEMFS_EINVAL;
    if (place->node == NULL)
        return MEMFS_ENOENT;
    struct mfs_dir_node *dir = mfs_node_as_dir(place->node);
    if (dir == NULL && place->needs_dir)
        return MEMFS_ENOTDIR;
    bool locked = dir != NULL ? mfs_subtree_has_locked(&fs->tree, dir)
                              : mfs_filelock_is_locked(&fs->lot, place->node, MFS_HELD_NOTHING);
    return locked ? MEMFS_EBUSY : 0;
}

int memfs_remove_tree(memfs *fs, const char *path)
{
    struct mfs_place place;
    struct mfs_dirent *removed = NULL;
    if (!mfs_fs_is_valid(fs) || path == NULL)
        return MEMFS_EINVAL;
    mfs_sync_lock_exclusive(&fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, NULL, path, 0, &place);
    if (error == 0)
        error = check_removal(fs, &place);
    if (error == 0) {
        int64_t now = mfs_node_now(&fs->nodes);
        if (mfs_node_as_dir(place.node) != NULL)
            mfs_subtree_dismantle(&fs->tree, mfs_node_as_dir(place.node), now, &removed);
        mfs_namespace_remove(&fs->tree, place.dir, place.entry, now);
        place.entry->u.next_removed = removed;
        removed = place.entry;
    }
    mfs_sync_unlock_exclusive(&fs->lot, &fs->tree.lock);
    mfs_subtree_forget(&fs->tree, removed);
    return error;
}

/* ------------------------------------------------------------------ copying */

/* Builds the copy, private, while the names stand still. */
static int copy_source(memfs *fs, const char *from, const char *to, enum mfs_copy_kind kind,
                       struct mfs_node **copy)
{
    struct mfs_place source, target;
    mfs_sync_lock_shared(&fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, NULL, from, MFS_WALK_FOLLOW_SLASH, &source);
    if (error == 0 && source.node == NULL)
        error = MEMFS_ENOENT;
    if (error == 0 && source.needs_dir && mfs_node_as_dir(source.node) == NULL)
        error = MEMFS_ENOTDIR;
    if (error == 0)
        error = mfs_walk(&fs->tree, NULL, to, 0, &target);
    if (error == 0 && target.node != NULL)
        error = MEMFS_EEXIST;
    if (error == 0 && mfs_node_as_dir(source.node) != NULL &&
        mfs_namespace_is_within(target.dir, mfs_node_as_dir(source.node)))
        error = MEMFS_EINVAL;
    if (error == 0)
        error = mfs_treecopy(&fs->tree, source.node, kind, &fs->tree, copy);
    mfs_sync_unlock_shared(&fs->lot, &fs->tree.lock);
    return error;
}

static int copy_tree_once(memfs *fs, const char *from, const char *to, unsigned flags)
{
    struct mfs_node *copy;
    if (!mfs_fs_is_valid(fs) || from == NULL || to == NULL ||
        (flags & ~(MEMFS_COPY_NOREPLACE | MEMFS_COPY_ATTRIBUTES)) != 0)
        return MEMFS_EINVAL;
    enum mfs_copy_kind kind = (flags & MEMFS_COPY_ATTRIBUTES) != 0 ? MFS_COPY_ATTRIBUTES
                                                                   : MFS_COPY_FRESH;
    int error = copy_source(fs, from, to, kind, &copy);
    return error == 0 ? mfs_publish_private(&fs->tree, to, copy) : error;
}

int memfs_copy_tree(memfs *fs, const char *from, const char *to, unsigned flags)
{
    int result;
    do
        result = copy_tree_once(fs, from, to, flags);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
}

/* ---------------------------------------------------------------- adding up */

static int tree_usage_once(memfs *fs, const char *path, memfs_tree_info *info)
{
    struct mfs_place place;
    if (!mfs_fs_is_valid(fs) || path == NULL || info == NULL || info->struct_size != sizeof *info)
        return MEMFS_EINVAL;
    struct mfs_census census;
    mfs_sync_lock_shared(&fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, NULL, path, MFS_WALK_FOLLOW | MFS_WALK_FOLLOW_SLASH, &place);
    if (error == 0 && place.node == NULL)
        error = MEMFS_ENOENT;
    if (error == 0 && place.needs_dir && mfs_node_as_dir(place.node) == NULL)
        error = MEMFS_ENOTDIR;
    if (error == 0)
        error = mfs_census_take(fs, &fs->tree, place.node, &census);
    mfs_sync_unlock_shared(&fs->lot, &fs->tree.lock);
    if (error == 0)
        *info = census.info;
    return error;
}

int memfs_tree_usage(memfs *fs, const char *path, memfs_tree_info *info)
{
    int result;
    do
        result = tree_usage_once(fs, path, info);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
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

static int glob_once(memfs *fs, const char *pattern, memfs_list *out)
{
    char base[MEMFS_PATH_MAX + 1];
    struct mfs_node *node;
    if (!mfs_fs_is_valid(fs) || pattern == NULL || out == NULL)
        return MEMFS_EINVAL;
    int error = mfs_path_check(pattern);
    if (error != 0)
        return error;
    if (!mfs_pattern_is_valid(pattern))
        return MEMFS_EINVAL;
    struct mfs_strlist list = {.blocks = &fs->blocks, .memory = &fs->memory};
    size_t length = literal_length(pattern);
    memcpy(base, pattern, length);
    base[length] = '\0';
    error = mfs_walk_to_node(&fs->tree, NULL, length != 0 ? base : "/", true, &node);
    if (error == 0) {
        struct mfs_tour tour;
        error = mfs_tour_init(&tour, &fs->tree, NULL, node, base, length);
        mfs_node_release(&fs->nodes, node);
        if (error == 0)
            error = collect(&list, &tour, pattern);
        mfs_tour_fini(&tour);
    } else if (error == MEMFS_ENOENT || error == MEMFS_ENOTDIR) {
        error = 0;
    }
    if (error == 0)
        return mfs_strlist_finish(&list, out);
    mfs_strlist_fini(&list);
    return error;
}

int memfs_glob(memfs *fs, const char *pattern, memfs_list *out)
{
    int result;
    do
        result = glob_once(fs, pattern, out);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
}

int memfs_glob_match(const char *pattern, const char *path)
{
    if (pattern == NULL || path == NULL || !mfs_pattern_is_valid(pattern))
        return MEMFS_EINVAL;
    return mfs_pattern_match_path(pattern, path);
}
