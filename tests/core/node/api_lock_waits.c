/*
 * Waits for whole-file locks that must end by a wake-up, not by their time.
 *
 * The lock hooks tell when a thread waits, so nothing has to be tried for long: what happens after
 * that happens under a waiter.  A wait that ends by its time is counted.
 */
#define _POSIX_C_SOURCE 200809L

#include "checks.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

enum { TIMEOUT_MS = 10000 };

struct waits {
    atomic_int begun, timed_out;
};

struct site {
    memfs *fs;
    struct tracking_allocator allocator;
    struct waits waits;
    memfs_file *files[3]; /* of one node */
};

static void *make_mutex(void *context)
{
    (void)context;
    pthread_mutex_t *mutex = malloc(sizeof *mutex);
    if (mutex == NULL || pthread_mutex_init(mutex, NULL) != 0)
        abort();
    return mutex;
}

static void unmake_mutex(void *context, void *mutex)
{
    (void)context;
    pthread_mutex_destroy(mutex);
    free(mutex);
}

static void lock_mutex(void *context, void *mutex)
{
    (void)context;
    pthread_mutex_lock(mutex);
}

static void unlock_mutex(void *context, void *mutex)
{
    (void)context;
    pthread_mutex_unlock(mutex);
}

static void *make_condition(void *context)
{
    (void)context;
    pthread_cond_t *condition = malloc(sizeof *condition);
    if (condition == NULL || pthread_cond_init(condition, NULL) != 0)
        abort();
    return condition;
}

static void unmake_condition(void *context, void *condition)
{
    (void)context;
    pthread_cond_destroy(condition);
    free(condition);
}

static void wait_for_condition(void *context, void *condition, void *mutex, int64_t timeout_ms)
{
    struct waits *waits = context;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms < 0 ? TIMEOUT_MS / 1000 : timeout_ms / 1000 + 1;
    atomic_fetch_add(&waits->begun, 1); /* with the mutex, which the wait gives back */
    if (pthread_cond_timedwait(condition, mutex, &until) == ETIMEDOUT)
        atomic_fetch_add(&waits->timed_out, 1);
}

static void wake_condition(void *context, void *condition)
{
    (void)context;
    pthread_cond_broadcast(condition);
}

static int site_setup(void **state)
{
    struct site *site = calloc(1, sizeof *site);
    if (site == NULL)
        return -1;
    tracking_allocator_init(&site->allocator, 0);
    memfs_config config = memfs_config_default();
    config.allocator = tracking_hooks(&site->allocator);
    memfs_lock_hooks locks = {
        .struct_size = sizeof locks,
        .mutex_create = make_mutex,
        .mutex_destroy = unmake_mutex,
        .mutex_lock = lock_mutex,
        .mutex_unlock = unlock_mutex,
        .condition_create = make_condition,
        .condition_destroy = unmake_condition,
        .condition_wait = wait_for_condition,
        .condition_broadcast = wake_condition,
        .context = &site->waits,
    };
    config.locks = &locks;
    if (memfs_create(&config, &site->fs) != 0)
        return -1;
    put(site->fs, "/f", "x");
    for (size_t i = 0; i < COUNT_OF(site->files); i++)
        site->files[i] = open_file(site->fs, "/f", MEMFS_O_RDWR);
    *state = site;
    return 0;
}

static int site_teardown(void **state)
{
    struct site *site = *state;
    for (size_t i = 0; i < COUNT_OF(site->files); i++)
        assert_ok(memfs_close(site->files[i]));
    assert_ok(memfs_audit(site->fs));
    assert_ok(memfs_destroy(site->fs, 0));
    tracking_assert_empty(&site->allocator);
    free(site);
    return 0;
}

/* A thread that takes one lock. */
struct locker {
    memfs_file *file;
    int kind, result;
    pthread_t thread;
};

static void *take_lock(void *context)
{
    struct locker *locker = context;
    locker->result = memfs_lock(locker->file, locker->kind, TIMEOUT_MS);
    return NULL;
}

/* Returns when the thread waits. */
static void start_waiting(struct site *site, struct locker *locker)
{
    int begun = atomic_load(&site->waits.begun);
    assert_int_equal(pthread_create(&locker->thread, NULL, take_lock, locker), 0);
    while (atomic_load(&site->waits.begun) == begun)
        (void)sched_yield();
}

static void end_waiting(struct site *site, struct locker *locker)
{
    assert_int_equal(pthread_join(locker->thread, NULL), 0);
    assert_ok(locker->result);
    assert_int_equal(atomic_load(&site->waits.timed_out), 0);
}

static void a_downgrade_lets_a_waiting_reader_in_at_once(void **state)
{
    struct site *site = *state;
    struct locker reader = {.file = site->files[1], .kind = MEMFS_LOCK_SHARED};
    assert_ok(memfs_lock(site->files[0], MEMFS_LOCK_EXCLUSIVE, 0));
    start_waiting(site, &reader);
    assert_ok(memfs_lock(site->files[0], MEMFS_LOCK_SHARED, 0));
    end_waiting(site, &reader);
    assert_ok(memfs_unlock(site->files[0]));
    assert_ok(memfs_unlock(site->files[1]));
}

static void an_upgrade_is_woken_by_the_last_reader_and_no_newcomer_overtakes_it(void **state)
{
    struct site *site = *state;
    struct locker upgrader = {.file = site->files[0], .kind = MEMFS_LOCK_EXCLUSIVE};
    assert_ok(memfs_lock(site->files[0], MEMFS_LOCK_SHARED, 0));
    assert_ok(memfs_lock(site->files[1], MEMFS_LOCK_SHARED, 0));
    start_waiting(site, &upgrader);
    assert_returns(memfs_lock(site->files[2], MEMFS_LOCK_SHARED, 0), MEMFS_EAGAIN);
    assert_ok(memfs_unlock(site->files[1]));
    end_waiting(site, &upgrader);
    assert_returns(memfs_lock(site->files[2], MEMFS_LOCK_SHARED, 0), MEMFS_EAGAIN);
    assert_ok(memfs_unlock(site->files[0]));
    assert_ok(memfs_lock(site->files[2], MEMFS_LOCK_SHARED, 0));
    assert_ok(memfs_unlock(site->files[2]));
}

static void an_unlock_and_a_close_wake_a_waiting_writer(void **state)
{
    struct site *site = *state;
    struct locker writer = {.file = site->files[1], .kind = MEMFS_LOCK_EXCLUSIVE};
    assert_ok(memfs_lock(site->files[0], MEMFS_LOCK_SHARED, 0));
    start_waiting(site, &writer);
    assert_ok(memfs_unlock(site->files[0]));
    end_waiting(site, &writer);
    assert_ok(memfs_unlock(site->files[1]));

    memfs_file *last = open_file(site->fs, "/f", MEMFS_O_READ);
    assert_ok(memfs_lock(last, MEMFS_LOCK_SHARED, 0));
    start_waiting(site, &writer);
    assert_ok(memfs_close(last));
    end_waiting(site, &writer);
    assert_ok(memfs_unlock(site->files[1]));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_downgrade_lets_a_waiting_reader_in_at_once),
        TEST(an_upgrade_is_woken_by_the_last_reader_and_no_newcomer_overtakes_it),
        TEST(an_unlock_and_a_close_wake_a_waiting_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
