/*
 * A full file system never corrupts a database: operations against the quota at every count of
 * pages, and against the allocator refusing at every call, in every mode and size.
 *
 *     sqlite_sweep [512|4096|65536|all|pairs] [--thorough] [--step BYTES]
 *                  [--only OPERATION] [--verbose]
 *
 * The table of dimensions is `dimensions`. All combinations of those above the line are examined;
 * those below it (`mixed`) take turns, unless --thorough, which combines them too and steps an
 * eighth of a page. `--step 32` is every byte: the costs that the allocator names are multiples of
 * 32. What was examined is printed, value by value, and a value that saw no refusal and no success
 * fails the test.
 */
#include "sweep.h"

#include <stdlib.h>
#include <string.h>

enum { RUNS_MAX = 200000, VALUES_MAX = 16 };

struct tally {
    unsigned points, by_quota, by_allocator, done, torn;
};

enum dimension {
    OPERATION,
    MODE,
    DATABASES,
    SPILL,
    PAGE,
    LOCKING,
    SHARING,
    ERASING,
    RESERVE,
    TREE_PAGE
};
enum { DIMENSIONS = TREE_PAGE + 1, MIXED = LOCKING };

static struct {
    const char *name;
    unsigned count; /* filled in by main() where a table of its own says it */
    const char *values[VALUES_MAX];
    struct tally tallies[VALUES_MAX];
} dimensions[DIMENSIONS] = {
    [OPERATION] = {.name = "operation"},
    [MODE] = {.name = "mode"},
    [DATABASES] = {.name = "databases", .count = 2, .values = {"one", "two"}},
    [SPILL] = {.name = "cache", .count = 2, .values = {"large", "spills"}},
    [PAGE] = {.name = "page size", .count = 3, .values = {"512", "4096", "65536"}},
    /* mixed */
    [LOCKING] = {.name = "locking", .count = 2, .values = {"normal", "exclusive"}},
    [SHARING] = {.name = "pages", .count = 2, .values = {"owned", "shared by copies"}},
    [ERASING] = {.name = "what is deleted", .count = 2, .values = {"stays", "is overwritten"}},
    [RESERVE] = {.name = "reserve", .count = 2, .values = {"none", "default"}},
    [TREE_PAGE] = {.name = "page of the tree", .count = 3, .values = {"4096", "65536", "512"}},
};

static struct {
    bool is_thorough, is_verbose;
    bool is_of_pairs;    /* of modes, and nothing else */
    unsigned step_bytes; /* 0: a page */
    int page;            /* index of the only page size; -1: all */
    const char *only;
} options = {.page = -1};

static unsigned chosen[DIMENSIONS];
static struct tally *const total = &(struct tally){0};

static struct fixture *create_tree(uint32_t config_flags)
{
    memfs_config config = memfs_config_default();
    config.flags = config_flags;
    config.quota_bytes = (uint64_t)64 << 20;
    config.page_size = (uint32_t)atoi(dimensions[TREE_PAGE].values[chosen[TREE_PAGE]]);
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    unsigned flags = chosen[RESERVE] != 0 ? 0 : MEMFS_SQLITE_REGISTER_NO_EMERGENCY_RESERVE;
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, flags), 0);
    return f;
}

static void destroy_tree(struct fixture *f)
{
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);
    fixture_destroy(f);
}

static void note(struct tally *tally, const struct tally *point)
{
    tally->points++;
    tally->by_quota += point->by_quota;
    tally->by_allocator += point->by_allocator;
    tally->done += point->done;
    tally->torn += point->torn;
}

static void note_point(const struct tally *point)
{
    note(total, point);
    for (int i = 0; i < DIMENSIONS; i++)
        note(&dimensions[i].tallies[chosen[i]], point);
}

/* Looks at the databases after a run, each time in another way; then the next run can begin. */
static void judge(struct sweep *sweep, int rc, unsigned turn, bool by_quota, bool was_refused)
{
    enum sweep_view view = turn % 3 == 0   ? SWEEP_OTHER_CONNECTION
                           : turn % 3 == 1 ? SWEEP_REOPENED
                                           : SWEEP_SAME_CONNECTION;
    enum sweep_result result = sweep_check(sweep, rc, view);
    quota_lift(sweep->f);
    note_point(&(struct tally){.by_quota = by_quota && was_refused,
                               .by_allocator = !by_quota && was_refused,
                               .done = rc == SQLITE_OK,
                               .torn = result == SWEEP_TORN});
    if (result == SWEEP_UNCHANGED) {
        if (view == SWEEP_REOPENED)
            sweep_resume(sweep);
        return;
    }
    struct fixture *f = sweep->f;
    const struct sweep_case *what = sweep->what;
    sweep_end(sweep);
    sweep_begin(sweep, f, what);
}

/* With a reserve, larger than any journal here: from a few pages before ordinary data may grow. */
static uint64_t least_room(struct fixture *f, unsigned step)
{
    memfs_statfs_info info = statfs_of(f->fs);
    return info.emergency_reserve_bytes > 4u * step ? info.emergency_reserve_bytes - 4u * step : 0;
}

/* A page more each time, and some bytes, until the operation passes.  Where a database's page is
 * larger than the tree's, one of those. */
static void sweep_quota(struct sweep *sweep)
{
    unsigned unit = (unsigned)atoi(dimensions[TREE_PAGE].values[chosen[TREE_PAGE]]);
    if (unit < (unsigned)sweep->what->page_size)
        unit = (unsigned)sweep->what->page_size;
    unsigned step = options.step_bytes != 0 ? options.step_bytes : unit;
    if (options.step_bytes == 0 && options.is_thorough)
        step = unit / 8;
    uint64_t least = least_room(sweep->f, step);
    int rc = SQLITE_FULL;
    for (unsigned turn = 0; rc != SQLITE_OK; turn++) {
        assert_true(turn < RUNS_MAX);
        sweep_prepare(sweep);
        quota_leave(sweep->f, least + (uint64_t)turn * step + turn * 1056u % step);
        rc = sweep_run(sweep);
        if (rc != SQLITE_OK && rc != SQLITE_FULL)
            fail_msg("code %d at the quota", rc);
        judge(sweep, rc, turn, true, rc != SQLITE_OK);
    }
}

/* Refuses the first allocation of the operation, then the second ... until none is refused; unless
 * --thorough, with growing steps after the eighth. */
static void sweep_allocator(struct sweep *sweep, int every_later)
{
    bool was_refused = true;
    for (uint64_t take = 1; was_refused; take += options.is_thorough ? 1 : 1 + take / 8) {
        assert_true(take < RUNS_MAX);
        sweep_prepare(sweep);
        tracking_refuse(&sweep->f->allocator, take, every_later);
        int rc = sweep_run(sweep);
        was_refused = atomic_load(&sweep->f->allocator.takes) >= take;
        tracking_refuse(&sweep->f->allocator, 0, 0);
        if (rc != SQLITE_OK && rc != SQLITE_IOERR_NOMEM && rc != SQLITE_NOMEM)
            fail_msg("code %d at refused allocation %d", rc, (int)take);
        if (rc != SQLITE_OK && !was_refused)
            fail_msg("code %d without a refusal", rc);
        judge(sweep, rc, (unsigned)take, false, was_refused);
    }
}

/* The quota is swept as users have it; the allocator, where it sees each object. */
static void examine_case(const struct sweep_case *what, uint32_t random)
{
    for (int i = 0; options.is_verbose && i < DIMENSIONS; i++)
        print_message("%s%s", dimensions[i].values[chosen[i]], i + 1 < DIMENSIONS ? ", " : "\n");
    struct fixture *f = create_tree(0);
    struct sweep sweep;
    sweep_begin(&sweep, f, what);
    sweep_quota(&sweep);
    sweep_end(&sweep);
    destroy_tree(f);
    f = create_tree(MEMFS_CREATE_UNPOOLED);
    sweep_begin(&sweep, f, what);
    if (options.is_thorough || random % 2 == 0)
        sweep_allocator(&sweep, 0);
    if (options.is_thorough || random % 2 == 1)
        sweep_allocator(&sweep, 1);
    sweep_end(&sweep);
    destroy_tree(f);
}

static void examine(uint32_t random)
{
    struct sweep_case what = {
        .operation = &sweep_operations[chosen[OPERATION]],
        .mode = &db_modes[chosen[MODE]],
        .page_size = atoi(dimensions[PAGE].values[chosen[PAGE]]),
        .has_attached = chosen[DATABASES] != 0,
        .spills = chosen[SPILL] != 0,
        .is_exclusive = chosen[LOCKING] != 0,
        .is_shared = chosen[SHARING] != 0,
        .erases = chosen[ERASING] != 0,
    };
    if (!what.operation->has_savepoints || what.mode->undoes_statements)
        examine_case(&what, random);
}

/* Combines what is left of the dimensions; the mixed ones take turns, with no pattern that another
 * dimension follows. */
static void combine(int dimension)
{
    static uint32_t random = 1;
    if (dimension == DIMENSIONS || (dimension == MIXED && !options.is_thorough)) {
        random = random * 1664525u + 1013904223u;
        uint32_t mix = random >> 8;
        for (int i = MIXED; i < DIMENSIONS && !options.is_thorough; i++) {
            chosen[i] = mix % dimensions[i].count;
            mix /= dimensions[i].count;
        }
        if (!options.is_thorough && chosen[PAGE] == 2 && chosen[TREE_PAGE] == 2)
            chosen[TREE_PAGE] = 0; /* 128 pages for one take too long */
        examine(mix);
        return;
    }
    for (unsigned value = 0; value < dimensions[dimension].count; value++) {
        if (dimension == PAGE && options.page >= 0 && value != (unsigned)options.page)
            continue;
        chosen[dimension] = value;
        combine(dimension + 1);
    }
}

static void at_every_quota_and_refused_allocation_it_is_whole_or_undone(void **state)
{
    static bool is_whole = true; /* a failure leaves its file system registered */
    if (!is_whole)
        skip();
    is_whole = false;
    chosen[OPERATION] = (unsigned)(uintptr_t)*state;
    combine(OPERATION + 1);
    is_whole = true;
}

static void print_tally(const char *name, const char *value, const struct tally *tally)
{
    print_message("%-16s %-22s %7u points, %7u refused by quota, %6u by allocator, %6u done, "
                  "%3u torn\n",
                  name, value, tally->points, tally->by_quota, tally->by_allocator, tally->done,
                  tally->torn);
}

/* Two databases, each in a mode of its own. */
static void in_every_pair_of_modes_both_are_whole_or_both_undone(void **state)
{
    (void)state;
    for (size_t pair = 0; pair < db_mode_count * db_mode_count; pair++) {
        struct sweep_case what = {
            .operation = &sweep_operations[pair % 3],
            .mode = &db_modes[pair / db_mode_count],
            .attached_mode = &db_modes[pair % db_mode_count],
            .page_size = 1024,
            .spills = pair % 2 != 0,
            .has_attached = true,
            .erases = pair % 5 >= 2,
        };
        chosen[OPERATION] = (unsigned)(pair % 3);
        chosen[MODE] = (unsigned)(pair / db_mode_count);
        chosen[SPILL] = what.spills;
        chosen[DATABASES] = 1;
        examine_case(&what, (uint32_t)pair);
    }
    print_tally("all pairs", "", total);
    assert_true(total->by_quota > 0 && total->by_allocator > 0 && total->done > 0);
}

static void every_value_of_every_dimension_saw_refusals_and_successes(void **state)
{
    (void)state;
    for (int i = 0; i < DIMENSIONS; i++) {
        for (unsigned value = 0; value < dimensions[i].count; value++) {
            const struct tally *tally = &dimensions[i].tallies[value];
            bool is_left_out = (i == PAGE && options.page >= 0 &&
                                value != (unsigned)options.page) ||
                               (i == TREE_PAGE && value == 2 && options.page == 2) ||
                               (i == OPERATION && options.only != NULL &&
                                strcmp(options.only, dimensions[i].values[value]) != 0);
            print_tally(dimensions[i].name, dimensions[i].values[value], tally);
            if (!is_left_out &&
                (tally->by_quota == 0 || tally->by_allocator == 0 || tally->done == 0))
                fail_msg("%s %s: nothing was examined", dimensions[i].name,
                         dimensions[i].values[value]);
        }
    }
    print_tally("all", "", total);
}

static void fill_in_tables(void)
{
    dimensions[OPERATION].count = (unsigned)sweep_operation_count;
    for (size_t i = 0; i < sweep_operation_count; i++)
        dimensions[OPERATION].values[i] = sweep_operations[i].name;
    dimensions[MODE].count = (unsigned)db_mode_count;
    for (size_t i = 0; i < db_mode_count; i++)
        dimensions[MODE].values[i] = db_modes[i].name;
}

static bool read_options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--thorough") == 0)
            options.is_thorough = true;
        else if (strcmp(argv[i], "--verbose") == 0)
            options.is_verbose = true;
        else if (strcmp(argv[i], "--step") == 0 && i + 1 < argc)
            options.step_bytes = (unsigned)atoi(argv[++i]);
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            options.only = argv[++i];
        else if (strcmp(argv[i], "512") == 0)
            options.page = 0;
        else if (strcmp(argv[i], "4096") == 0)
            options.page = 1;
        else if (strcmp(argv[i], "65536") == 0)
            options.page = 2;
        else if (strcmp(argv[i], "pairs") == 0)
            options.is_of_pairs = true;
        else if (strcmp(argv[i], "all") != 0)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[VALUES_MAX + 1];
    size_t count = 0;
    if (!read_options(argc, argv)) {
        print_error("usage: sqlite_sweep [512|4096|65536|all|pairs] [--thorough] [--step BYTES] "
                    "[--only OPERATION] [--verbose]\n");
        return 2;
    }
    fill_in_tables();
    if (options.is_of_pairs) {
        const struct CMUnitTest pairs[] = {
            cmocka_unit_test(in_every_pair_of_modes_both_are_whole_or_both_undone),
        };
        return cmocka_run_group_tests(pairs, NULL, NULL);
    }
    for (unsigned i = 0; i < dimensions[OPERATION].count; i++) {
        if (options.only != NULL && strcmp(options.only, dimensions[OPERATION].values[i]) != 0)
            continue;
        tests[count++] = (struct CMUnitTest){
            .name = dimensions[OPERATION].values[i],
            .test_func = at_every_quota_and_refused_allocation_it_is_whole_or_undone,
            .initial_state = (void *)(uintptr_t)i,
        };
    }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(
        every_value_of_every_dimension_saw_refusals_and_successes);
    return _cmocka_run_group_tests("sweep", tests, count, NULL, NULL);
}
