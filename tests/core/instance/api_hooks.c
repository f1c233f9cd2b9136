/* The caller's clock, log and locks. */
#define _POSIX_C_SOURCE 200809L

#include "checks.h"

#include <time.h>

#ifndef MEMFS_NO_THREADS
#include <pthread.h>
#endif

/* ------------------------------------------------------------------- clock */

static int64_t say_1234(void *context)
{
    int *calls = context;
    (*calls)++;
    return INT64_C(1234567890123456789);
}

static void times_come_from_the_clock_hook_to_the_nanosecond(void **state)
{
    (void)state;
    struct tracking_allocator allocator;
    int calls = 0;
    memfs *fs;
    memfs_config config = memfs_config_default();
    tracking_allocator_init(&allocator, 0);
    config.allocator = tracking_hooks(&allocator);
    config.clock = say_1234;
    config.clock_context = &calls;
    assert_ok(memfs_create(&config, &fs));
    assert_true(calls > 0);
    assert_true(stat_of(fs, "/").birth_ns == INT64_C(1234567890123456789));
    put(fs, "/f", "x");
    memfs_stat_info info = stat_of(fs, "/f");
    assert_true(info.birth_ns == INT64_C(1234567890123456789));
    assert_true(info.modify_ns == INT64_C(1234567890123456789));
    assert_ok(memfs_destroy(fs, 0));
}

static void without_a_clock_hook_the_time_is_that_of_the_system(void **state)
{
    (void)state;
    struct tracking_allocator allocator;
    memfs *fs;
    memfs_config config = memfs_config_default();
    tracking_allocator_init(&allocator, 0);
    config.allocator = tracking_hooks(&allocator);
    int64_t before = (int64_t)time(NULL);
    assert_ok(memfs_create(&config, &fs));
    int64_t birth = stat_of(fs, "/").birth_ns;
    int64_t after = (int64_t)time(NULL);
    assert_true(birth >= (before - 2) * 1000000000);
    assert_true(birth <= (after + 2) * 1000000000);
    assert_ok(memfs_destroy(fs, 0));
}

/* --------------------------------------------------------------------- log */

static void count_errors(void *context, int level, const char *message)
{
    int *errors = context;
    assert_non_null(message);
    if (level >= MEMFS_LOG_ERROR)
        (*errors)++;
}

static void the_log_hook_hears_of_no_error_while_all_is_well(void **state)
{
    (void)state;
    struct tracking_allocator allocator;
    int errors = 0;
    memfs *fs;
    memfs_config config = memfs_config_default();
    tracking_allocator_init(&allocator, 0);
    config.allocator = tracking_hooks(&allocator);
    config.log = count_errors;
    config.log_context = &errors;
    assert_ok(memfs_create(&config, &fs));
    put(fs, "/f", "x");
    assert_returns(memfs_mkdir(fs, "/f", 0755), MEMFS_EEXIST);
    assert_ok(memfs_audit(fs));
    assert_ok(memfs_destroy(fs, 0));
    assert_int_equal(errors, 0);
}

/* ------------------------------------------------------------------- locks */

#ifndef MEMFS_NO_THREADS

struct lock_counts {
    int made, unmade; /* mutexes and conditions */
    _Atomic int taken, given;
    int refuse_at; /* the creation with this number fails; 0: none */
    int attempts;
};

static int may_create(struct lock_counts *counts)
{
    return ++counts->attempts != counts->refuse_at;
}

static void *create_mutex(void *context)
{
    struct lock_counts *counts = context;
    if (!may_create(counts))
        return NULL;
    pthread_mutex_t *mutex = malloc(sizeof *mutex);
    if (mutex == NULL || pthread_mutex_init(mutex, NULL) != 0)
        abort();
    counts->made++;
    return mutex;
}

static void destroy_mutex(void *context, void *mutex)
{
    struct lock_counts *counts = context;
    pthread_mutex_destroy(mutex);
    free(mutex);
    counts->unmade++;
}

static void lock_mutex(void *context, void *mutex)
{
    struct lock_counts *counts = context;
    pthread_mutex_lock(mutex);
    counts->taken++;
}

static void unlock_mutex(void *context, void *mutex)
{
    struct lock_counts *counts = context;
    counts->given++;
    pthread_mutex_unlock(mutex);
}

static void *create_condition(void *context)
{
    struct lock_counts *counts = context;
    if (!may_create(counts))
        return NULL;
    pthread_cond_t *condition = malloc(sizeof *condition);
    if (condition == NULL || pthread_cond_init(condition, NULL) != 0)
        abort();
    counts->made++;
    return condition;
}

static void destroy_condition(void *context, void *condition)
{
    struct lock_counts *counts = context;
    pthread_cond_destroy(condition);
    free(condition);
    counts->unmade++;
}

static void wait_condition(void *context, void *condition, void *mutex, int64_t timeout_ms)
{
    (void)context;
    if (timeout_ms < 0) {
        pthread_cond_wait(condition, mutex);
        return;
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    int64_t nanoseconds = until.tv_nsec + timeout_ms % 1000 * 1000000;
    until.tv_sec += timeout_ms / 1000 + nanoseconds / 1000000000;
    until.tv_nsec = (long)(nanoseconds % 1000000000);
    pthread_cond_timedwait(condition, mutex, &until);
}

static void broadcast_condition(void *context, void *condition)
{
    (void)context;
    pthread_cond_broadcast(condition);
}

/* The config refers to `hooks`, `counts` and `allocator`. */
static memfs_config config_with_locks(memfs_lock_hooks *hooks, struct lock_counts *counts,
                                      struct tracking_allocator *allocator)
{
    memfs_config config = memfs_config_default();
    memset(counts, 0, sizeof *counts);
    tracking_allocator_init(allocator, 0);
    config.allocator = tracking_hooks(allocator);
    *hooks = (memfs_lock_hooks){
        .struct_size = sizeof *hooks,
        .context = counts,
        .mutex_create = create_mutex,
        .mutex_destroy = destroy_mutex,
        .mutex_lock = lock_mutex,
        .mutex_unlock = unlock_mutex,
        .condition_create = create_condition,
        .condition_destroy = destroy_condition,
        .condition_wait = wait_condition,
        .condition_broadcast = broadcast_condition,
    };
    config.locks = hooks;
    return config;
}

static void *write_many_files(void *context)
{
    memfs *fs = context;
    char path[32];
    for (int i = 0; i < 500; i++) {
        memcpy(path, "/file-000", 10);
        path[7] = (char)('0' + i / 10 % 10);
        path[8] = (char)('0' + i % 10);
        if (memfs_write_file(fs, path, path, 10, 0644, 0) != 0)
            return fs;
    }
    return NULL;
}

static void lock_hooks_serve_several_threads_and_are_given_back(void **state)
{
    (void)state;
    memfs_lock_hooks hooks;
    struct lock_counts counts;
    struct tracking_allocator allocator;
    memfs *fs;
    pthread_t threads[4];
    memfs_config config = config_with_locks(&hooks, &counts, &allocator);
    assert_ok(memfs_create(&config, &fs));
    int made = counts.made;
    assert_true(made > 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many_files, fs), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(statfs_of(fs).files, 100);
    assert_int_equal(counts.made, made); /* only memfs_create() makes them */
    assert_ok(memfs_audit(fs));
    assert_ok(memfs_destroy(fs, 0));
    assert_int_equal(counts.unmade, made);
    assert_int_equal(counts.taken, counts.given);
    tracking_assert_empty(&allocator);
}

static void a_timed_wait_for_a_lock_ends_with_lock_hooks_too(void **state)
{
    (void)state;
    memfs_lock_hooks hooks;
    struct lock_counts counts;
    struct tracking_allocator allocator;
    memfs *fs;
    memfs_config config = config_with_locks(&hooks, &counts, &allocator);
    assert_ok(memfs_create(&config, &fs));
    memfs_file *one = create_file(fs, "/f");
    memfs_file *two = open_file(fs, "/f", MEMFS_O_READ);
    assert_ok(memfs_lock(one, MEMFS_LOCK_EXCLUSIVE, 0));
    assert_returns(memfs_lock(two, MEMFS_LOCK_SHARED, 20), MEMFS_ETIMEDOUT);
    assert_ok(memfs_close(one));
    assert_ok(memfs_lock(two, MEMFS_LOCK_SHARED, 20));
    assert_ok(memfs_close(two));
    assert_ok(memfs_destroy(fs, 0));
}

static void a_lock_hook_that_creates_nothing_is_no_memory_and_nothing_leaks(void **state)
{
    (void)state;
    memfs_lock_hooks hooks;
    struct lock_counts counts;
    struct tracking_allocator allocator;
    memfs *fs = NULL;
    int refuse_at = 1;
    for (;; refuse_at++) {
        memfs_config config = config_with_locks(&hooks, &counts, &allocator);
        counts.refuse_at = refuse_at;
        int result = memfs_create(&config, &fs);
        if (result == 0)
            break;
        assert_returns(result, MEMFS_ENOMEM);
        assert_int_equal(counts.made, counts.unmade);
        tracking_assert_empty(&allocator);
    }
    assert_true(refuse_at > 1);
    assert_ok(memfs_destroy(fs, 0));
    assert_int_equal(counts.made, counts.unmade);
}

static void half_filled_lock_hooks_are_invalid(void **state)
{
    (void)state;
    memfs_lock_hooks hooks;
    struct lock_counts counts;
    struct tracking_allocator allocator;
    memfs *fs = NULL;
    for (int missing = 0; missing < 8; missing++) {
        memfs_config config = config_with_locks(&hooks, &counts, &allocator);
        if (missing == 0)
            hooks.mutex_create = NULL;
        else if (missing == 1)
            hooks.mutex_destroy = NULL;
        else if (missing == 2)
            hooks.mutex_lock = NULL;
        else if (missing == 3)
            hooks.mutex_unlock = NULL;
        else if (missing == 4)
            hooks.condition_create = NULL;
        else if (missing == 5)
            hooks.condition_destroy = NULL;
        else if (missing == 6)
            hooks.condition_wait = NULL;
        else
            hooks.condition_broadcast = NULL;
        assert_returns(memfs_create(&config, &fs), MEMFS_EINVAL);
        assert_null(fs);
        assert_int_equal(counts.attempts, 0);
    }
}

#else

static void lock_hooks_are_not_supported_without_threads(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    struct tracking_allocator allocator;
    tracking_allocator_init(&allocator, 0);
    config.allocator = tracking_hooks(&allocator);
    memfs_lock_hooks hooks;
    memset(&hooks, 1, sizeof hooks); /* they are never called */
    hooks.struct_size = sizeof hooks;
    config.locks = &hooks;
    memfs *fs = NULL;
    assert_returns(memfs_create(&config, &fs), MEMFS_EOPNOTSUPP);
    assert_null(fs);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_come_from_the_clock_hook_to_the_nanosecond),
        cmocka_unit_test(without_a_clock_hook_the_time_is_that_of_the_system),
        cmocka_unit_test(the_log_hook_hears_of_no_error_while_all_is_well),
#ifndef MEMFS_NO_THREADS
        cmocka_unit_test(lock_hooks_serve_several_threads_and_are_given_back),
        cmocka_unit_test(a_timed_wait_for_a_lock_ends_with_lock_hooks_too),
        cmocka_unit_test(a_lock_hook_that_creates_nothing_is_no_memory_and_nothing_leaks),
        cmocka_unit_test(half_filled_lock_hooks_are_invalid),
#else
        cmocka_unit_test(lock_hooks_are_not_supported_without_threads),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
