/* Executors for tests: one that runs nothing until it is told to, and a pool of threads. */
#ifndef MEMFS_TESTS_EXECUTORS_H
#define MEMFS_TESTS_EXECUTORS_H

#include "checks.h"

#include <memfs/async.h>

enum { MANUAL_MOST = 600 };

struct job {
    void (*run)(void *argument);
    void *argument;
};

/* Keeps what is submitted, for one thread. */
struct manual {
    memfs_async_executor executor;
    struct job jobs[MANUAL_MOST];
    int count;
    int accepts; /* so many more are taken; negative: any number */
    int error;   /* for the others */
};

void manual_init(struct manual *manual);

/* Runs the job at `index` of those that are there. */
void manual_run(struct manual *manual, int index);

/* Runs all, also those that come meanwhile; returns how many. */
int manual_run_all(struct manual *manual);

#ifndef MEMFS_NO_THREADS

#include <pthread.h>

enum { POOL_THREADS_MOST = 8 };

/* Threads that each take one job after another, at random. */
struct pool {
    memfs_async_executor executor;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct job *jobs;
    size_t count, room;
    uint64_t random;
    int ends;
    int threads;
    pthread_t thread[POOL_THREADS_MOST];
};

void pool_start(struct pool *pool, int threads, uint64_t seed);

/* Runs what is left, and ends the threads. */
void pool_stop(struct pool *pool);

/* Closes a front and waits until it is closed. */
void close_and_wait(memfs_async *async, unsigned flags);

#endif

/* The next number of a sequence; `*state` is any number but 0. */
static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#endif
