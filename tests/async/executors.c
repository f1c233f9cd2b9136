/* A queue that the test works off, and one that threads work off. */
#include "executors.h"

static int submit_manually(void *context, void (*run)(void *argument), void *argument)
{
    struct manual *manual = context;
    if (manual->accepts == 0)
        return manual->error;
    if (manual->accepts > 0)
        manual->accepts--;
    assert_true(manual->count < MANUAL_MOST);
    manual->jobs[manual->count++] = (struct job){run, argument};
    return 0;
}

void manual_init(struct manual *manual)
{
    *manual = (struct manual){.executor = {.struct_size = sizeof manual->executor,
                                           .context = manual,
                                           .submit = submit_manually},
                              .accepts = -1};
}

void manual_run(struct manual *manual, int index)
{
    assert_true(index < manual->count);
    struct job job = manual->jobs[index];
    manual->count--;
    memmove(&manual->jobs[index], &manual->jobs[index + 1],
            (size_t)(manual->count - index) * sizeof job);
    job.run(job.argument);
}

int manual_run_all(struct manual *manual)
{
    int ran = 0;
    for (; manual->count > 0; ran++)
        manual_run(manual, 0);
    return ran;
}

#ifndef MEMFS_NO_THREADS

static int submit_to_pool(void *context, void (*run)(void *argument), void *argument)
{
    struct pool *pool = context;
    pthread_mutex_lock(&pool->mutex);
    if (pool->count == pool->room) {
        pool->room = pool->room * 2 + 64;
        pool->jobs = realloc(pool->jobs, pool->room * sizeof pool->jobs[0]);
        if (pool->jobs == NULL)
            abort();
    }
    pool->jobs[pool->count++] = (struct job){run, argument};
    pthread_cond_signal(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
    return 0;
}

static void *work(void *argument)
{
    struct pool *pool = argument;
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        while (pool->count == 0 && !pool->ends)
            pthread_cond_wait(&pool->changed, &pool->mutex);
        if (pool->count == 0)
            break;
        size_t index = (size_t)(next_random(&pool->random) % pool->count);
        struct job job = pool->jobs[index];
        pool->jobs[index] = pool->jobs[--pool->count];
        pthread_mutex_unlock(&pool->mutex);
        job.run(job.argument);
        pthread_mutex_lock(&pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

void pool_start(struct pool *pool, int threads, uint64_t seed)
{
    *pool = (struct pool){.executor = {.struct_size = sizeof pool->executor,
                                       .context = pool,
                                       .submit = submit_to_pool},
                          .threads = threads,
                          .random = seed | 1};
    assert_true(threads <= POOL_THREADS_MOST);
    assert_int_equal(pthread_mutex_init(&pool->mutex, NULL), 0);
    assert_int_equal(pthread_cond_init(&pool->changed, NULL), 0);
    for (int i = 0; i < threads; i++)
        assert_int_equal(pthread_create(&pool->thread[i], NULL, work, pool), 0);
}

void pool_stop(struct pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->ends = 1;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->threads; i++)
        assert_int_equal(pthread_join(pool->thread[i], NULL), 0);
    pthread_mutex_destroy(&pool->mutex);
    pthread_cond_destroy(&pool->changed);
    free(pool->jobs);
}

struct closing {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int is_closed;
};

static void note_closed(void *context)
{
    struct closing *closing = context;
    pthread_mutex_lock(&closing->mutex);
    closing->is_closed = 1;
    pthread_cond_signal(&closing->changed);
    pthread_mutex_unlock(&closing->mutex);
}

void close_and_wait(memfs_async *async, unsigned flags)
{
    struct closing closing = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    assert_ok(memfs_async_close(async, flags, note_closed, &closing));
    pthread_mutex_lock(&closing.mutex);
    while (!closing.is_closed)
        pthread_cond_wait(&closing.changed, &closing.mutex);
    pthread_mutex_unlock(&closing.mutex);
    pthread_mutex_destroy(&closing.mutex);
    pthread_cond_destroy(&closing.changed);
}

#endif
