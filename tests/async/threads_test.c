/*
 * Requests on pools of threads that take jobs at random: order, locks, cancels and ends.
 *
 *     async_threads --seed N
 */
#include "executors.h"

#include <memfs/storage.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

static uint64_t seed = 20261126;

static void start_pool(struct pool *pool, int threads)
{
    print_message("--seed %llu\n", (unsigned long long)seed);
    pool_start(pool, threads, seed);
}

static void wait_until(atomic_int *counter, int count)
{
    while (atomic_load(counter) < count)
        (void)sched_yield();
}

/* ------------------------------------------------------------------- chains */

enum { CHAINS = 12, LINKS = 60, POOL_THREADS = 4 };

struct chained {
    memfs_async_request request;
    uint32_t number;
    int *last; /* of the chain: which was called back */
    atomic_int *ended, *wrong;
};

static void check_order(memfs_async_request *request)
{
    struct chained *chained = request->data;
    if (request->result != (int64_t)sizeof chained->number ||
        *chained->last != (int)chained->number - 1)
        atomic_fetch_add(chained->wrong, 1);
    *chained->last = (int)chained->number; /* no two callbacks of a chain at once */
    atomic_fetch_add(chained->ended, 1);
}

/* What all threads of a pool wait at. */
struct gate {
    atomic_int waiting, submitted;
};

static int64_t wait_for_all(memfs_async_request *request, void *argument)
{
    struct gate *gate = argument;
    (void)request;
    atomic_fetch_add(&gate->waiting, 1);
    wait_until(&gate->submitted, CHAINS * LINKS);
    return 0;
}

static void ignore_end(memfs_async_request *request)
{
    (void)request;
}

/*
 * Nothing runs before all is submitted: what is submitted to a chain while the callback of its last
 * request runs does not wait for that.
 */
static void chains_keep_their_order_whatever_threads_run_them(void **state)
{
    struct fixture *f = *state;
    static struct chained all[CHAINS][LINKS];
    memfs_async_chain chains[CHAINS];
    memfs_file *files[CHAINS];
    int last[CHAINS];
    atomic_int ended = 0, wrong = 0;
    struct gate gate = {0};
    struct pool pool;
    memfs_async *async;
    memfs_async_request gates[POOL_THREADS];
    memset(chains, 0, sizeof chains);
    start_pool(&pool, POOL_THREADS);
    assert_ok(memfs_async_create(f->fs, &pool.executor, &async));
    for (int i = 0; i < POOL_THREADS; i++) {
        memfs_async_call(&gates[i], wait_for_all, &gate);
        assert_ok(memfs_async_submit(async, &gates[i], ignore_end));
    }
    wait_until(&gate.waiting, POOL_THREADS);
    for (int chain = 0; chain < CHAINS; chain++) {
        char path[16];
        snprintf(path, sizeof path, "/%d", chain);
        files[chain] = create_file(f->fs, path);
        last[chain] = -1;
    }
    for (int link = 0; link < LINKS; link++) {
        for (int chain = 0; chain < CHAINS; chain++) {
            struct chained *c = &all[chain][link];
            *c = (struct chained){
                .number = (uint32_t)link, .last = &last[chain], .ended = &ended, .wrong = &wrong};
            c->request.data = c;
            memfs_async_write(&c->request, files[chain], &c->number, sizeof c->number);
            c->request.chain = &chains[chain];
            assert_ok(memfs_async_submit(async, &c->request, check_order));
            atomic_fetch_add(&gate.submitted, 1);
        }
    }
    close_and_wait(async, 0);
    pool_stop(&pool);
    assert_int_equal(atomic_load(&ended), CHAINS * LINKS);
    assert_int_equal(atomic_load(&wrong), 0);
    for (int chain = 0; chain < CHAINS; chain++) {
        uint32_t numbers[LINKS];
        assert_returns(memfs_pread(files[chain], numbers, sizeof numbers, 0), sizeof numbers);
        for (uint32_t link = 0; link < LINKS; link++)
            assert_int_equal(numbers[link], link);
        assert_ok(memfs_close(files[chain]));
    }
}

/* -------------------------------------------------------------------- locks */

enum { WAITERS = 50, READS = 300 };

struct ended {
    atomic_int *count;
    int64_t result;
};

static void count_ended(memfs_async_request *request)
{
    struct ended *ended = request->data;
    ended->result = request->result;
    atomic_fetch_add(ended->count, 1);
}

static void requests_that_wait_for_locks_keep_no_thread(void **state)
{
    struct fixture *f = *state;
    static memfs_async_request waiters[WAITERS], readers[READS], unlocks[WAITERS];
    static struct ended waited[WAITERS], read[READS], unlocked[WAITERS];
    memfs_file *files[WAITERS], *holder = create_file(f->fs, "/f");
    char byte[READS];
    atomic_int locks = 0, reads = 0, lets_go = 0;
    struct pool pool;
    memfs_async *async;
    start_pool(&pool, 1);
    put(f->fs, "/other", "x");
    memfs_file *other = open_file(f->fs, "/other", MEMFS_O_READ);
    assert_ok(memfs_async_create(f->fs, &pool.executor, &async));
    assert_ok(memfs_lock(holder, MEMFS_LOCK_EXCLUSIVE, 0));
    for (int i = 0; i < WAITERS; i++) {
        files[i] = open_file(f->fs, "/f", MEMFS_O_RDWR);
        waited[i].count = &locks;
        waiters[i].data = &waited[i];
        memfs_async_lock(&waiters[i], files[i], MEMFS_LOCK_EXCLUSIVE, MEMFS_WAIT_FOREVER);
        assert_ok(memfs_async_submit(async, &waiters[i], count_ended));
    }
    for (int i = 0; i < READS; i++) {
        read[i].count = &reads;
        readers[i].data = &read[i];
        memfs_async_pread(&readers[i], other, &byte[i], 1, 0);
        assert_ok(memfs_async_submit(async, &readers[i], count_ended));
    }
    wait_until(&reads, READS); /* the one thread does all that while the others wait */
    assert_int_equal(atomic_load(&locks), 0);
    assert_ok(memfs_close(holder));     /* in this thread, which is none of the pool's */
    for (int i = 0; i < WAITERS; i++) { /* each gets it, whichever it is */
        wait_until(&locks, i + 1);
        for (int j = 0; j < WAITERS; j++) {
            if (unlocked[j].count != NULL || memfs_lock(files[j], MEMFS_LOCK_EXCLUSIVE, 0) != 0)
                continue;
            unlocked[j].count = &lets_go;
            unlocks[j].data = &unlocked[j];
            memfs_async_unlock(&unlocks[j], files[j]);
            assert_ok(memfs_async_submit(async, &unlocks[j], count_ended));
            break;
        }
    }
    close_and_wait(async, 0);
    pool_stop(&pool);
    assert_int_equal(atomic_load(&locks), WAITERS);
    assert_int_equal(atomic_load(&lets_go), WAITERS);
    for (int i = 0; i < WAITERS; i++) {
        assert_ok(waited[i].result);
        assert_ok(memfs_close(files[i]));
    }
    assert_ok(memfs_close(other));
}

/* ---------------------------------------------------------- all of it at once */

enum { STORM_ACTORS = 40, STORM_ROUNDS = 150, ALONE = 1000 };

struct actor;

struct storm {
    memfs *fs;
    memfs_async *async;
    struct actor *actors;
    atomic_int holders; /* of the lock; one that has it alone counts as ALONE */
    atomic_int wrong, locked, canceled, alive;
};

/* Locks, writes, unlocks, again and again, and cancels others meanwhile. */
struct actor {
    pthread_mutex_t mutex; /* the request is filled in, or canceled */
    memfs_async_request request;
    struct storm *storm;
    memfs_file *file;
    uint64_t random;
    int rounds;
    int step;        /* 0: locks, 1: writes, 2: unlocks */
    bool exclusive;  /* the lock that it wants, or has */
    bool must_abort; /* a cancel has said that the request will do nothing */
    char buffer[300];
};

static void act(memfs_async_request *request);

static void submit_step(struct actor *actor)
{
    memfs_async_request *request = &actor->request;
    pthread_mutex_lock(&actor->mutex);
    request->data = actor;
    actor->must_abort = false;
    if (actor->step == 0)
        memfs_async_lock(request, actor->file,
                         actor->exclusive ? MEMFS_LOCK_EXCLUSIVE : MEMFS_LOCK_SHARED,
                         MEMFS_WAIT_FOREVER);
    else if (actor->step == 1)
        memfs_async_pwrite(request, actor->file, actor->buffer, sizeof actor->buffer,
                           (int64_t)(next_random(&actor->random) % 9000));
    else
        memfs_async_unlock(request, actor->file);
    if (memfs_async_submit(actor->storm->async, request, act) != 0)
        atomic_fetch_add(&actor->storm->wrong, 1);
    pthread_mutex_unlock(&actor->mutex);
}

static void cancel_another(struct actor *actor)
{
    struct storm *storm = actor->storm;
    struct actor *other = &storm->actors[next_random(&actor->random) % STORM_ACTORS];
    pthread_mutex_lock(&other->mutex);
    int result = memfs_async_cancel(storm->async, &other->request);
    other->must_abort |= result == 0;
    if (result != 0 && result != MEMFS_EBUSY)
        atomic_fetch_add(&storm->wrong, 1);
    pthread_mutex_unlock(&other->mutex);
}

/* Goes to the next step; the count of holders is raised after the lock was had, and lowered before
 * it is given back. */
static void go_on(struct actor *actor, int64_t result)
{
    struct storm *storm = actor->storm;
    int weight = actor->exclusive ? ALONE : 1;
    if (actor->step == 0 && result == 0) {
        int before = atomic_fetch_add(&storm->holders, weight);
        if (actor->exclusive ? before != 0 : before >= ALONE)
            atomic_fetch_add(&storm->wrong, 1);
        atomic_fetch_add(&storm->locked, 1);
        actor->step = 1;
    } else if (actor->step == 1) {
        atomic_fetch_sub(&storm->holders, weight);
        actor->step = 2;
    } else if (actor->step == 2 && result == 0) {
        actor->exclusive = next_random(&actor->random) % 3 == 0;
        actor->step = 0;
    }
}

static void act(memfs_async_request *request)
{
    struct actor *actor = request->data;
    struct storm *storm = actor->storm;
    int64_t result = request->result;
    bool is_canceled = result == MEMFS_ECANCELED;
    pthread_mutex_lock(&actor->mutex);
    bool is_wrong = (result < 0 && !is_canceled) || (actor->must_abort && !is_canceled);
    pthread_mutex_unlock(&actor->mutex);
    atomic_fetch_add(&storm->wrong, is_wrong);
    atomic_fetch_add(&storm->canceled, is_canceled);
    go_on(actor, result);
    if (next_random(&actor->random) % 2 == 0)
        cancel_another(actor);
    if (--actor->rounds > 0 || actor->step != 0)
        submit_step(actor);
    else
        atomic_fetch_sub(&storm->alive, 1);
}

static void locks_are_exclusive_and_nothing_is_lost_among_cancels(void **state)
{
    struct fixture *f = *state;
    static struct actor actors[STORM_ACTORS];
    struct storm storm = {.fs = f->fs, .actors = actors};
    struct pool pool;
    uint64_t random = seed;
    start_pool(&pool, 4);
    assert_ok(memfs_async_create(f->fs, &pool.executor, &storm.async));
    atomic_store(&storm.alive, STORM_ACTORS);
    for (int i = 0; i < STORM_ACTORS; i++) {
        actors[i] = (struct actor){.storm = &storm,
                                   .file = open_file(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE),
                                   .random = next_random(&random),
                                   .rounds = STORM_ROUNDS};
        assert_int_equal(pthread_mutex_init(&actors[i].mutex, NULL), 0);
    }
    for (int i = 0; i < STORM_ACTORS; i++)
        submit_step(&actors[i]);
    while (atomic_load(&storm.alive) > 0)
        (void)sched_yield();
    close_and_wait(storm.async, 0);
    pool_stop(&pool);
    print_message("%d locked, %d canceled\n", atomic_load(&storm.locked),
                  atomic_load(&storm.canceled));
    assert_int_equal(atomic_load(&storm.wrong), 0);
    assert_true(atomic_load(&storm.locked) > 0);
    for (int i = 0; i < STORM_ACTORS; i++) {
        assert_ok(memfs_close(actors[i].file));
        pthread_mutex_destroy(&actors[i].mutex);
    }
}

/* ------------------------------------------------------------------ closing */

enum { IN_FLIGHT = 400 };

static void a_front_closes_with_hundreds_in_flight(void **state)
{
    struct fixture *f = *state;
    static memfs_async_request requests[IN_FLIGHT];
    static struct ended ended[IN_FLIGHT];
    static memfs_async_chain chains[20];
    for (int round = 0; round < 6; round++) {
        atomic_int count = 0;
        struct pool pool;
        memfs_async *async;
        memfs_file *holder = create_file(f->fs, "/f"), *waiting[8];
        memset(chains, 0, sizeof chains);
        pool_start(&pool, 1 + round % 4, seed + (uint64_t)round);
        assert_ok(memfs_lock(holder, MEMFS_LOCK_EXCLUSIVE, 0));
        assert_ok(memfs_async_create(f->fs, &pool.executor, &async));
        for (int i = 0; i < IN_FLIGHT; i++) {
            ended[i] = (struct ended){.count = &count, .result = 1};
            requests[i].data = &ended[i];
            if (i % 50 == 0) {
                waiting[i / 50] = open_file(f->fs, "/f", MEMFS_O_READ);
                memfs_async_lock(&requests[i], waiting[i / 50], MEMFS_LOCK_SHARED,
                                 MEMFS_WAIT_FOREVER);
            } else {
                memfs_async_append_file(&requests[i], "/log", "x", 1, 0644, 0);
                requests[i].chain = &chains[i % 20];
            }
            assert_ok(memfs_async_submit(async, &requests[i], count_ended));
        }
        close_and_wait(async, MEMFS_ASYNC_CLOSE_CANCEL);
        assert_int_equal(atomic_load(&count), IN_FLIGHT);
        for (int i = 0; i < IN_FLIGHT; i++) {
            if (i % 50 == 0)
                assert_returns(ended[i].result, MEMFS_ECANCELED);
            else
                assert_true(ended[i].result == 0 || ended[i].result == MEMFS_ECANCELED);
        }
        pool_stop(&pool);
        for (size_t i = 0; i < COUNT_OF(waiting); i++)
            assert_ok(memfs_close(waiting[i]));
        assert_ok(memfs_close(holder));
    }
}

struct freed {
    memfs_async_request request;
    char path[24];
    atomic_int *count;
};

static void free_at_once(memfs_async_request *request)
{
    struct freed *freed = request->data;
    atomic_int *count = freed->count;
    memset(freed, 0xdd, sizeof *freed);
    free(freed);
    atomic_fetch_add(count, 1);
}

static void owners_may_free_requests_in_their_callbacks(void **state)
{
    struct fixture *f = *state;
    atomic_int count = 0;
    struct pool pool;
    memfs_async *async;
    start_pool(&pool, 4);
    assert_ok(memfs_async_create(f->fs, &pool.executor, &async));
    for (int i = 0; i < IN_FLIGHT; i++) {
        struct freed *freed = calloc(1, sizeof *freed);
        assert_non_null(freed);
        freed->count = &count;
        freed->request.data = freed;
        snprintf(freed->path, sizeof freed->path, "/freed-%d", i);
        memfs_async_write_file(&freed->request, freed->path, "x", 1, 0644, 0);
        assert_ok(memfs_async_submit(async, &freed->request, free_at_once));
    }
    close_and_wait(async, 0);
    pool_stop(&pool);
    assert_int_equal(atomic_load(&count), IN_FLIGHT);
    assert_int_equal(statfs_of(f->fs).files, IN_FLIGHT);
}

/* ---------------------------------------------- one front, many submitters */

struct submitter {
    struct fixture *f;
    memfs_async *async;
    atomic_int *count;
    memfs_async_chain *chain;
    pthread_t thread;
    memfs_async_request requests[200];
    struct ended ended[200];
};

static void *submit_many(void *argument)
{
    struct submitter *s = argument;
    for (size_t i = 0; i < COUNT_OF(s->requests); i++) {
        s->ended[i] = (struct ended){.count = s->count, .result = 1};
        s->requests[i].data = &s->ended[i];
        memfs_async_append_file(&s->requests[i], "/log", "y", 1, 0644, 0);
        s->requests[i].chain = i % 2 == 0 ? s->chain : NULL;
        if (memfs_async_submit(s->async, &s->requests[i], count_ended) != 0)
            abort();
    }
    return NULL;
}

/* The front of a pool, or one without an executor, which runs all in the threads that submit. */
static void submit_from_many_threads(struct fixture *f, const memfs_async_executor *executor)
{
    static struct submitter submitters[4];
    atomic_int count = 0;
    memfs_async_chain chain = {0};
    memfs_async *async;
    assert_ok(memfs_async_create(f->fs, executor, &async));
    for (size_t i = 0; i < COUNT_OF(submitters); i++) {
        submitters[i] = (struct submitter){
            .f = f, .async = async, .count = &count, .chain = &chain};
        assert_int_equal(pthread_create(&submitters[i].thread, NULL, submit_many, &submitters[i]),
                         0);
    }
    for (size_t i = 0; i < COUNT_OF(submitters); i++)
        assert_int_equal(pthread_join(submitters[i].thread, NULL), 0);
    close_and_wait(async, 0);
    assert_int_equal(atomic_load(&count), 800);
    assert_int_equal(stat_of(f->fs, "/log").size_bytes, 800);
    for (size_t i = 0; i < COUNT_OF(submitters); i++) {
        for (size_t j = 0; j < COUNT_OF(submitters[i].ended); j++)
            assert_ok(submitters[i].ended[j].result);
    }
}

static void many_threads_submit_to_one_front(void **state)
{
    struct fixture *f = *state;
    struct pool pool;
    start_pool(&pool, 3);
    submit_from_many_threads(f, &pool.executor);
    pool_stop(&pool);
    assert_ok(memfs_unlink(f->fs, "/log"));
    submit_from_many_threads(f, NULL);
}

int main(int count, char **words)
{
    if (count == 3 && strcmp(words[1], "--seed") == 0)
        seed = strtoull(words[2], NULL, 10);
    const struct CMUnitTest tests[] = {
        FS_TEST(chains_keep_their_order_whatever_threads_run_them),
        FS_TEST(requests_that_wait_for_locks_keep_no_thread),
        FS_TEST(locks_are_exclusive_and_nothing_is_lost_among_cancels),
        FS_TEST(a_front_closes_with_hundreds_in_flight),
        FS_TEST(owners_may_free_requests_in_their_callbacks),
        FS_TEST(many_threads_submit_to_one_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
