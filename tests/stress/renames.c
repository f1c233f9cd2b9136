/*
 * Renames against each other: directories moved into one another from several
 * threads, and names that are replaced while others open them.
 */
#include "crew.h"
#include "site.h"

#include <stdio.h>
#include <string.h>

#define STEPS 8000u
#define DIRECTORIES 12u
#define TARGET_BYTES 9000u

/* A member that finds the two side by side may move the one into the other. */
static void move_a_into_b(struct crew_member *me)
{
    struct site *site = me->context;
    for (unsigned i = 0; i < STEPS; i++) {
        crew_pace(me, i);
        crew_allow(me, memfs_rename(site->fs, "/a", "/b/deep/a", 0), MEMFS_ENOENT, MEMFS_EINVAL);
        crew_allow(me, memfs_rename(site->fs, "/b/deep/a", "/a", 0), MEMFS_ENOENT);
    }
}

static void move_b_into_a(struct crew_member *me)
{
    struct site *site = me->context;
    for (unsigned i = 0; i < STEPS; i++) {
        crew_pace(me, i);
        crew_allow(me, memfs_rename(site->fs, "/b", "/a/deep/b", 0), MEMFS_ENOENT, MEMFS_EINVAL);
        crew_allow(me, memfs_rename(site->fs, "/a/deep/b", "/b", 0), MEMFS_ENOENT);
    }
}

static uint64_t directories_below_root(struct site *site)
{
    memfs_tree_info info;
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    assert_int_equal(memfs_tree_usage(site->fs, "/", &info), 0);
    return info.directories - 1;
}

static void directories_renamed_into_each_other_make_no_loop(void **state)
{
    (void)state;
    struct site site;
    site_open(&site, 1u << 20, 0);
    assert_int_equal(memfs_mkdir_parents(site.fs, "/a/deep", 0755), 0);
    assert_int_equal(memfs_mkdir_parents(site.fs, "/b/deep", 0755), 0);
    struct crew *crew = crew_create("opposite renames", &site);
    crew_add(crew, "a into b", 2, move_a_into_b);
    crew_add(crew, "b into a", 2, move_b_into_a);
    crew_run(crew);
    assert_true(crew_done(crew, "a into b") > 0);
    assert_true(crew_done(crew, "b into a") > 0);
    crew_destroy(crew);
    assert_int_equal(directories_below_root(&site), 4);
    site_close(&site);
}

/* Directories d0, d1, ... that every member may move into any other, found by their handles. */
struct forest {
    struct site site;
    memfs_dir *open[DIRECTORIES + 1]; /* the last is the root */
};

static void move_at_random(struct crew_member *me)
{
    struct forest *forest = me->context;
    char name[8];
    for (unsigned i = 0; i < STEPS; i++) {
        uint32_t from = crew_random(me, DIRECTORIES + 1), to = crew_random(me, DIRECTORIES + 1);
        snprintf(name, sizeof name, "d%u", crew_random(me, DIRECTORIES));
        crew_allow(me,
                   memfs_renameat(forest->site.fs, forest->open[from], name, forest->open[to], name,
                                  MEMFS_RENAME_NOREPLACE),
                   MEMFS_ENOENT, MEMFS_EINVAL, MEMFS_EEXIST);
    }
}

static int count_entry(void *context, const memfs_walk_entry *entry)
{
    unsigned *directories = context;
    *directories += entry->event == MEMFS_WALK_ENTER;
    return MEMFS_WALK_CONTINUE;
}

/* While they move a walk may miss a directory or meet it again; but it comes to an end. */
static void walk_the_forest(struct crew_member *me)
{
    struct forest *forest = me->context;
    for (unsigned i = 0; i < STEPS / 20; i++) {
        unsigned directories = 0;
        crew_must(me, memfs_walk(forest->site.fs, "/", count_entry, &directories));
        crew_check(me, directories >= 1);
    }
}

static void plant(struct forest *forest)
{
    char path[8];
    for (unsigned i = 0; i < DIRECTORIES; i++) {
        snprintf(path, sizeof path, "/d%u", i);
        assert_int_equal(memfs_mkdir(forest->site.fs, path, 0755), 0);
        assert_int_equal(memfs_opendir(forest->site.fs, path, &forest->open[i]), 0);
    }
    assert_int_equal(memfs_opendir(forest->site.fs, "/", &forest->open[DIRECTORIES]), 0);
}

static void directories_moved_at_random_stay_one_tree(void **state)
{
    (void)state;
    struct forest forest;
    site_open(&forest.site, 1u << 20, 0);
    plant(&forest);
    struct crew *crew = crew_create("forest", &forest);
    crew_add(crew, "mover", 4, move_at_random);
    crew_add(crew, "walker", 1, walk_the_forest);
    crew_run(crew);
    assert_true(crew_done(crew, "mover") > 0);
    crew_destroy(crew);
    assert_int_equal(directories_below_root(&forest.site), DIRECTORIES);
    for (unsigned i = 0; i <= DIRECTORIES; i++)
        assert_int_equal(memfs_closedir(forest.open[i]), 0);
    site_close(&forest.site);
}

static void fill_uniformly(struct crew_member *me, unsigned char bytes[TARGET_BYTES])
{
    memset(bytes, 1 + (int)crew_random(me, 255), TARGET_BYTES);
}

static void rename_over_target(struct crew_member *me)
{
    struct site *site = me->context;
    unsigned char bytes[TARGET_BYTES];
    char path[32];
    snprintf(path, sizeof path, "/new-%u", me->index);
    for (unsigned i = 0; i < STEPS; i++) {
        crew_pace(me, i);
        fill_uniformly(me, bytes);
        crew_must(me, memfs_write_file(site->fs, path, bytes, sizeof bytes, 0644, 0));
        crew_must(me, memfs_rename(site->fs, path, "/d/target", 0));
    }
}

static void exchange_target(struct crew_member *me)
{
    struct site *site = me->context;
    for (unsigned i = 0; i < STEPS; i++) {
        crew_pace(me, i);
        crew_must(me, memfs_rename(site->fs, "/other", "/d/target", MEMFS_RENAME_EXCHANGE));
    }
}

static void overwrite_target(struct crew_member *me)
{
    struct site *site = me->context;
    unsigned char bytes[TARGET_BYTES];
    for (unsigned i = 0; i < STEPS; i++) {
        crew_pace(me, i);
        fill_uniformly(me, bytes);
        if (crew_random(me, 2) == 0)
            crew_must(me, memfs_write_file(site->fs, "/d/target", bytes, sizeof bytes, 0644, 0));
        else
            crew_must(me, memfs_copy(site->fs, "/other", "/d/target", 0));
    }
}

static void open_target(struct crew_member *me)
{
    struct site *site = me->context;
    unsigned char bytes[TARGET_BYTES];
    for (unsigned i = 0; i < STEPS; i++) {
        crew_pace(me, i);
        memfs_file *file = NULL;
        crew_must(me, memfs_open(site->fs, "/d/target", MEMFS_O_READ, 0, &file));
        crew_check(me, crew_must(me, memfs_read(file, bytes, sizeof bytes)) == sizeof bytes);
        crew_check(me, site_is_uniform(bytes, sizeof bytes));
        crew_must(me, memfs_close(file));
        crew_check(me, memfs_is_file(site->fs, "/d/target") == 1);
    }
}

static void the_target_of_a_rename_is_never_missing(void **state)
{
    (void)state;
    struct site site;
    site_open(&site, 1u << 20, 0);
    static const unsigned char zeros[TARGET_BYTES];
    assert_int_equal(memfs_mkdir(site.fs, "/d", 0755), 0);
    assert_int_equal(memfs_write_file(site.fs, "/d/target", zeros, sizeof zeros, 0644, 0), 0);
    assert_int_equal(memfs_write_file(site.fs, "/other", zeros, sizeof zeros, 0644, 0), 0);
    struct crew *crew = crew_create("targets", &site);
    crew_add(crew, "renamer", 2, rename_over_target);
    crew_add(crew, "exchanger", 1, exchange_target);
    crew_add(crew, "overwriter", 1, overwrite_target);
    crew_add(crew, "opener", 2, open_target);
    crew_run(crew);
    crew_destroy(crew);
    site_close(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directories_renamed_into_each_other_make_no_loop),
        cmocka_unit_test(directories_moved_at_random_stay_one_tree),
        cmocka_unit_test(the_target_of_a_rename_is_never_missing),
    };
    return cmocka_run_group_tests_name("renames", tests, NULL, NULL);
}
