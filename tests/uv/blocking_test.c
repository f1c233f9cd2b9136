/*
 * What the loop's thread waits for: the file system has mutexes and condition variables that know
 * the thread that comes to them, and threads beside the loop keep its locks busy.
 */
#define _POSIX_C_SOURCE 200809L

#include "loops.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { REQUESTS = 600, RIVALS = 2 };

/* Of the thread of the loop alone; `is_loop` is that. */
static _Thread_local int is_loop;
static atomic_int passed, waited;

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
    if (is_loop)
        atomic_fetch_add(&passed, 1);
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
    (void)context;
    if (is_loop)
        atomic_fetch_add(&waited, 1);
    if (timeout_ms < 0) {
        pthread_cond_wait(condition, mutex);
        return;
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000 + 1;
    (void)pthread_cond_timedwait(condition, mutex, &until);
}

static void wake_condition(void *context, void *condition)
{
    (void)context;
    pthread_cond_broadcast(condition);
}

static struct fixture *make_fixture(void)
{
    memfs_config config = memfs_config_default();
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
    };
    config.locks = &locks;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    return f;
}

/* Edits names and writes, so that both kinds of locks are held most of the time. */
struct rival {
    memfs *fs;
    atomic_int *ends;
    int number;
    pthread_t thread;
};

static void *keep_busy(void *argument)
{
    struct rival *rival = argument;
    static const char block[30000];
    char from[24], to[24];
    snprintf(from, sizeof from, "/a-%d", rival->number);
    snprintf(to, sizeof to, "/b-%d", rival->number);
    while (!atomic_load(rival->ends)) {
        if (memfs_write_file(rival->fs, from, block, sizeof block, 0644, 0) != 0 ||
            memfs_rename(rival->fs, from, to, 0) != 0 ||
            memfs_append_file(rival->fs, "/busy", "x", 1, 0644, 0) != 0 ||
            memfs_truncate(rival->fs, "/busy", 0) != 0)
            abort();
    }
    return NULL;
}

static int ended;

static void note_end(memfs_uv_request *request)
{
    assert_true(request->call.result >= 0 || request->call.result == MEMFS_ECANCELED);
    ended++;
}

static void fill(memfs_async_request *call, int number, memfs_file *file, memfs_stat_info *info)
{
    static const char block[5000];
    if (number % 4 == 0)
        memfs_async_stat(call, "/busy", info);
    else if (number % 4 == 1)
        memfs_async_pwrite(call, file, block, sizeof block, number);
    else if (number % 4 == 2)
        memfs_async_append_file(call, "/busy", "y", 1, 0644, 0);
    else
        memfs_async_lock(call, file, MEMFS_LOCK_SHARED, MEMFS_WAIT_FOREVER);
}

static void the_loops_thread_waits_for_no_lock_of_the_file_system(void **state)
{
    (void)state;
    struct fixture *f = make_fixture();
    static memfs_uv_request requests[REQUESTS];
    static memfs_stat_info infos[REQUESTS];
    struct rival rivals[RIVALS];
    atomic_int ends = 0;
    struct looped l;
    memfs_file *file;
    put(f->fs, "/busy", "x");
    file = create_file(f->fs, "/f");
    loop_open(&l, f);
    for (int i = 0; i < RIVALS; i++) {
        rivals[i] = (struct rival){.fs = f->fs, .ends = &ends, .number = i};
        assert_int_equal(pthread_create(&rivals[i].thread, NULL, keep_busy, &rivals[i]), 0);
    }
    is_loop = 1;
    for (int i = 0; i < REQUESTS; i++) {
        infos[i].struct_size = sizeof infos[i];
        fill(&requests[i].call, i, file, &infos[i]);
        assert_ok(memfs_uv_submit(l.uv, &requests[i], note_end));
        (void)uv_run(&l.loop, UV_RUN_NOWAIT);
    }
    loop_run(&l);
    is_loop = 0;
    atomic_store(&ends, 1);
    for (int i = 0; i < RIVALS; i++)
        assert_int_equal(pthread_join(rivals[i].thread, NULL), 0);
    assert_int_equal(ended, REQUESTS);
    assert_int_equal(atomic_load(&waited), 0);
    assert_int_equal(atomic_load(&passed), 0);
    loop_end(&l);
    assert_ok(memfs_close(file));
    fixture_destroy(f);
}

static void canceling_a_waiting_lock_waits_for_none(void **state)
{
    (void)state;
    struct fixture *f = make_fixture();
    static memfs_uv_request requests[20];
    memfs_file *files[20], *holder = create_file(f->fs, "/f");
    struct looped l;
    ended = 0;
    atomic_store(&passed, 0);
    loop_open(&l, f);
    assert_ok(memfs_lock(holder, MEMFS_LOCK_SHARED, 0));
    for (int i = 0; i < 20; i++) {
        files[i] = open_file(f->fs, "/f", MEMFS_O_READ);
        memfs_async_lock(&requests[i].call, files[i],
                         i == 0 ? MEMFS_LOCK_EXCLUSIVE : MEMFS_LOCK_SHARED, MEMFS_WAIT_FOREVER);
        assert_ok(memfs_uv_submit(l.uv, &requests[i], note_end));
        while (requests[i].is_working)
            (void)uv_run(&l.loop, UV_RUN_ONCE);
    }
    assert_int_equal(ended, 0);
    is_loop = 1;
    assert_ok(memfs_uv_cancel(l.uv, &requests[0])); /* which grants all the others */
    loop_run(&l);
    is_loop = 0;
    assert_int_equal(ended, 20);
    assert_returns(requests[0].call.result, MEMFS_ECANCELED);
    assert_int_equal(atomic_load(&waited), 0);
    assert_int_equal(atomic_load(&passed), 1); /* to take the ticket out of its line */
    loop_end(&l);
    for (int i = 0; i < 20; i++)
        assert_ok(memfs_close(files[i]));
    assert_ok(memfs_close(holder));
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loops_thread_waits_for_no_lock_of_the_file_system),
        cmocka_unit_test(canceling_a_waiting_lock_waits_for_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
