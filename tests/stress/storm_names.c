/*
 * The storm's roles that work on names and trees, and the one that watches.
 */
#include "storm.h"

#include <stdio.h>
#include <string.h>

#define TREES 3u

static void shared_path(struct crew_member *me, char path[32])
{
    snprintf(path, 32, "/s/%u", crew_random(me, STORM_SLOTS));
}

void storm_make_and_remove_names(struct crew_member *me)
{
    struct storm *storm = me->context;
    memfs *fs = storm->site.fs;
    char from[32], to[32];
    for (unsigned i = 0; i < storm->steps; i++) {
        crew_pace(me, i);
        shared_path(me, from);
        shared_path(me, to);
        crew_allow(me, memfs_rename(fs, from, to, 0), STORM_REFUSALS(storm), MEMFS_ENOENT,
                   MEMFS_EBUSY);
        crew_allow(me, memfs_link(fs, from, to), STORM_REFUSALS(storm), MEMFS_ENOENT, MEMFS_EEXIST);
        crew_allow(me, memfs_symlink(fs, from, to, 0), STORM_REFUSALS(storm), MEMFS_EEXIST);
        /* A symlink may lead anywhere by now, to itself too. */
        crew_allow(me, memfs_truncate(fs, from, 0), MEMFS_ENOENT, MEMFS_EBUSY, MEMFS_ELOOP);
        crew_allow(me, memfs_is_file(fs, to), STORM_REFUSALS(storm));
        crew_allow(me, memfs_unlink(fs, to), MEMFS_ENOENT, MEMFS_EBUSY);
    }
}

void storm_copy_trees(struct crew_member *me)
{
    struct storm *storm = me->context;
    memfs *fs = storm->site.fs;
    char path[32];
    for (unsigned i = 0; i < storm->steps; i++) {
        crew_pace(me, i);
        snprintf(path, sizeof path, "/t-%u", crew_random(me, TREES));
        crew_allow(me, memfs_copy_tree(fs, "/s", path, 0), STORM_REFUSALS(storm), MEMFS_EEXIST);
        snprintf(path, sizeof path, "/t-%u", crew_random(me, TREES));
        crew_allow(me, memfs_remove_tree(fs, path), MEMFS_ENOENT, MEMFS_EBUSY);
        snprintf(path, sizeof path, "/m-%u/a/b/c", crew_random(me, TREES));
        crew_allow(me, memfs_mkdir_parents(fs, path, 0755), STORM_REFUSALS(storm));
        snprintf(path, sizeof path, "/m-%u", crew_random(me, TREES));
        crew_allow(me, memfs_remove_tree(fs, path), MEMFS_ENOENT);
    }
}

static int look(void *context, const memfs_walk_entry *entry)
{
    unsigned *count = context;
    *count += entry->stat->number != 0;
    return MEMFS_WALK_CONTINUE;
}

void storm_list(struct crew_member *me)
{
    struct storm *storm = me->context;
    memfs *fs = storm->site.fs;
    for (unsigned i = 0; i < storm->steps; i++) {
        crew_pace(me, i);
        memfs_list list = {.struct_size = sizeof list};
        unsigned count = 0;
        crew_allow(me, memfs_walk(fs, "/", look, &count), STORM_REFUSALS(storm));
        crew_allow(me, memfs_walk(fs, "/t-0", look, &count), STORM_REFUSALS(storm), MEMFS_ENOENT);
        if (crew_allow(me, memfs_glob(fs, "/**/[0-9]*", &list), STORM_REFUSALS(storm)) == 0)
            memfs_list_free(fs, &list);
        if (crew_allow(me, memfs_list_dir(fs, "/s", &list), STORM_REFUSALS(storm)) == 0)
            memfs_list_free(fs, &list);
    }
}

static int is_expected(const struct storm *storm, int refusal)
{
    return refusal == storm->refusal || refusal == storm->refusal_too;
}

void storm_watch_once(struct crew_member *me)
{
    struct storm *storm = me->context;
    memfs_statfs_info info;
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    crew_must(me, memfs_statfs(storm->site.fs, &info));
    crew_check(me, storm->quota_bytes == 0 || info.committed_bytes <= storm->quota_bytes);
    crew_check(me, storm->quota_bytes == 0 || info.peak_bytes <= storm->quota_bytes);
    crew_check(me, info.quota_refusals == 0 || is_expected(storm, MEMFS_EDQUOT));
    crew_check(me, info.node_refusals == 0 || is_expected(storm, MEMFS_ENOSPC));
    crew_check(me, info.allocator_refusals == 0 || is_expected(storm, MEMFS_ENOMEM));
    memfs_refusal refusal = {.struct_size = sizeof refusal};
    crew_must(me, memfs_last_refusal(storm->site.fs, &refusal));
    crew_check(me, refusal.error == 0 || is_expected(storm, refusal.error));
}

void storm_watch_figures(struct crew_member *me)
{
    struct storm *storm = me->context;
    for (unsigned i = 0; i < storm->steps; i++) {
        crew_pace(me, i);
        storm_watch_once(me);
    }
}
