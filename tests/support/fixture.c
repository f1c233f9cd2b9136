/*
 * Making and unmaking the file system of a test.
 *
 * The allocator's limit is the quota itself: the tracking allocator is told of
 * every byte, so there is no slack, and a file system that takes first and
 * counts later is caught at that instant.
 */
#include "fixture.h"

#include <memfs/storage.h>

#include <stdio.h>
#include <stdlib.h>

#define USUAL_QUOTA_BYTES ((uint64_t)16 << 20)
#define START_OF_TIME_NS INT64_C(1700000000000000000)

static int64_t read_clock(void *context)
{
    struct fixture *fixture = context;
    return atomic_fetch_add(&fixture->now_ns, 1) + 1;
}

static int create_instance(struct fixture *fixture, struct tracking_allocator *allocator,
                           const memfs_config *wanted, memfs **out)
{
    memfs_config config = *wanted;
    tracking_allocator_init(allocator, config.quota_bytes);
    if (config.arena == NULL)
        config.allocator = tracking_hooks(allocator);
    config.clock = read_clock;
    config.clock_context = fixture;
    if (getenv("MEMFS_TEST_UNPOOLED") != NULL)
        config.flags |= MEMFS_CREATE_UNPOOLED;
    fixture->refused = config.refused;
    fixture->refused_context = config.refused_context;
    fixture->is_pooled = (config.flags & MEMFS_CREATE_UNPOOLED) == 0;
    return memfs_create(&config, out);
}

struct fixture *fixture_create(const memfs_config *config)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL)
        abort();
    atomic_init(&fixture->now_ns, START_OF_TIME_NS);
    tracking_allocator_init(&fixture->other_allocator, 0);
    if (create_instance(fixture, &fixture->allocator, config, &fixture->fs) == 0)
        return fixture;
    tracking_assert_empty(&fixture->allocator);
    free(fixture);
    return NULL;
}

/* Whether the instance was sound and nothing was left open in it; it is gone in either case. */
static int destroy_instance(memfs *fs)
{
    int audit = memfs_audit(fs);
    if (audit != 0)
        fprintf(stderr, "fixture: the audit says %s\n", memfs_error_name(audit));
    int destroy = memfs_destroy(fs, 0);
    if (destroy != 0) {
        fprintf(stderr, "fixture: memfs_destroy() says %s\n", memfs_error_name(destroy));
        if (memfs_destroy(fs, MEMFS_DESTROY_FORCE) != 0)
            abort();
    }
    return audit == 0 && destroy == 0;
}

/* Fillers are linked through their first bytes. */
static void free_fillers(struct fixture *fixture)
{
    while (fixture->fillers != NULL) {
        void *filler = fixture->fillers;
        fixture->fillers = *(void **)filler;
        if (memfs_free(fixture->fs, filler) != 0)
            abort();
    }
}

static int destroy_all(struct fixture *fixture)
{
    free_fillers(fixture);
    int sound = destroy_instance(fixture->fs);
    if (fixture->other != NULL)
        sound &= destroy_instance(fixture->other);
    tracking_assert_empty(&fixture->allocator);
    tracking_assert_empty(&fixture->other_allocator);
    free(fixture);
    return sound;
}

void fixture_destroy(struct fixture *fixture)
{
    if (!destroy_all(fixture))
        abort();
}

int fixture_setup(void **state)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = USUAL_QUOTA_BYTES;
    struct fixture *fixture = fixture_create(&config);
    if (fixture == NULL)
        return -1;
    if (create_instance(fixture, &fixture->other_allocator, &config, &fixture->other) != 0) {
        fixture_destroy(fixture);
        return -1;
    }
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    return destroy_all(*state) ? 0 : -1;
}

static void set_quota(struct fixture *fixture, uint64_t quota_bytes)
{
    atomic_store(&fixture->allocator.limit_bytes, 0);
    int result = memfs_set_quota(fixture->fs, quota_bytes);
    if (result != 0) {
        fprintf(stderr, "fixture: memfs_set_quota(%llu) says %s\n", (unsigned long long)quota_bytes,
                memfs_error_name(result));
        abort();
    }
    atomic_store(&fixture->allocator.limit_bytes, quota_bytes);
}

void fixture_set_quota(struct fixture *fixture, uint64_t quota_bytes)
{
    free_fillers(fixture);
    set_quota(fixture, quota_bytes);
}

static memfs_statfs_info figures_of(memfs *fs)
{
    memfs_statfs_info info = {.struct_size = sizeof info};
    if (memfs_statfs(fs, &info) != 0)
        abort();
    return info;
}

/* The looking reserve goes with the quota, but more slowly. */
static void set_quota_above_looking(struct fixture *fixture, uint64_t bytes)
{
    uint64_t before = 0, quota = bytes;
    while (quota != before) {
        set_quota(fixture, quota);
        before = quota;
        quota = bytes + figures_of(fixture->fs).looking_reserve_bytes;
    }
}

void fixture_set_quota_above_looking(struct fixture *fixture, uint64_t bytes)
{
    free_fillers(fixture);
    set_quota_above_looking(fixture, bytes);
}

void fixture_leave(struct fixture *fixture, uint64_t more_bytes)
{
    memfs *fs = fixture->fs;
    free_fillers(fixture);
    /* Before it refuses a quota, memfs gives back what it holds without need. */
    if (memfs_set_quota(fs, 1) != MEMFS_EBUSY)
        abort();
    set_quota_above_looking(fixture, figures_of(fs).committed_bytes);
    if (memfs_set_refused(fs, NULL, NULL) != 0)
        abort();
    for (size_t size = (size_t)1 << 20; size >= sizeof(void *); size /= 2) {
        void *filler;
        while (memfs_charged_alloc(fs, size, &filler) == 0) {
            *(void **)filler = fixture->fillers;
            fixture->fillers = filler;
        }
    }
    if (memfs_set_refused(fs, fixture->refused, fixture->refused_context) != 0)
        abort();
    set_quota_above_looking(fixture, figures_of(fs).committed_bytes + more_bytes);
}
