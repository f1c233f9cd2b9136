/* The life of a request, step by step, with an executor that runs what the test tells it to. */
#include "executors.h"

/* Requests that write a letter each at the end of a file, and what their callbacks saw. */
enum { REQUESTS = 8 };

struct flow {
    struct fixture *f;
    memfs *fs;
    memfs_async *async;
    struct manual manual;
    memfs_async_request requests[REQUESTS];
    int64_t results[REQUESTS]; /* 1000: not called back */
    int calls[REQUESTS];
    char called[64]; /* their numbers, in order of the callbacks */
    int closed;
    memfs_file *files[3]; /* of "/locked" */
};

enum { NOT_YET = 1000 };

static void note_end(memfs_async_request *request)
{
    struct flow *flow = request->data;
    size_t number = (size_t)(request - flow->requests);
    size_t length = strlen(flow->called);
    flow->results[number] = request->result;
    flow->calls[number]++;
    flow->called[length] = (char)('0' + number);
    flow->called[length + 1] = '\0';
}

static void note_closed(void *context)
{
    struct flow *flow = context;
    flow->closed++;
}

static struct flow *flow_of(struct fixture *f)
{
    struct flow *flow = calloc(1, sizeof *flow);
    assert_non_null(flow);
    flow->f = f;
    flow->fs = f->fs;
    manual_init(&flow->manual);
    assert_ok(memfs_async_create(f->fs, &flow->manual.executor, &flow->async));
    for (int i = 0; i < REQUESTS; i++) {
        flow->requests[i].data = flow;
        flow->results[i] = NOT_YET;
    }
    for (size_t i = 0; i < COUNT_OF(flow->files); i++)
        flow->files[i] = open_file(f->fs, "/locked", MEMFS_O_RDWR | MEMFS_O_CREATE);
    return flow;
}

static void end_flow(struct flow *flow)
{
    if (flow->closed == 0) {
        assert_ok(memfs_async_close(flow->async, 0, note_closed, flow));
        assert_int_equal(flow->closed, 1);
    }
    assert_int_equal(flow->manual.count, 0);
    for (size_t i = 0; i < COUNT_OF(flow->files); i++)
        assert_ok(memfs_close(flow->files[i]));
    free(flow);
}

static const char letters[] = "01234567";

static int append(struct flow *flow, int number, memfs_async_chain *chain)
{
    memfs_async_request *request = &flow->requests[number];
    memfs_async_append_file(request, "/log", &letters[number], 1, 0644, 0);
    request->chain = chain;
    return memfs_async_submit(flow->async, request, note_end);
}

static int lock(struct flow *flow, int number, int file, int kind)
{
    memfs_async_request *request = &flow->requests[number];
    memfs_async_lock(request, flow->files[file], kind, MEMFS_WAIT_FOREVER);
    return memfs_async_submit(flow->async, request, note_end);
}

static int cancel(struct flow *flow, int number)
{
    return memfs_async_cancel(flow->async, &flow->requests[number]);
}

/* ------------------------------------------------------------------- chains */

static void a_chain_has_one_request_with_the_executor_at_a_time(void **state)
{
    struct flow *flow = flow_of(*state);
    memfs_async_chain chain = {0}, other = {0};
    for (int i = 0; i < 4; i++)
        assert_ok(append(flow, i, &chain));
    assert_int_equal(flow->manual.count, 1);
    assert_ok(append(flow, 4, &other));
    assert_ok(append(flow, 5, NULL));
    assert_int_equal(flow->manual.count, 3);
    manual_run(&flow->manual, 2); /* what has no chain, or another one, goes in between */
    manual_run(&flow->manual, 0);
    assert_string_equal(flow->called, "50");
    manual_run(&flow->manual, 1);
    assert_ok(append(flow, 0, &chain)); /* again, behind the others */
    assert_int_equal(manual_run_all(&flow->manual), 4);
    assert_string_equal(flow->called, "5014230");
    assert_text(flow->fs, "/log", "5014230");
    assert_null(chain.first);
    assert_null(chain.last);
    end_flow(flow);
}

struct connection {
    memfs_async_request requests[3];
    memfs_async_chain chain;
    int *left;
};

static void end_connection(memfs_async_request *request)
{
    struct connection *connection = request->data;
    assert_ok(request->result);
    if (--*connection->left == 0) {
        memset(connection, 0xdd, sizeof *connection);
        free(connection);
    }
}

static void the_last_callback_may_free_the_requests_and_their_chain(void **state)
{
    struct fixture *f = *state;
    for (int inline_too = 0; inline_too < 2; inline_too++) {
        static struct manual manual;
        memfs_async *async;
        struct connection *connection = calloc(1, sizeof *connection);
        int left = 3;
        assert_non_null(connection);
        manual_init(&manual);
        assert_ok(memfs_async_create(f->fs, inline_too ? NULL : &manual.executor, &async));
        connection->left = &left;
        for (int i = 0; i < 3; i++) {
            memfs_async_request *request = &connection->requests[i];
            request->data = connection;
            memfs_async_append_file(request, "/log", &letters[i], 1, 0644, 0);
            request->chain = &connection->chain;
            assert_ok(memfs_async_submit(async, request, end_connection));
        }
        manual_run_all(&manual);
        assert_int_equal(left, 0);
        assert_ok(memfs_async_close(async, 0, NULL, NULL));
    }
    assert_text(f->fs, "/log", "012012");
}

enum { NESTED = 20000 };

struct nest {
    memfs_async *async;
    memfs_async_request *requests;
    memfs_async_chain chain;
    int depth, deepest, ended;
};

static void submit_two_more(memfs_async_request *request)
{
    struct nest *nest = request->data;
    nest->depth++;
    nest->deepest = nest->depth > nest->deepest ? nest->depth : nest->deepest;
    nest->ended++;
    size_t number = (size_t)(request - nest->requests);
    for (size_t next = 2 * number + 1; next <= 2 * number + 2 && next < NESTED; next++) {
        memfs_async_request *more = &nest->requests[next];
        more->data = nest;
        memfs_async_fsync(more, NULL);
        more->chain = next % 2 == 0 ? &nest->chain : NULL;
        assert_ok(memfs_async_submit(nest->async, more, submit_two_more));
    }
    nest->depth--;
}

static int run_at_once(void *context, void (*run)(void *argument), void *argument)
{
    ++*(int *)context;
    run(argument);
    return 0;
}

static void callbacks_that_submit_do_not_nest_without_an_executor(void **state)
{
    struct fixture *f = *state;
    struct nest nest = {.requests = calloc(NESTED, sizeof(memfs_async_request))};
    assert_non_null(nest.requests);
    assert_ok(memfs_async_create(f->fs, NULL, &nest.async));
    nest.requests[0].data = &nest;
    memfs_async_fsync(&nest.requests[0], NULL);
    assert_ok(memfs_async_submit(nest.async, &nest.requests[0], submit_two_more));
    assert_int_equal(nest.ended, NESTED);
    assert_int_equal(nest.deepest, 1);
    assert_ok(memfs_async_close(nest.async, 0, NULL, NULL));
    free(nest.requests);
}

static void count_end(memfs_async_request *request)
{
    ++*(int *)request->data;
}

static void a_long_chain_does_not_nest_in_an_executor_that_runs_at_once(void **state)
{
    struct fixture *f = *state;
    int submitted = 0, ended = 0;
    memfs_async_executor executor = {
        .struct_size = sizeof executor, .context = &submitted, .submit = run_at_once};
    memfs_async *async;
    memfs_file *holder = create_file(f->fs, "/f"), *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    memfs_async_request *requests = calloc(NESTED, sizeof *requests);
    memfs_async_chain chain = {0};
    assert_non_null(requests);
    assert_ok(memfs_lock(holder, MEMFS_LOCK_EXCLUSIVE, 0));
    assert_ok(memfs_async_create(f->fs, &executor, &async));
    for (int i = 0; i < NESTED; i++) {
        requests[i].data = &ended;
        if (i == 0)
            memfs_async_lock(&requests[i], file, MEMFS_LOCK_SHARED, MEMFS_WAIT_FOREVER);
        else
            memfs_async_fsync(&requests[i], file);
        requests[i].chain = &chain;
        assert_ok(memfs_async_submit(async, &requests[i], count_end));
    }
    assert_int_equal(submitted, 1); /* the lock is waited for, and the others for it */
    assert_int_equal(ended, 0);
    assert_ok(memfs_close(holder));
    assert_int_equal(ended, NESTED);
    assert_int_equal(submitted, NESTED + 1);
    assert_ok(memfs_async_close(async, 0, NULL, NULL));
    assert_ok(memfs_close(file));
    free(requests);
}

/* ---------------------------------------------------------------- canceling */

static void what_has_not_begun_is_canceled_and_calls_back_in_its_turn(void **state)
{
    struct flow *flow = flow_of(*state);
    memfs_async_chain chain = {0};
    for (int i = 0; i < 4; i++)
        assert_ok(append(flow, i, &chain));
    assert_ok(append(flow, 4, NULL));
    assert_ok(cancel(flow, 0)); /* with the executor */
    assert_ok(cancel(flow, 2)); /* behind others */
    assert_ok(cancel(flow, 2)); /* twice */
    assert_ok(cancel(flow, 4));
    assert_string_equal(flow->called, "");
    assert_int_equal(manual_run_all(&flow->manual), 5);
    assert_string_equal(flow->called, "04123");
    assert_text(flow->fs, "/log", "13");
    for (int i = 0; i < 5; i++) {
        assert_returns(flow->results[i], i % 2 == 0 ? MEMFS_ECANCELED : 0);
        assert_int_equal(flow->calls[i], 1);
        assert_returns(cancel(flow, i), MEMFS_EBUSY); /* too late */
    }
    assert_ok(append(flow, 2, NULL)); /* the next time it is not canceled */
    manual_run_all(&flow->manual);
    assert_ok(flow->results[2]);
    end_flow(flow);
}

static int64_t cancel_itself(memfs_async_request *request, void *argument)
{
    struct flow *flow = argument;
    assert_int_equal(memfs_async_is_canceled(request), 0);
    assert_returns(memfs_async_cancel(flow->async, request), MEMFS_EBUSY);
    assert_int_equal(memfs_async_is_canceled(request), 1);
    return 42;
}

static void what_runs_is_told_and_ends_with_its_own_result(void **state)
{
    struct flow *flow = flow_of(*state);
    memfs_async_call(&flow->requests[0], cancel_itself, flow);
    assert_ok(memfs_async_submit(flow->async, &flow->requests[0], note_end));
    manual_run_all(&flow->manual);
    assert_returns(flow->results[0], 42);
    end_flow(flow);
}

static void what_waits_for_a_lock_is_canceled_at_once(void **state)
{
    struct flow *flow = flow_of(*state);
    assert_ok(lock(flow, 0, 0, MEMFS_LOCK_EXCLUSIVE));
    assert_ok(lock(flow, 1, 1, MEMFS_LOCK_EXCLUSIVE));
    assert_ok(lock(flow, 2, 2, MEMFS_LOCK_SHARED));
    assert_int_equal(manual_run_all(&flow->manual), 3);
    assert_string_equal(flow->called, "0");
    assert_ok(cancel(flow, 1));
    assert_int_equal(flow->manual.count, 1);
    assert_ok(cancel(flow, 1));
    assert_int_equal(manual_run_all(&flow->manual), 1);
    assert_returns(flow->results[1], MEMFS_ECANCELED);
    assert_ok(memfs_unlock(flow->files[0]));
    assert_returns(cancel(flow, 2), MEMFS_EBUSY); /* it has the lock already */
    assert_int_equal(manual_run_all(&flow->manual), 1);
    assert_ok(flow->results[2]);
    assert_returns(memfs_lock(flow->files[0], MEMFS_LOCK_EXCLUSIVE, 0), MEMFS_EAGAIN);
    assert_string_equal(flow->called, "012");
    end_flow(flow);
}

static void a_lock_request_canceled_before_it_runs_takes_no_lock(void **state)
{
    struct flow *flow = flow_of(*state);
    assert_ok(lock(flow, 0, 0, MEMFS_LOCK_EXCLUSIVE));
    assert_ok(cancel(flow, 0));
    manual_run_all(&flow->manual);
    assert_returns(flow->results[0], MEMFS_ECANCELED);
    assert_ok(memfs_lock(flow->files[1], MEMFS_LOCK_EXCLUSIVE, 0));
    assert_ok(memfs_unlock(flow->files[1]));
    end_flow(flow);
}

/* -------------------------------------------------------------------- locks */

static void locks_are_granted_in_order_by_whatever_lets_them_go(void **state)
{
    struct flow *flow = flow_of(*state);
    assert_ok(memfs_lock(flow->files[0], MEMFS_LOCK_EXCLUSIVE, 0)); /* by a plain call */
    assert_ok(lock(flow, 0, 1, MEMFS_LOCK_EXCLUSIVE));
    assert_ok(lock(flow, 1, 2, MEMFS_LOCK_EXCLUSIVE));
    assert_int_equal(manual_run_all(&flow->manual), 2);
    assert_string_equal(flow->called, "");
    assert_ok(append(flow, 5, NULL)); /* others run meanwhile */
    assert_int_equal(manual_run_all(&flow->manual), 1);
    assert_ok(memfs_unlock(flow->files[0])); /* by a plain call, too */
    assert_string_equal(flow->called, "5");  /* not in the thread of that call */
    assert_int_equal(manual_run_all(&flow->manual), 1);
    assert_string_equal(flow->called, "50");
    memfs_async_unlock(&flow->requests[2], flow->files[1]);
    assert_ok(memfs_async_submit(flow->async, &flow->requests[2], note_end));
    assert_int_equal(manual_run_all(&flow->manual), 2);
    assert_string_equal(flow->called, "5021");
    assert_ok(memfs_unlock(flow->files[2]));
    end_flow(flow);
}

static void a_handle_waits_for_one_lock_at_a_time(void **state)
{
    struct flow *flow = flow_of(*state);
    assert_ok(memfs_lock(flow->files[0], MEMFS_LOCK_EXCLUSIVE, 0));
    assert_ok(lock(flow, 0, 1, MEMFS_LOCK_EXCLUSIVE));
    assert_ok(lock(flow, 1, 1, MEMFS_LOCK_SHARED));
    manual_run_all(&flow->manual);
    assert_returns(flow->results[1], MEMFS_EBUSY);
    assert_ok(memfs_unlock(flow->files[0]));
    manual_run_all(&flow->manual);
    assert_ok(flow->results[0]);
    end_flow(flow);
}

static void a_lock_that_was_given_up_before_its_request_ended_is_tried_again(void **state)
{
    struct flow *flow = flow_of(*state);
    assert_ok(memfs_lock(flow->files[0], MEMFS_LOCK_EXCLUSIVE, 0));
    assert_ok(lock(flow, 0, 1, MEMFS_LOCK_EXCLUSIVE));
    manual_run_all(&flow->manual);
    assert_ok(memfs_unlock(flow->files[0])); /* handle 1 has it now */
    assert_ok(memfs_unlock(flow->files[1]));
    assert_ok(memfs_lock(flow->files[2], MEMFS_LOCK_SHARED, 0));
    manual_run_all(&flow->manual); /* and does not wait in this thread */
    assert_returns(flow->results[0], MEMFS_EAGAIN);
    end_flow(flow);
}

/* ---------------------------------------------------- executors that refuse */

static void a_request_that_the_executor_refuses_is_not_taken(void **state)
{
    struct flow *flow = flow_of(*state);
    memfs_async_chain chain = {0};
    flow->manual.accepts = 0;
    flow->manual.error = MEMFS_EAGAIN;
    assert_returns(append(flow, 0, NULL), MEMFS_EAGAIN);
    assert_returns(append(flow, 1, &chain), MEMFS_EAGAIN);
    assert_null(chain.first);
    assert_returns(cancel(flow, 0), MEMFS_EBUSY);
    flow->manual.accepts = -1;
    assert_ok(append(flow, 1, &chain));
    assert_ok(append(flow, 0, &chain));
    manual_run_all(&flow->manual);
    assert_string_equal(flow->called, "10");
    assert_text(flow->fs, "/log", "10");
    end_flow(flow);
}

static void a_request_that_was_taken_calls_back_though_the_executor_refuses_it_later(void **state)
{
    struct flow *flow = flow_of(*state);
    memfs_async_chain chain = {0};
    for (int i = 0; i < 4; i++)
        assert_ok(append(flow, i, &chain));
    assert_ok(memfs_lock(flow->files[0], MEMFS_LOCK_EXCLUSIVE, 0));
    assert_ok(lock(flow, 5, 1, MEMFS_LOCK_EXCLUSIVE));
    assert_ok(lock(flow, 6, 2, MEMFS_LOCK_EXCLUSIVE));
    manual_run(&flow->manual, 1);
    manual_run(&flow->manual, 1);
    flow->manual.accepts = 0;
    flow->manual.error = MEMFS_ENOMEM;
    manual_run(&flow->manual, 0);
    assert_string_equal(flow->called, "0123");
    for (int i = 1; i < 4; i++)
        assert_returns(flow->results[i], MEMFS_ENOMEM);
    assert_text(flow->fs, "/log", "0");
    assert_ok(memfs_unlock(flow->files[0])); /* the lock is granted, in this thread */
    assert_string_equal(flow->called, "01235");
    assert_ok(flow->results[5]);
    assert_ok(cancel(flow, 6) == 0 ? 0 : MEMFS_EBUSY); /* ends in this thread as well */
    assert_string_equal(flow->called, "012356");
    assert_returns(flow->results[6], MEMFS_ENOMEM);
    assert_returns(memfs_lock(flow->files[2], MEMFS_LOCK_SHARED, 0), MEMFS_EAGAIN);
    end_flow(flow);
}

static int submit_behind(void *context, void (*run)(void *argument), void *argument)
{
    struct flow *flow = context;
    (void)run;
    if (argument == &flow->requests[0])
        assert_ok(append(flow, 1, flow->requests[0].chain)); /* as another thread might */
    return MEMFS_EAGAIN;
}

static void what_came_behind_a_refused_request_calls_back(void **state)
{
    struct flow *flow = flow_of(*state);
    memfs_async *async = flow->async;
    memfs_async_chain chain = {0};
    memfs_async_executor executor = {
        .struct_size = sizeof executor, .context = flow, .submit = submit_behind};
    assert_ok(memfs_async_create(flow->fs, &executor, &flow->async));
    assert_returns(append(flow, 0, &chain), MEMFS_EAGAIN);
    assert_string_equal(flow->called, "1");
    assert_returns(flow->results[1], MEMFS_EAGAIN);
    assert_ok(memfs_async_close(flow->async, 0, NULL, NULL));
    flow->async = async;
    end_flow(flow);
}

/* ------------------------------------------------------------------ closing */

static void closing_waits_for_what_is_in_flight_and_takes_no_more(void **state)
{
    struct flow *flow = flow_of(*state);
    memfs_async_chain chain = {0};
    for (int i = 0; i < 3; i++)
        assert_ok(append(flow, i, &chain));
    assert_ok(memfs_lock(flow->files[0], MEMFS_LOCK_EXCLUSIVE, 0));
    assert_ok(lock(flow, 3, 1, MEMFS_LOCK_EXCLUSIVE));
    manual_run(&flow->manual, 1);
    assert_returns(memfs_destroy(flow->fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_async_close(flow->async, 0, note_closed, flow));
    assert_returns(memfs_async_close(flow->async, 0, note_closed, flow), MEMFS_EBADF);
    assert_returns(append(flow, 4, NULL), MEMFS_EBADF);
    memfs_async_fsync(&flow->requests[4], NULL);
    assert_returns(memfs_async_submit(flow->async, &flow->requests[4], NULL), MEMFS_EBADF);
    assert_int_equal(manual_run_all(&flow->manual), 3);
    assert_int_equal(flow->closed, 0); /* one waits for a lock */
    assert_ok(memfs_unlock(flow->files[0]));
    assert_int_equal(flow->closed, 0);
    assert_int_equal(manual_run_all(&flow->manual), 1);
    assert_int_equal(flow->closed, 1);
    assert_text(flow->fs, "/log", "012");
    assert_ok(flow->results[3]);
    end_flow(flow);
}

static void closing_cancels_what_has_not_begun_if_it_is_to(void **state)
{
    struct flow *flow = flow_of(*state);
    memfs_async_chain chain = {0};
    for (int i = 0; i < 3; i++)
        assert_ok(append(flow, i, &chain));
    assert_ok(memfs_lock(flow->files[0], MEMFS_LOCK_EXCLUSIVE, 0));
    assert_ok(lock(flow, 3, 1, MEMFS_LOCK_EXCLUSIVE));
    assert_ok(lock(flow, 4, 2, MEMFS_LOCK_SHARED));
    manual_run(&flow->manual, 1);
    manual_run(&flow->manual, 1);
    manual_run(&flow->manual, 0);
    assert_ok(memfs_async_close(flow->async, MEMFS_ASYNC_CLOSE_CANCEL, note_closed, flow));
    assert_int_equal(flow->closed, 0);
    assert_int_equal(memfs_async_is_canceled(&flow->requests[1]), 1);
    assert_int_equal(manual_run_all(&flow->manual), 4);
    assert_int_equal(flow->closed, 1);
    assert_ok(flow->results[0]);
    for (int i = 1; i < 5; i++) {
        assert_int_equal(flow->calls[i], 1);
        assert_returns(flow->results[i], MEMFS_ECANCELED);
    }
    assert_text(flow->fs, "/log", "0");
    end_flow(flow);
}

static void close_front(memfs_async_request *request)
{
    struct flow *flow = request->data;
    note_end(request);
    assert_ok(memfs_async_close(flow->async, 0, note_closed, flow));
    assert_int_equal(flow->closed, 0); /* this callback has not returned */
}

static void a_callback_can_close_the_front(void **state)
{
    struct flow *flow = flow_of(*state);
    memfs_async_fsync(&flow->requests[0], flow->files[0]);
    assert_ok(memfs_async_submit(flow->async, &flow->requests[0], close_front));
    manual_run_all(&flow->manual);
    assert_int_equal(flow->closed, 1);
    end_flow(flow);
}

static void destroy_all(void *context)
{
    struct fixture *f = context;
    assert_ok(memfs_destroy(f->fs, 0));
    f->fs = NULL;
}

static void the_file_system_can_be_destroyed_once_the_front_is_closed(void **state)
{
    (void)state;
    static struct manual manual;
    memfs_config config = memfs_config_default();
    struct fixture *f = fixture_create(&config);
    memfs_async *async;
    memfs_async_request request = {.data = NULL};
    int ended = 0;
    assert_non_null(f);
    manual_init(&manual);
    assert_ok(memfs_async_create(f->fs, &manual.executor, &async));
    request.data = &ended;
    memfs_async_mkdir(&request, "/d", 0755);
    assert_ok(memfs_async_submit(async, &request, count_end));
    assert_ok(memfs_async_close(async, 0, destroy_all, f));
    assert_returns(memfs_destroy(f->fs, 0), MEMFS_EBUSY);
    manual_run_all(&manual);
    assert_int_equal(ended, 1);
    assert_null(f->fs);
    tracking_assert_empty(&f->allocator);
    free(f);
}

/* --------------------------------------------------------------- in flight */

static void a_request_in_flight_is_not_taken_again(void **state)
{
    struct flow *flow = flow_of(*state);
    assert_ok(append(flow, 0, NULL));
    assert_returns(memfs_async_submit(flow->async, &flow->requests[0], note_end), MEMFS_EBUSY);
    assert_returns(memfs_async_submit(flow->async, &flow->requests[0], NULL), MEMFS_EBUSY);
    manual_run_all(&flow->manual);
    assert_ok(memfs_async_submit(flow->async, &flow->requests[0], note_end)); /* as it is */
    manual_run_all(&flow->manual);
    assert_text(flow->fs, "/log", "00");
    end_flow(flow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_chain_has_one_request_with_the_executor_at_a_time),
        FS_TEST(the_last_callback_may_free_the_requests_and_their_chain),
        FS_TEST(callbacks_that_submit_do_not_nest_without_an_executor),
        FS_TEST(a_long_chain_does_not_nest_in_an_executor_that_runs_at_once),
        FS_TEST(what_has_not_begun_is_canceled_and_calls_back_in_its_turn),
        FS_TEST(what_runs_is_told_and_ends_with_its_own_result),
        FS_TEST(what_waits_for_a_lock_is_canceled_at_once),
        FS_TEST(a_lock_request_canceled_before_it_runs_takes_no_lock),
        FS_TEST(locks_are_granted_in_order_by_whatever_lets_them_go),
        FS_TEST(a_handle_waits_for_one_lock_at_a_time),
        FS_TEST(a_lock_that_was_given_up_before_its_request_ended_is_tried_again),
        FS_TEST(a_request_that_the_executor_refuses_is_not_taken),
        FS_TEST(a_request_that_was_taken_calls_back_though_the_executor_refuses_it_later),
        FS_TEST(what_came_behind_a_refused_request_calls_back),
        FS_TEST(closing_waits_for_what_is_in_flight_and_takes_no_more),
        FS_TEST(closing_cancels_what_has_not_begun_if_it_is_to),
        FS_TEST(a_callback_can_close_the_front),
        cmocka_unit_test(the_file_system_can_be_destroyed_once_the_front_is_closed),
        FS_TEST(a_request_in_flight_is_not_taken_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
