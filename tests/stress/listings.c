/*
 * Listing, walking and globbing while names come and go, and trees that are
 * copied and removed under observation.
 */
#include "crew.h"
#include "site.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAYERS 40u
#define CHURN_STEPS 20000u
#define LIST_STEPS 800u
#define TREE_ENTRIES 12u
#define TREE_STEPS 2000u
#define TREE_SLOTS 3u

/* A name "stay-<n>" gives n; any other STAYERS. */
static unsigned stayer_number(const char *name)
{
    unsigned number = STAYERS;
    if (strncmp(name, "stay-", 5) == 0)
        number = (unsigned)strtoul(name + 5, NULL, 10);
    return number;
}

static void count_stayer(struct crew_member *me, const char *name, unsigned seen[STAYERS])
{
    unsigned number = stayer_number(name);
    if (number < STAYERS)
        crew_check(me, ++seen[number] == 1);
}

static void check_all_seen(struct crew_member *me, const unsigned seen[STAYERS])
{
    for (unsigned i = 0; i < STAYERS; i++)
        crew_check(me, seen[i] == 1);
}

/* Creates, moves and removes names of its own among the others. */
static void churn(struct crew_member *me)
{
    struct site *site = me->context;
    char from[32], to[32];
    for (unsigned i = 0; i < CHURN_STEPS; i++) {
        snprintf(from, sizeof from, "/d/go-%u-%u", me->index, crew_random(me, 20));
        snprintf(to, sizeof to, "/d/go-%u-%u", me->index, crew_random(me, 20));
        uint32_t what = crew_random(me, 4);
        if (what == 0)
            crew_must(me, memfs_write_file(site->fs, from, "x", 1, 0644, 0));
        else if (what == 1)
            crew_allow(me, memfs_rename(site->fs, from, to, 0), MEMFS_ENOENT);
        else if (what == 2)
            crew_allow(me, memfs_unlink(site->fs, from), MEMFS_ENOENT);
        else
            crew_allow(me, memfs_link(site->fs, from, to), MEMFS_ENOENT, MEMFS_EEXIST);
    }
}

/* By a stream that goes back to a cookie now and then. */
static void list_by_stream(struct crew_member *me)
{
    struct site *site = me->context;
    for (unsigned i = 0; i < LIST_STEPS; i++) {
        unsigned seen[STAYERS] = {0};
        memfs_dir *dir = NULL;
        memfs_dirent entry = {.struct_size = sizeof entry};
        crew_must(me, memfs_opendir(site->fs, "/d", &dir));
        while (crew_must(me, memfs_readdir(dir, &entry)) == 1) {
            count_stayer(me, entry.name, seen);
            crew_check(me, memfs_telldir(dir) == (int64_t)entry.cookie);
            if (crew_random(me, 8) == 0) {
                crew_must(me, memfs_rewinddir(dir));
                crew_must(me, memfs_seekdir(dir, (int64_t)entry.cookie));
            }
        }
        check_all_seen(me, seen);
        crew_must(me, memfs_closedir(dir));
    }
}

static void list_at_once(struct crew_member *me)
{
    struct site *site = me->context;
    for (unsigned i = 0; i < LIST_STEPS; i++) {
        unsigned seen[STAYERS] = {0};
        memfs_list list = {.struct_size = sizeof list};
        crew_must(me, memfs_list_dir(site->fs, "/d", &list));
        for (size_t k = 0; k < list.count; k++) {
            crew_check(me, k == 0 || strcmp(list.names[k - 1], list.names[k]) < 0);
            count_stayer(me, list.names[k], seen);
        }
        check_all_seen(me, seen);
        memfs_list_free(site->fs, &list);
    }
}

static void list_by_glob(struct crew_member *me)
{
    struct site *site = me->context;
    for (unsigned i = 0; i < LIST_STEPS; i++) {
        unsigned seen[STAYERS] = {0};
        memfs_list list = {.struct_size = sizeof list};
        const char *pattern = crew_random(me, 2) == 0 ? "/d/*t*-*" : "/**/[!g]*-*";
        crew_must(me, memfs_glob(site->fs, pattern, &list));
        for (size_t k = 0; k < list.count; k++)
            count_stayer(me, strrchr(list.names[k], '/') + 1, seen);
        check_all_seen(me, seen);
        memfs_list_free(site->fs, &list);
    }
}

struct walk_count {
    struct crew_member *me;
    unsigned seen[STAYERS];
};

static int count_walked(void *context, const memfs_walk_entry *entry)
{
    struct walk_count *count = context;
    if (entry->event == MEMFS_WALK_ENTRY)
        count_stayer(count->me, entry->name, count->seen);
    return MEMFS_WALK_CONTINUE;
}

static void list_by_walk(struct crew_member *me)
{
    struct site *site = me->context;
    for (unsigned i = 0; i < LIST_STEPS; i++) {
        struct walk_count count = {.me = me};
        crew_must(me, memfs_walk(site->fs, "/", count_walked, &count));
        check_all_seen(me, count.seen);
    }
}

static void add_stayers(memfs *fs)
{
    char path[32];
    assert_int_equal(memfs_mkdir(fs, "/d", 0755), 0);
    for (unsigned i = 0; i < STAYERS; i++) {
        snprintf(path, sizeof path, "/d/stay-%u", i);
        assert_int_equal(memfs_write_file(fs, path, "", 0, 0644, 0), 0);
    }
}

static void what_stays_is_listed_exactly_once(void **state)
{
    (void)state;
    struct site site;
    site_open(&site, 2u << 20, 0);
    add_stayers(site.fs);
    struct crew *crew = crew_create("listings", &site);
    crew_add(crew, "churner", 2, churn);
    crew_add(crew, "streamer", 2, list_by_stream);
    crew_add(crew, "lister", 1, list_at_once);
    crew_add(crew, "globber", 1, list_by_glob);
    crew_add(crew, "walker", 1, list_by_walk);
    crew_run(crew);
    crew_destroy(crew);
    site_close(&site);
}

struct shared_stream {
    struct site site;
    memfs_dir *dir;
    _Atomic unsigned seen[STAYERS];
};

static void read_shared_stream(struct crew_member *me)
{
    struct shared_stream *shared = me->context;
    memfs_dirent entry = {.struct_size = sizeof entry};
    for (unsigned round = 0; round < LIST_STEPS; round++) {
        crew_meet(me);
        while (crew_must(me, memfs_readdir(shared->dir, &entry)) == 1)
            if (stayer_number(entry.name) < STAYERS)
                atomic_fetch_add(&shared->seen[stayer_number(entry.name)], 1);
        crew_meet(me);
        if (me->index == 0)
            crew_must(me, memfs_rewinddir(shared->dir));
    }
}

static void threads_that_share_a_stream_divide_its_entries(void **state)
{
    (void)state;
    static struct shared_stream shared;
    site_open(&shared.site, 1u << 20, 0);
    add_stayers(shared.site.fs);
    assert_int_equal(memfs_opendir(shared.site.fs, "/d", &shared.dir), 0);
    struct crew *crew = crew_create("one stream", &shared);
    crew_add(crew, "reader", 3, read_shared_stream);
    crew_run(crew);
    crew_destroy(crew);
    for (unsigned i = 0; i < STAYERS; i++)
        assert_int_equal(shared.seen[i], LIST_STEPS);
    assert_int_equal(memfs_closedir(shared.dir), 0);
    site_close(&shared.site);
}

static void slot_path(struct crew_member *me, char path[32])
{
    snprintf(path, 32, "/tree-%u", crew_random(me, TREE_SLOTS));
}

static void copy_trees(struct crew_member *me)
{
    struct site *site = me->context;
    char path[32];
    for (unsigned i = 0; i < TREE_STEPS; i++) {
        crew_pace(me, i);
        slot_path(me, path);
        crew_allow(me, memfs_copy_tree(site->fs, "/source", path, 0), MEMFS_EEXIST);
        slot_path(me, path);
        crew_allow(me, memfs_remove_tree(site->fs, path), MEMFS_ENOENT);
    }
}

static void list_trees(struct crew_member *me)
{
    struct site *site = me->context;
    char path[64];
    for (unsigned i = 0; i < TREE_STEPS; i++) {
        crew_pace(me, i);
        memfs_list list = {.struct_size = sizeof list};
        slot_path(me, path);
        strcat(path, "/inner");
        int result = memfs_list_dir(site->fs, path, &list);
        if (crew_allow(me, result, MEMFS_ENOENT) != 0)
            continue;
        crew_check(me, list.count == TREE_ENTRIES);
        memfs_list_free(site->fs, &list);
    }
}

static void glob_trees(struct crew_member *me)
{
    struct site *site = me->context;
    for (unsigned i = 0; i < TREE_STEPS; i++) {
        crew_pace(me, i);
        memfs_list list = {.struct_size = sizeof list};
        crew_must(me, memfs_glob(site->fs, "/source/**/e-*", &list));
        crew_check(me, list.count == TREE_ENTRIES);
        memfs_list_free(site->fs, &list);
        crew_must(me, memfs_glob(site->fs, "/tree-?/inner/*", &list));
        crew_check(me, list.count <= (size_t)TREE_SLOTS * TREE_ENTRIES);
        memfs_list_free(site->fs, &list);
    }
}

static void add_source_tree(memfs *fs)
{
    char path[64];
    assert_int_equal(memfs_mkdir_parents(fs, "/source/inner", 0755), 0);
    for (unsigned i = 0; i < TREE_ENTRIES; i++) {
        snprintf(path, sizeof path, "/source/inner/e-%u", i);
        assert_int_equal(memfs_write_file(fs, path, path, sizeof path, 0644, 0), 0);
    }
}

static void a_tree_comes_and_goes_in_one_step(void **state)
{
    (void)state;
    struct site site;
    site_open(&site, 2u << 20, 0);
    add_source_tree(site.fs);
    struct crew *crew = crew_create("trees", &site);
    crew_add(crew, "copier", 3, copy_trees);
    crew_add(crew, "lister", 2, list_trees);
    crew_add(crew, "globber", 1, glob_trees);
    crew_run(crew);
    assert_true(crew_done(crew, "copier") > 0);
    assert_true(crew_done(crew, "lister") > 0);
    crew_destroy(crew);
    site_close(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stays_is_listed_exactly_once),
        cmocka_unit_test(threads_that_share_a_stream_divide_its_entries),
        cmocka_unit_test(a_tree_comes_and_goes_in_one_step),
    };
    return cmocka_run_group_tests_name("listings", tests, NULL, NULL);
}
