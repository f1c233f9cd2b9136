/*
 * memfs against the reference model, under weather: fair, a quota that is
 * nearly used up, an allocator that refuses, a node limit that is nearly
 * reached.  A refused operation is not run in the model, so whatever it changed
 * shows as a difference.  What frees must never be refused.
 */
#include "comparison.h"
#include "fixture.h"
#include "memfs_executor.h"
#include "model.h"
#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <memfs/storage.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FAIR_QUOTA_BYTES ((uint64_t)48 << 20)
#define FAIR_NODE_LIMIT 400
#define OPERATIONS_PER_WEATHER 40
#define OPERATIONS_PER_COMPARISON 500
#define BALLAST_BLOCKS 400

static struct options options = {.seed = 1, .rounds = 40, .operations = 3000, .audit = 1};

struct round {
    struct fixture *fixture;
    struct memfs_runner runner;
    struct model *model;
    struct comparison comparison;
    struct generator weather;
    void *ballast[BALLAST_BLOCKS]; /* charged memory that takes what is free */
    size_t ballast_count;
    uint64_t refusals;
};

static memfs_statfs_info figures(memfs *fs)
{
    memfs_statfs_info info = {.struct_size = sizeof info};
    assert_int_equal(memfs_statfs(fs, &info), 0);
    return info;
}

/* Leaves `room` bytes and a page at most, however many pages are free in what is committed. */
static void take_ballast(struct round *round, uint64_t room)
{
    memfs_statfs_info info = figures(round->fixture->fs);
    uint64_t block = (uint64_t)1 << 20;
    while (info.available_bytes > room + info.page_size && block >= info.page_size &&
           round->ballast_count < BALLAST_BLOCKS) {
        uint64_t most = info.available_bytes - room;
        if (memfs_charged_alloc(round->fixture->fs, (size_t)(block < most ? block : most),
                                &round->ballast[round->ballast_count]) == 0)
            round->ballast_count++;
        else
            block /= 2;
        info = figures(round->fixture->fs);
    }
}

static void drop_ballast(struct round *round)
{
    while (round->ballast_count > 0)
        memfs_free(round->fixture->fs, round->ballast[--round->ballast_count]);
}

static void make_fair(struct round *round)
{
    drop_ballast(round);
    tracking_refuse(&round->fixture->allocator, 0, 0);
    fixture_set_quota(round->fixture, FAIR_QUOTA_BYTES);
    assert_int_equal(memfs_set_node_limit(round->fixture->fs, FAIR_NODE_LIMIT), 0);
}

static void change_weather(struct round *round)
{
    make_fair(round);
    memfs_statfs_info info = figures(round->fixture->fs);
    uint64_t room = 0;
    switch (generator_below(&round->weather, 5)) {
    case 0:
        room = generator_below(&round->weather, (uint64_t)info.page_size * 10 + 512);
        fixture_set_quota(round->fixture, info.committed_bytes + room);
        if (generator_below(&round->weather, 4) != 0)
            take_ballast(round, room);
        break;
    case 1:
        tracking_refuse(&round->fixture->allocator, 1 + generator_below(&round->weather, 60),
                        generator_below(&round->weather, 2) == 0);
        break;
    case 2:
        room = generator_below(&round->weather, 5);
        if (info.files + info.directories + info.symlinks + room <= FAIR_NODE_LIMIT)
            assert_int_equal(
                memfs_set_node_limit(round->fixture->fs,
                                     info.files + info.directories + info.symlinks + room),
                0);
        break;
    default:
        break;
    }
}

static int must_succeed(const struct round *round, const struct operation *o)
{
    struct look file;
    switch (o->kind) {
    case OP_CLOSE:
    case OP_CUT_PREALLOCATED:
    case OP_READ:
    case OP_SEEK:
    case OP_RMDIR:
    case OP_UNLINK:
    case OP_CLOSEDIR:
    case OP_READLINK:
    case OP_VERSION_TAKE:
    case OP_VERSION_RESTORE:
    case OP_VERSION_DROP:
    case OP_VERSION_READ:
    case OP_SNAPSHOT_REMOVE:
        return 1;
    case OP_FTRUNCATE:
        round->comparison.reference.look_open(round->model, o->slot, &file);
        return file.error == 0 && o->size >= 0 && (uint64_t)o->size <= file.size;
    default:
        return 0;
    }
}

/* The refusal names the limit that was in the way. */
static int is_right_refusal(const struct round *round, int64_t result)
{
    memfs_refusal last = {.struct_size = sizeof last};
    assert_int_equal(memfs_last_refusal(round->fixture->fs, &last), 0);
    int is_right = last.error == result;
    if (result == MEMFS_ENOMEM)
        is_right &= round->fixture->allocator.refuse_at != 0;
    else
        is_right &= last.wanted > last.available;
    if (!is_right)
        fprintf(stderr, "the last refusal: %s, wanted %" PRIu64 ", available %" PRIu64 "\n",
                memfs_error_name(last.error), last.wanted, last.available);
    return is_right;
}

static int counts_agree(const struct round *round)
{
    memfs_statfs_info info = figures(round->fixture->fs);
    const struct model *model = round->model;
    int same = info.files == model_count(model, MEMFS_KIND_FILE) &&
               info.directories == model_count(model, MEMFS_KIND_DIRECTORY) &&
               info.symlinks == model_count(model, MEMFS_KIND_SYMLINK) &&
               info.orphans == model_orphans(model) &&
               info.committed_bytes == round->fixture->allocator.held_bytes &&
               info.used_bytes <= info.committed_bytes;
    if (!same)
        fprintf(stderr,
                "differs: files %" PRIu64 ", %" PRIu64 "; directories %" PRIu64 ", %" PRIu64
                "; symlinks %" PRIu64 ", %" PRIu64 "; orphans %" PRIu64 ", %" PRIu64
                "; committed %" PRIu64 ", %" PRIu64 "; used %" PRIu64 "\n",
                info.files, model_count(model, MEMFS_KIND_FILE), info.directories,
                model_count(model, MEMFS_KIND_DIRECTORY), info.symlinks,
                model_count(model, MEMFS_KIND_SYMLINK), info.orphans, model_orphans(model),
                info.committed_bytes, round->fixture->allocator.held_bytes, info.used_bytes);
    return same;
}

/* A refused call keeps nothing that it took, and gives back nothing either. */
static int uses_the_same(const struct round *round, uint64_t used_before)
{
    uint64_t used = figures(round->fixture->fs).used_bytes;
    if (used != used_before)
        fprintf(stderr, "a refused call changed what is used: %" PRIu64 ", then %" PRIu64 "\n",
                used_before, used);
    return used == used_before;
}

static int step(struct round *round, const struct operation *o, uint64_t index)
{
    int unrefusable = must_succeed(round, o);
    uint64_t used = figures(round->fixture->fs).used_bytes;
    struct outcome out;
    int good = comparison_step(&round->comparison, o, &out);
    if (good && is_refusal(out.result)) {
        round->refusals++;
        good = !unrefusable && is_right_refusal(round, out.result);
        if (!good)
            fprintf(stderr, "refused what must not be, or with the wrong reason\n");
        good = good && uses_the_same(round, used);
    }
    if (good && index % options.audit == 0)
        good = memfs_audit(round->fixture->fs) == 0;
    good = good && counts_agree(round);
    if (!good)
        operation_print(o, &out);
    return good;
}

static void log_to_stderr(void *context, int level, const char *message)
{
    (void)context;
    if (level >= MEMFS_LOG_ERROR)
        fprintf(stderr, "memfs: %s\n", message);
}

static void begin(struct round *round, uint64_t seed, uint32_t page_size)
{
    memset(round, 0, sizeof *round);
    memfs_config config = memfs_config_default();
    config.quota_bytes = FAIR_QUOTA_BYTES;
    config.page_size = page_size;
    config.node_limit = FAIR_NODE_LIMIT;
    config.log = log_to_stderr;
    round->fixture = fixture_create(&config);
    assert_non_null(round->fixture);
    round->runner.fs = round->fixture->fs;
    round->model = model_create(page_size);
    round->comparison.subject = memfs_executor(&round->runner);
    round->comparison.reference = model_executor(round->model);
    round->comparison.verbose = options.verbose;
    generator_init(&round->weather, ~seed, 0, 0, 0);
}

static void end(struct round *round)
{
    drop_ballast(round);
    memfs_runner_close(&round->runner);
    fixture_destroy(round->fixture);
    model_destroy(round->model);
}

static uint64_t run_round(uint64_t seed, uint32_t page_size)
{
    struct round round;
    struct generator generator;
    begin(&round, seed, page_size);
    generator_init(&generator, seed, page_size, (int64_t)page_size * 300, 0);
    for (uint64_t i = 1; i <= options.operations; i++) {
        struct operation operation;
        if (i % OPERATIONS_PER_WEATHER == 0)
            change_weather(&round);
        generator_operation(&generator, &operation);
        int good = step(&round, &operation, i);
        if (good && i % OPERATIONS_PER_COMPARISON == 0) {
            make_fair(&round);
            good = comparison_trees(&round.comparison);
        }
        if (!good)
            fail_msg("operation %" PRIu64 " of page size %" PRIu32 "; repeat: --seed %" PRIu64
                     " --rounds 1 --operations %" PRIu64 " --verbose",
                     i, page_size, seed, i);
    }
    make_fair(&round);
    assert_true(comparison_trees(&round.comparison));
    end(&round);
    return round.refusals;
}

static void run_rounds(uint32_t page_size)
{
    uint64_t refusals = 0;
    for (uint64_t i = 0; i < options.rounds; i++)
        refusals += run_round(options.seed + i, page_size);
    print_message("page size %" PRIu32 ": seeds %" PRIu64 " to %" PRIu64 ", %" PRIu64
                  " operations, %" PRIu64 " refused\n",
                  page_size, options.seed, options.seed + options.rounds - 1,
                  options.rounds * options.operations, refusals);
    if (options.rounds * options.operations >= 10000)
        assert_true(refusals > 0);
}

static void agrees_with_the_model_on_the_smallest_pages(void **state)
{
    (void)state;
    run_rounds(MEMFS_PAGE_SIZE_MIN);
}

static void agrees_with_the_model_on_usual_pages(void **state)
{
    (void)state;
    run_rounds(MEMFS_PAGE_SIZE_DEFAULT);
}

static void agrees_with_the_model_on_the_largest_pages(void **state)
{
    (void)state;
    run_rounds(MEMFS_PAGE_SIZE_MAX);
}

int main(int argc, char **argv)
{
    if (!options_parse(&options, argc, argv))
        return 2;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_model_on_the_smallest_pages),
        cmocka_unit_test(agrees_with_the_model_on_usual_pages),
        cmocka_unit_test(agrees_with_the_model_on_the_largest_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
