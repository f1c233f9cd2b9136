/*
 * Everything at once, in a file system that is always full: at a quota, with
 * large and small pages, on an arena, at the node limit, and when the
 * allocator says no.
 */
#include "storm.h"

#include <memfs/storage.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWNERS 2u
#define STEPS 2000u
#define MOVING_QUOTA_BYTES ((uint64_t)400 << 10)

void storm_prepare(struct storm *storm, unsigned owners)
{
    static const unsigned char bytes[STORM_OWNED_BYTES] = {1};
    char path[32];
    assert_int_equal(memfs_mkdir(storm->site.fs, "/s", 0755), 0);
    for (unsigned i = 0; i < owners; i++) {
        snprintf(path, sizeof path, "/own-%u", i);
        assert_int_equal(memfs_write_file(storm->site.fs, path, bytes, sizeof bytes, 0644, 0), 0);
    }
}

static struct crew *assemble(struct storm *storm, const char *name)
{
    struct crew *crew = crew_create(name, storm);
    crew_add(crew, "writer", 2, storm_write_shared);
    crew_add(crew, "owner", OWNERS, storm_overwrite_owned);
    crew_add(crew, "holder", 1, storm_hold_contents);
    crew_add(crew, "temporary", 1, storm_use_temporary_files);
    crew_add(crew, "memory", 1, storm_use_charged_memory);
    crew_add(crew, "locker", 1, storm_lock_files);
    crew_add(crew, "namer", 2, storm_make_and_remove_names);
    crew_add(crew, "copier", 1, storm_copy_trees);
    crew_add(crew, "lister", 1, storm_list);
    crew_add(crew, "watcher", 1, storm_watch_figures);
    return crew;
}

/* A member that works at a limit must have been refused something, and have got something done. */
static void check_work(const struct crew *crew)
{
    static const char *const roles[] = {"writer", "owner", "holder", "temporary", "memory",
                                        "locker", "namer", "copier", "lister",    "watcher"};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        assert_true(crew_done(crew, roles[i]) > 0);
    assert_true(crew_refused(crew, NULL) > 0);
    assert_int_equal(crew_refused(crew, "owner"), 0);
}

static void open_storm(struct storm *storm, const memfs_config *config, int refusal)
{
    *storm = (struct storm){.refusal = refusal,
                            .refusal_too = refusal,
                            .steps = STEPS,
                            .quota_bytes = config->quota_bytes};
    site_open_with(&storm->site, config);
    storm_prepare(storm, OWNERS);
}

static void close_storm(struct storm *storm, struct crew *crew)
{
    check_work(crew);
    crew_destroy(crew);
    /* What emptying the tree needs (a directory stream) must find room again. */
    assert_int_equal(memfs_remove_tree(storm->site.fs, "/own-0"), 0);
    site_close(&storm->site);
}

static void at_the_quota_all_refusals_are_the_quotas(void **state)
{
    (void)state;
    struct storm storm;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 400u << 10;
    open_storm(&storm, &config, MEMFS_EDQUOT);
    struct crew *crew = assemble(&storm, "storm at the quota");
    crew_run(crew);
    close_storm(&storm, crew);
}

static void small_pages_are_no_different(void **state)
{
    (void)state;
    struct storm storm;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 200u << 10;
    config.page_size = 512;
    open_storm(&storm, &config, MEMFS_EDQUOT);
    struct crew *crew = assemble(&storm, "storm with small pages");
    crew_run(crew);
    close_storm(&storm, crew);
}

/* An arena that is cut up may say no before its quota does. */
static void an_arena_is_no_different(void **state)
{
    (void)state;
    struct storm storm;
    memfs_config config = memfs_config_default();
    config.arena_bytes = 400u << 10;
    config.arena = malloc(config.arena_bytes);
    assert_non_null(config.arena);
    config.quota_bytes = 0;
    open_storm(&storm, &config, MEMFS_EDQUOT);
    storm.refusal_too = MEMFS_ENOMEM;
    struct crew *crew = assemble(&storm, "storm on an arena");
    crew_run(crew);
    close_storm(&storm, crew);
    free(config.arena);
}

static void at_the_node_limit_all_refusals_are_the_limits(void **state)
{
    (void)state;
    struct storm storm;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 0;
    config.node_limit = 20;
    open_storm(&storm, &config, MEMFS_ENOSPC);
    struct crew *crew = assemble(&storm, "storm at the node limit");
    crew_run(crew);
    close_storm(&storm, crew);
}

/*
 * Moves the quota up and down, and looks between the moves at what the allocator has given out. The
 * allocator's own limit stays: it compares a sum that may be old with a limit that would be new.
 */
static void move_quota(struct crew_member *me)
{
    struct storm *storm = me->context;
    struct tracking_allocator *allocator = &storm->site.fixture->allocator;
    uint64_t quota = MOVING_QUOTA_BYTES;
    for (unsigned i = 0; i < storm->steps; i++) {
        crew_pace(me, i);
        uint64_t next = MOVING_QUOTA_BYTES - crew_random(me, 64u << 10);
        crew_check(me, atomic_load(&allocator->held_bytes) <= quota);
        if (crew_allow(me, memfs_set_quota(storm->site.fs, next), MEMFS_EBUSY) == 0)
            quota = next;
        crew_check(me, atomic_load(&allocator->held_bytes) <= quota);
    }
    crew_must(me, memfs_set_quota(storm->site.fs, MOVING_QUOTA_BYTES));
}

static void a_quota_that_moves_holds_at_every_value(void **state)
{
    (void)state;
    struct storm storm;
    memfs_config config = memfs_config_default();
    config.quota_bytes = MOVING_QUOTA_BYTES;
    open_storm(&storm, &config, MEMFS_EDQUOT);
    storm.quota_bytes = 0;
    struct crew *crew = assemble(&storm, "storm under a moving quota");
    crew_add(crew, "mover", 1, move_quota);
    crew_run(crew);
    assert_true(crew_done(crew, "mover") > 1);
    close_storm(&storm, crew);
}

/*
 * Refuses one allocation in some, again and again, for as long as the others work; and, since they
 * may find enough in slabs that are there, the first of its own, which no slab can hold.
 */
static void starve(struct crew_member *me)
{
    struct storm *storm = me->context;
    void *memory = NULL;
    tracking_refuse(&storm->site.fixture->allocator, 1, 1);
    if (crew_allow(me, memfs_charged_alloc(storm->site.fs, 4u << 20, &memory), MEMFS_ENOMEM) == 0)
        crew_must(me, memfs_free(storm->site.fs, memory));
    for (unsigned i = 0; i < storm->steps; i++) {
        crew_pace(me, i);
        tracking_refuse(&storm->site.fixture->allocator, 1 + crew_random(me, 4),
                        crew_random(me, 2) == 0);
        storm_watch_once(me);
    }
}

static void when_the_allocator_says_no_all_refusals_say_so(void **state)
{
    (void)state;
    struct storm storm;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 0;
    open_storm(&storm, &config, MEMFS_ENOMEM);
    struct crew *crew = assemble(&storm, "storm without memory");
    crew_add(crew, "starver", 1, starve);
    crew_run(crew);
    tracking_refuse(&storm.site.fixture->allocator, 0, 0);
    close_storm(&storm, crew);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_the_quota_all_refusals_are_the_quotas),
        cmocka_unit_test(small_pages_are_no_different),
        cmocka_unit_test(an_arena_is_no_different),
        cmocka_unit_test(a_quota_that_moves_holds_at_every_value),
        cmocka_unit_test(at_the_node_limit_all_refusals_are_the_limits),
        cmocka_unit_test(when_the_allocator_says_no_all_refusals_say_so),
    };
    return cmocka_run_group_tests_name("storm", tests, NULL, NULL);
}
