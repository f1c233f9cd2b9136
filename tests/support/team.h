/*
 * Threads that run at once on one file system, meet at a barrier, and count what
 * they see wrong; the test looks at the count when all are done.  Nothing sleeps.
 */
#ifndef MEMFS_TESTS_TEAM_H
#define MEMFS_TESTS_TEAM_H

#include "checks.h"

#include <pthread.h>

enum { PEERS = 4, ROUNDS = 300, BLOCK = 12000 };

struct team {
    struct fixture *f;
    memfs *fs;
    pthread_barrier_t barrier;
    _Atomic int done;   /* set by the member whose work has an end */
    _Atomic int wrong;  /* what was seen that must not be */
    _Atomic int looked; /* how often it was looked */
    _Atomic int flag;
    memfs_dir *dir;
    memfs_file *files[2];
    int results[2];
    _Atomic int seen[2000];
};

struct member {
    struct team *team;
    int number;
};

/* Runs one function per thread, all at once, and waits for all. */
static inline void run(struct team *team, int count, void *(*const functions[])(void *))
{
    pthread_t threads[8];
    struct member members[8];
    assert_true(count <= 8);
    assert_int_equal(pthread_barrier_init(&team->barrier, NULL, (unsigned)count), 0);
    for (int i = 0; i < count; i++) {
        members[i] = (struct member){team, i};
        assert_int_equal(pthread_create(&threads[i], NULL, functions[i], &members[i]), 0);
    }
    for (int i = 0; i < count; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&team->barrier);
}

static inline void meet(struct team *team)
{
    pthread_barrier_wait(&team->barrier);
}

static inline struct team team_of(struct fixture *f)
{
    return (struct team){.f = f, .fs = f->fs};
}

#endif
