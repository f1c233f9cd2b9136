/* Requests on a loop of libuv whose pool has two threads. */
#define _POSIX_C_SOURCE 200809L

#include "loops.h"

#include <stdatomic.h>

enum { POOL = 2, REQUESTS = 300 };

/* What a request's callback has to note. */
struct noted {
    memfs_uv_request request;
    struct looped *l;
    int64_t result;
    int calls;
    int order; /* of the callbacks, from 1 */
};

static int callbacks;

static void note(memfs_uv_request *request)
{
    struct noted *noted = request->call.data;
    uv_thread_t self = uv_thread_self();
    assert_true(uv_thread_equal(&self, &noted->l->thread));
    noted->result = request->call.result;
    noted->calls++;
    noted->order = ++callbacks;
}

static struct noted *noted_of(struct looped *l, int count)
{
    struct noted *all = calloc((size_t)count, sizeof *all);
    assert_non_null(all);
    callbacks = 0;
    for (int i = 0; i < count; i++) {
        all[i].l = l;
        all[i].request.call.data = &all[i];
    }
    return all;
}

static int submit(struct noted *noted)
{
    return memfs_uv_submit(noted->l->uv, &noted->request, note);
}

/* ------------------------------------------------------------------ results */

static int64_t is_loops_thread(memfs_async_request *request, void *argument)
{
    const struct looped *l = argument;
    uv_thread_t self = uv_thread_self();
    (void)request;
    return uv_thread_equal(&self, &l->thread) != 0;
}

static void calls_are_made_in_the_pool_and_called_back_by_the_loop(void **state)
{
    struct looped l;
    loop_open(&l, *state);
    assert_ptr_equal(memfs_uv_instance(l.uv), l.fs);
    struct noted *n = noted_of(&l, 5);
    memfs_file *file = NULL;
    memfs_async_open(&n[0].request.call, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file);
    assert_ok(submit(&n[0]));
    memfs_async_call(&n[1].request.call, is_loops_thread, &l);
    assert_ok(submit(&n[1]));
    memfs_async_unlink(&n[2].request.call, "/none");
    assert_ok(submit(&n[2]));
    assert_int_equal(callbacks, 0);
    loop_run(&l);
    assert_int_equal(callbacks, 3);
    assert_ok(n[0].result);
    assert_int_equal(n[1].result, 0);
    assert_returns(n[2].result, MEMFS_ENOENT);
    memfs_async_pwrite(&n[3].request.call, file, "hello", 5, 0);
    assert_ok(submit(&n[3]));
    memfs_async_call(&n[4].request.call, is_loops_thread, &l);
    assert_ok(memfs_uv_submit(l.uv, &n[4].request, NULL)); /* at once, in this thread */
    assert_int_equal(n[4].request.call.result, 1);
    memfs_async_unlink(&n[2].request.call, "/none");
    assert_returns(memfs_uv_submit(l.uv, &n[2].request, NULL), MEMFS_ENOENT);
    loop_run(&l);
    assert_int_equal(n[3].result, 5);
    assert_text(l.fs, "/f", "hello");
    assert_ok(memfs_close(file));
    loop_end(&l);
    free(n);
}

static void a_chain_keeps_the_order_of_calls_and_callbacks(void **state)
{
    struct looped l;
    loop_open(&l, *state);
    struct noted *n = noted_of(&l, REQUESTS);
    memfs_async_chain chains[3] = {{0}, {0}, {0}};
    const char *const logs[] = {"/log-0", "/log-1", "/log-2"};
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    for (int i = 0; i < REQUESTS; i++) {
        memfs_async_append_file(&n[i].request.call, logs[i % 3], &letters[i / 3 % 26], 1, 0644, 0);
        n[i].request.call.chain = &chains[i % 3];
        assert_ok(submit(&n[i]));
    }
    loop_run(&l);
    assert_int_equal(callbacks, REQUESTS);
    for (int i = 0; i < REQUESTS; i++) {
        assert_ok(n[i].result);
        assert_true(i < 3 || n[i].order > n[i - 3].order);
    }
    for (int chain = 0; chain < 3; chain++) {
        void *text;
        size_t size;
        assert_ok(memfs_read_file(l.fs, logs[chain], 1000, &text, &size));
        assert_int_equal(size, REQUESTS / 3);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(((char *)text)[i], letters[i % 26]);
        assert_ok(memfs_free(l.fs, text));
    }
    loop_end(&l);
    free(n);
}

static void submit_again(memfs_uv_request *request)
{
    struct noted *noted = request->call.data;
    note(request);
    if (noted->calls < 40)
        assert_ok(memfs_uv_submit(noted->l->uv, request, submit_again));
}

static void a_request_can_be_submitted_again_by_its_callback(void **state)
{
    struct looped l;
    loop_open(&l, *state);
    struct noted *n = noted_of(&l, 4);
    for (int i = 0; i < 4; i++) {
        memfs_async_append_file(&n[i].request.call, "/log", "x", 1, 0644, 0);
        assert_ok(memfs_uv_submit(l.uv, &n[i].request, submit_again));
        assert_returns(memfs_uv_submit(l.uv, &n[i].request, submit_again), MEMFS_EBUSY);
    }
    loop_run(&l);
    assert_int_equal(callbacks, 160);
    assert_int_equal(stat_of(l.fs, "/log").size_bytes, 160);
    loop_end(&l);
    free(n);
}

static int freed;

static void free_request(memfs_uv_request *request)
{
    memset(request, 0xdd, sizeof *request);
    free(request);
    freed++;
}

static void a_request_can_be_freed_by_its_callback(void **state)
{
    struct looped l;
    loop_open(&l, *state);
    freed = 0;
    for (int i = 0; i < REQUESTS; i++) {
        memfs_uv_request *request = calloc(1, sizeof *request);
        assert_non_null(request);
        memfs_async_append_file(&request->call, "/log", "x", 1, 0644, 0);
        assert_ok(memfs_uv_submit(l.uv, request, free_request));
    }
    loop_run(&l);
    assert_int_equal(freed, REQUESTS);
    loop_end(&l);
}

/* -------------------------------------------------------------------- locks */

static void count_work(uv_work_t *work)
{
    atomic_fetch_add((atomic_int *)work->data, 1);
}

struct unlocking {
    struct looped *l;
    memfs_file *holder;
    struct noted *waiters;
    int left; /* other work to be done first */
    atomic_int worked;
};

static struct unlocking unlocking;

static void let_go_after_the_last(void)
{
    if (--unlocking.left > 0)
        return;
    for (int i = 0; i < 50; i++)
        assert_int_equal(unlocking.waiters[i].calls, 0);
    assert_ok(memfs_unlock(unlocking.holder));
}

static void after_work_of_libuv(uv_work_t *work, int status)
{
    (void)work;
    assert_int_equal(status, 0);
    let_go_after_the_last();
}

static void after_read(memfs_uv_request *request)
{
    note(request);
    assert_int_equal(request->call.result, 1);
    let_go_after_the_last();
}

static void fifty_waiting_locks_leave_the_pool_to_others(void **state)
{
    struct looped l;
    loop_open(&l, *state);
    struct noted *n = noted_of(&l, 50), *reads = noted_of(&l, 100);
    memfs_file *files[50], *holder = create_file(l.fs, "/f");
    uv_work_t work[20];
    char bytes[100];
    put(l.fs, "/other", "x");
    memfs_file *other = open_file(l.fs, "/other", MEMFS_O_READ);
    assert_ok(memfs_lock(holder, MEMFS_LOCK_EXCLUSIVE, 0));
    unlocking = (struct unlocking){.l = &l, .holder = holder, .waiters = n, .left = 120};
    for (int i = 0; i < 50; i++) {
        files[i] = open_file(l.fs, "/f", MEMFS_O_READ);
        memfs_async_lock(&n[i].request.call, files[i], MEMFS_LOCK_SHARED, MEMFS_WAIT_FOREVER);
        assert_ok(submit(&n[i]));
    }
    for (int i = 0; i < 100; i++) {
        memfs_async_pread(&reads[i].request.call, other, &bytes[i], 1, 0);
        assert_ok(memfs_uv_submit(l.uv, &reads[i].request, after_read));
    }
    for (int i = 0; i < 20; i++) {
        work[i].data = &unlocking.worked;
        assert_int_equal(uv_queue_work(&l.loop, &work[i], count_work, after_work_of_libuv), 0);
    }
    loop_run(&l);
    assert_int_equal(atomic_load(&unlocking.worked), 20);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(n[i].calls, 1);
        assert_ok(n[i].result);
        assert_ok(memfs_close(files[i]));
    }
    assert_ok(memfs_close(holder));
    assert_ok(memfs_close(other));
    loop_end(&l);
    free(n);
    free(reads);
}

static void unlock_from_outside(void *argument)
{
    assert_ok(memfs_unlock(argument));
}

static void a_lock_that_another_thread_lets_go_wakes_the_loop(void **state)
{
    struct looped l;
    loop_open(&l, *state);
    for (int round = 0; round < 20; round++) {
        struct noted *n = noted_of(&l, 1);
        uv_thread_t thread;
        memfs_file *holder = create_file(l.fs, "/f"), *file = open_file(l.fs, "/f", MEMFS_O_READ);
        assert_ok(memfs_lock(holder, MEMFS_LOCK_EXCLUSIVE, 0));
        memfs_async_lock(&n[0].request.call, file, MEMFS_LOCK_SHARED, MEMFS_WAIT_FOREVER);
        assert_ok(submit(&n[0]));
        if (round % 2 == 0)
            assert_true(uv_run(&l.loop, UV_RUN_NOWAIT) != 0); /* it waits: the loop is alive */
        assert_int_equal(uv_thread_create(&thread, unlock_from_outside, holder), 0);
        loop_run(&l);
        assert_int_equal(uv_thread_join(&thread), 0);
        assert_int_equal(n[0].calls, 1);
        assert_ok(n[0].result);
        assert_ok(memfs_close(holder));
        assert_ok(memfs_close(file));
        free(n);
    }
    loop_end(&l);
}

/* ---------------------------------------------------------------- canceling */

/* Work that keeps a thread of the pool until the gate is opened. */
struct gate {
    uv_sem_t reached, open;
};

static void stand_at_gate(uv_work_t *work)
{
    struct gate *gate = work->data;
    uv_sem_post(&gate->reached);
    uv_sem_wait(&gate->open);
}

static void pass_gate(uv_work_t *work, int status)
{
    (void)work;
    assert_int_equal(status, 0);
}

static void block_pool(struct looped *l, struct gate *gate, uv_work_t *work)
{
    assert_int_equal(uv_sem_init(&gate->reached, 0), 0);
    assert_int_equal(uv_sem_init(&gate->open, 0), 0);
    for (int i = 0; i < POOL; i++) {
        work[i].data = gate;
        assert_int_equal(uv_queue_work(&l->loop, &work[i], stand_at_gate, pass_gate), 0);
    }
    for (int i = 0; i < POOL; i++)
        uv_sem_wait(&gate->reached);
}

static void open_pool(struct gate *gate)
{
    for (int i = 0; i < POOL; i++)
        uv_sem_post(&gate->open);
}

static void what_is_canceled_calls_back_though_the_pool_is_busy(void **state)
{
    struct looped l;
    loop_open(&l, *state);
    struct noted *n = noted_of(&l, 4);
    memfs_async_chain chain = {0};
    struct gate gate;
    uv_work_t work[POOL];
    block_pool(&l, &gate, work);
    for (int i = 0; i < 4; i++) {
        memfs_async_append_file(&n[i].request.call, "/log", &"abcd"[i], 1, 0644, 0);
        n[i].request.call.chain = i < 3 ? &chain : NULL;
        assert_ok(submit(&n[i]));
    }
    assert_ok(memfs_uv_cancel(l.uv, &n[0].request)); /* queued in the pool, first of its chain */
    assert_ok(memfs_uv_cancel(l.uv, &n[2].request)); /* behind it */
    assert_ok(memfs_uv_cancel(l.uv, &n[0].request));
    assert_int_equal(callbacks, 0);
    while (n[0].calls == 0)
        assert_true(uv_run(&l.loop, UV_RUN_ONCE) != 0);
    assert_returns(n[0].result, MEMFS_ECANCELED);
    assert_int_equal(callbacks, 1);
    open_pool(&gate);
    loop_run(&l);
    assert_int_equal(callbacks, 4);
    assert_ok(n[1].result);
    assert_returns(n[2].result, MEMFS_ECANCELED);
    assert_ok(n[3].result);
    assert_int_equal(stat_of(l.fs, "/log").size_bytes, 2);
    uv_sem_destroy(&gate.reached);
    uv_sem_destroy(&gate.open);
    loop_end(&l);
    free(n);
}

static int64_t run_until_canceled(memfs_async_request *request, void *argument)
{
    uv_sem_post(argument);
    while (!memfs_async_is_canceled(request))
        uv_sem_wait((uv_sem_t *)argument + 1);
    return MEMFS_ECANCELED;
}

static void what_runs_is_asked_to_end(void **state)
{
    struct looped l;
    loop_open(&l, *state);
    struct noted *n = noted_of(&l, 1);
    uv_sem_t semaphores[2]; /* it runs; it is to look again */
    assert_int_equal(uv_sem_init(&semaphores[0], 0), 0);
    assert_int_equal(uv_sem_init(&semaphores[1], 0), 0);
    memfs_async_call(&n[0].request.call, run_until_canceled, semaphores);
    assert_ok(submit(&n[0]));
    uv_sem_wait(&semaphores[0]);
    assert_returns(memfs_uv_cancel(l.uv, &n[0].request), MEMFS_EBUSY);
    uv_sem_post(&semaphores[1]);
    loop_run(&l);
    assert_returns(n[0].result, MEMFS_ECANCELED);
    assert_returns(memfs_uv_cancel(l.uv, &n[0].request), MEMFS_EBUSY);
    assert_returns(memfs_uv_cancel(NULL, &n[0].request), MEMFS_EINVAL);
    assert_returns(memfs_uv_cancel(l.uv, NULL), MEMFS_EINVAL);
    uv_sem_destroy(&semaphores[0]);
    uv_sem_destroy(&semaphores[1]);
    loop_end(&l);
    free(n);
}

/* Until the request has run in the pool: it waits for its lock then, or has called back. */
static void run_to_wait(struct looped *l, const struct noted *noted)
{
    while (noted->request.is_working)
        (void)uv_run(&l->loop, UV_RUN_ONCE);
}

static void a_waiting_lock_is_canceled_and_those_behind_get_it(void **state)
{
    struct looped l;
    loop_open(&l, *state);
    struct noted *n = noted_of(&l, 3);
    memfs_file *files[3];
    const int kinds[] = {MEMFS_LOCK_SHARED, MEMFS_LOCK_EXCLUSIVE, MEMFS_LOCK_SHARED};
    for (int i = 0; i < 3; i++) {
        files[i] = open_file(l.fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE);
        memfs_async_lock(&n[i].request.call, files[i], kinds[i], MEMFS_WAIT_FOREVER);
        assert_ok(submit(&n[i]));
        run_to_wait(&l, &n[i]);
    }
    assert_int_equal(callbacks, 1);
    assert_ok(memfs_uv_cancel(l.uv, &n[1].request));
    loop_run(&l);
    assert_int_equal(callbacks, 3);
    assert_returns(n[1].result, MEMFS_ECANCELED);
    assert_ok(n[2].result);
    for (int i = 0; i < 3; i++)
        assert_ok(memfs_close(files[i]));
    loop_end(&l);
    free(n);
}

/* ---------------------------------------------------------------- the loop */

static void an_idle_front_does_not_keep_the_loop_alive(void **state)
{
    struct looped l;
    loop_open(&l, *state);
    struct noted *n = noted_of(&l, 1);
    assert_int_equal(uv_loop_alive(&l.loop), 0);
    loop_run(&l);
    memfs_async_fsync(&n[0].request.call, NULL);
    assert_ok(submit(&n[0]));
    assert_true(uv_loop_alive(&l.loop) != 0);
    loop_run(&l);
    assert_int_equal(callbacks, 1);
    assert_int_equal(uv_loop_alive(&l.loop), 0);
    assert_int_equal(uv_loop_close(&l.loop), UV_EBUSY); /* the front is open */
    loop_end(&l);
    free(n);
}

static void closing_waits_for_callbacks_and_takes_no_more(void **state)
{
    struct looped l;
    loop_open(&l, *state);
    struct noted *n = noted_of(&l, REQUESTS);
    memfs_async_chain chain = {0};
    for (int i = 0; i < REQUESTS; i++) {
        memfs_async_append_file(&n[i].request.call, "/log", "x", 1, 0644, 0);
        n[i].request.call.chain = i % 2 == 0 ? &chain : NULL;
        assert_ok(submit(&n[i]));
    }
    assert_returns(memfs_uv_close(l.uv, 2, NULL, NULL), MEMFS_EINVAL);
    assert_returns(memfs_uv_close(NULL, 0, NULL, NULL), MEMFS_EINVAL);
    assert_ok(memfs_uv_close(l.uv, 0, loop_note_closed, &l));
    assert_returns(memfs_uv_close(l.uv, 0, NULL, NULL), MEMFS_EBADF);
    struct noted *late = noted_of(&l, 1);
    memfs_async_fsync(&late->request.call, NULL);
    assert_returns(submit(late), MEMFS_EBADF);
    assert_returns(memfs_uv_submit(l.uv, &late->request, NULL), MEMFS_EBADF);
    assert_returns(memfs_destroy(l.fs, 0), MEMFS_EBUSY);
    loop_run(&l);
    assert_int_equal(callbacks, REQUESTS);
    assert_int_equal(stat_of(l.fs, "/log").size_bytes, REQUESTS);
    loop_end(&l);
    free(late);
    free(n);
}

static void closing_can_cancel_what_has_not_begun(void **state)
{
    struct looped l;
    loop_open(&l, *state);
    struct noted *n = noted_of(&l, REQUESTS);
    memfs_async_chain chain = {0};
    memfs_file *holder = create_file(l.fs, "/f"), *file = open_file(l.fs, "/f", MEMFS_O_READ);
    struct gate gate;
    uv_work_t work[POOL];
    assert_ok(memfs_lock(holder, MEMFS_LOCK_EXCLUSIVE, 0));
    memfs_async_lock(&n[0].request.call, file, MEMFS_LOCK_SHARED, MEMFS_WAIT_FOREVER);
    assert_ok(submit(&n[0]));
    run_to_wait(&l, &n[0]);
    block_pool(&l, &gate, work);
    for (int i = 1; i < REQUESTS; i++) {
        memfs_async_append_file(&n[i].request.call, "/log", "x", 1, 0644, 0);
        n[i].request.call.chain = i % 2 == 0 ? &chain : NULL;
        assert_ok(submit(&n[i]));
    }
    assert_ok(memfs_uv_close(l.uv, MEMFS_ASYNC_CLOSE_CANCEL, loop_note_closed, &l));
    open_pool(&gate);
    loop_run(&l);
    for (int i = 0; i < REQUESTS; i++) {
        assert_int_equal(n[i].calls, 1);
        assert_returns(n[i].result, MEMFS_ECANCELED);
    }
    assert_false(is_there(l.fs, "/log"));
    uv_sem_destroy(&gate.reached);
    uv_sem_destroy(&gate.open);
    loop_end(&l);
    assert_ok(memfs_close(holder));
    assert_ok(memfs_close(file));
    free(n);
}

static void close_in_callback(memfs_uv_request *request)
{
    struct noted *noted = request->call.data;
    note(request);
    assert_ok(memfs_uv_close(noted->l->uv, 0, loop_note_closed, noted->l));
}

/* The one before it on the chain, which has called back, and itself. */
static void cancel_too_late(memfs_uv_request *request)
{
    struct noted *noted = request->call.data;
    note(request);
    assert_returns(memfs_uv_cancel(noted->l->uv, &noted[-1].request), MEMFS_EBUSY);
    assert_returns(memfs_uv_cancel(noted->l->uv, request), MEMFS_EBUSY);
}

static void a_callback_can_close_the_front_or_cancel_too_late(void **state)
{
    struct looped l;
    loop_open(&l, *state);
    struct noted *n = noted_of(&l, 2);
    memfs_async_chain chain = {0};
    for (int i = 0; i < 2; i++) {
        memfs_async_append_file(&n[i].request.call, "/log", "x", 1, 0644, 0);
        n[i].request.call.chain = &chain;
    }
    assert_ok(memfs_uv_submit(l.uv, &n[0].request, close_in_callback));
    assert_ok(memfs_uv_submit(l.uv, &n[1].request, cancel_too_late));
    loop_run(&l);
    assert_int_equal(callbacks, 2);
    assert_int_equal(stat_of(l.fs, "/log").size_bytes, 2);
    loop_end(&l);
    free(n);
}

/* -------------------------------------------------------------- two loops */

struct party {
    struct looped looped;
    struct noted *noted;
    memfs_file *file;
    int rounds;
    uv_thread_t thread;
    struct fixture *f;
};

static void pass_it_on(memfs_uv_request *request);

/* Locks, and then unlocks, and so on, while another loop does the same. */
static void next_turn(struct party *party)
{
    struct noted *noted = party->noted;
    if (party->rounds-- == 0)
        return;
    if (party->rounds % 2 == 1)
        memfs_async_lock(&noted->request.call, party->file, MEMFS_LOCK_EXCLUSIVE,
                         MEMFS_WAIT_FOREVER);
    else
        memfs_async_unlock(&noted->request.call, party->file);
    noted->request.call.data = party;
    assert_ok(memfs_uv_submit(party->looped.uv, &noted->request, pass_it_on));
}

static void pass_it_on(memfs_uv_request *request)
{
    assert_ok(request->call.result);
    next_turn(request->call.data);
}

static void run_party(void *argument)
{
    struct party *party = argument;
    party->looped.thread = uv_thread_self();
    next_turn(party);
    loop_run(&party->looped);
}

static void two_loops_hand_a_lock_to_each_other(void **state)
{
    struct fixture *f = *state;
    static struct party parties[2];
    for (int i = 0; i < 2; i++) {
        loop_open(&parties[i].looped, f);
        parties[i].noted = noted_of(&parties[i].looped, 1);
        parties[i].file = open_file(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE);
        parties[i].rounds = 200;
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(uv_thread_create(&parties[i].thread, run_party, &parties[i]), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(uv_thread_join(&parties[i].thread), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(parties[i].rounds, -1);
        parties[i].looped.thread = uv_thread_self();
        loop_end(&parties[i].looped);
        assert_ok(memfs_close(parties[i].file));
        free(parties[i].noted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(calls_are_made_in_the_pool_and_called_back_by_the_loop),
        FS_TEST(a_chain_keeps_the_order_of_calls_and_callbacks),
        FS_TEST(a_request_can_be_submitted_again_by_its_callback),
        FS_TEST(a_request_can_be_freed_by_its_callback),
        FS_TEST(fifty_waiting_locks_leave_the_pool_to_others),
        FS_TEST(a_lock_that_another_thread_lets_go_wakes_the_loop),
        FS_TEST(what_is_canceled_calls_back_though_the_pool_is_busy),
        FS_TEST(what_runs_is_asked_to_end),
        FS_TEST(a_waiting_lock_is_canceled_and_those_behind_get_it),
        FS_TEST(an_idle_front_does_not_keep_the_loop_alive),
        FS_TEST(closing_waits_for_callbacks_and_takes_no_more),
        FS_TEST(closing_can_cancel_what_has_not_begun),
        FS_TEST(a_callback_can_close_the_front_or_cancel_too_late),
        FS_TEST(two_loops_hand_a_lock_to_each_other),
    };
    if (setenv("UV_THREADPOOL_SIZE", "2", 1) != 0) /* POOL, before the first use */
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
