/*
 * A front of memfs/async.h whose executor is a loop: libuv takes work only in the loop's thread, so
 * what other threads make ready (the next request of a chain, a lock that was granted) is put on a
 * list, and the loop is woken.
 *
 *     memfs_uv_submit --> front --> arrivals --> libuv's pool --> after_work --> callback
 *     (loop's thread)       ^       (any thread)  (run: the call)  (loop's thread)
 *                           |                         |
 *                           +---- next, granted ------+
 *
 * 1. `arrivals`, `is_draining` and `is_over` change under the mutex.  All else, of the front and of
 *    requests, belongs to the loop's thread, but for has_ended: the pool sets it before the
 *    request's work is over, and the loop looks at it after that.
 * 2. A request's work is with libuv at most once at a time.  If the request is made ready again
 *    before after_work (its lock was granted so soon), after_work queues it again.
 * 3. The callback comes when the request has ended and its work is over: then nobody touches it.
 * 4. What a call in the pool makes ready begins after that call's own callback.  So the next one of
 *    a chain does, unless it was submitted just when the one before ended, and had not been heard
 *    of yet.  Then a thread of the pool that ends later may be heard of earlier; so each chain
 *    lists those of its requests that are still to be called back, and they are called back in its
 *    order.
 * 5. The loop is woken under the mutex, so the handle is there as long as a thread wakes it.
 * 6. The front of memfs/async.h is open as long as a callback is to come, so that requests can be
 *    canceled until then.
 *
 * Cost: a passage of the mutex for each time that a request is made ready, beside what libuv does.
 */
#include <memfs/storage.h>
#include <memfs/uv.h>

#include <assert.h>
#include <stdbool.h>

struct memfs_uv {
    uv_loop_t *loop;
    memfs *fs;
    memfs_async *async;
    uv_async_t wake;
    uv_mutex_t mutex;
    memfs_uv_request *first_arrival, *last_arrival;
    bool is_draining;            /* the loop's thread is about to look at the arrivals */
    bool is_over;                /* the front of memfs/async.h is gone */
    memfs_uv_request *in_flight; /* all of them, the last one first */
    bool is_closing;             /* takes no more requests */
    bool is_last_call;           /* the front of memfs/async.h is being closed */
    bool is_ending;              /* and the handle */
    void (*closed)(void *context);
    void *closed_context;
};

_Static_assert(offsetof(memfs_uv_request, call) == 0, "a request begins with its call");

static memfs_uv_request *request_of(memfs_async_request *call)
{
    return (memfs_uv_request *)(void *)call;
}

/* -------------------------------------------------------------- in any thread */

/* The request that this thread of the pool runs; null: none. */
static _Thread_local memfs_uv_request *current;

/* The executor's `submit`. */
static int arrive(void *context, void (*run)(void *argument), void *argument)
{
    memfs_uv *uv = context;
    memfs_uv_request *request = request_of(argument);
    request->run = run;
    request->next = NULL;
    if (current != NULL && current->front == uv) {
        memfs_uv_request **end = &current->followers;
        while (*end != NULL)
            end = &(*end)->next;
        *end = request;
        return 0;
    }
    uv_mutex_lock(&uv->mutex);
    if (uv->last_arrival != NULL)
        uv->last_arrival->next = request;
    else
        uv->first_arrival = request;
    uv->last_arrival = request;
    if (!uv->is_draining)
        (void)uv_async_send(&uv->wake);
    uv_mutex_unlock(&uv->mutex);
    return 0;
}

static void note_end(memfs_async_request *call)
{
    request_of(call)->has_ended = 1;
}

static void note_over(void *context)
{
    memfs_uv *uv = context;
    uv_mutex_lock(&uv->mutex);
    uv->is_over = true;
    (void)uv_async_send(&uv->wake);
    uv_mutex_unlock(&uv->mutex);
}

static void do_work(uv_work_t *work)
{
    memfs_uv_request *request = work->data;
    current = request;
    request->run(&request->call);
    current = NULL;
}

/* --------------------------------------------------------- in the loop's thread */

static void free_front(uv_handle_t *wake)
{
    memfs_uv *uv = wake->data;
    void (*closed)(void *context) = uv->closed;
    void *context = uv->closed_context;
    memfs *fs = uv->fs;
    uv_mutex_destroy(&uv->mutex);
    (void)memfs_free(fs, uv);
    if (closed != NULL)
        closed(context);
}

static bool is_over(memfs_uv *uv)
{
    uv_mutex_lock(&uv->mutex);
    bool over = uv->is_over;
    uv_mutex_unlock(&uv->mutex);
    return over;
}

/* With nothing in flight, an open front does not keep the loop alive, and a closed one goes. */
static void settle(memfs_uv *uv)
{
    if (uv->in_flight != NULL || uv->is_ending)
        return;
    if (!uv->is_closing) {
        uv_unref((uv_handle_t *)&uv->wake);
        return;
    }
    if (!uv->is_last_call) {
        uv->is_last_call = true;
        (void)memfs_async_close(uv->async, 0, note_over, uv);
    }
    if (is_over(uv)) {
        uv->is_ending = true;
        uv_close((uv_handle_t *)&uv->wake, free_front);
    }
}

static void list_request(memfs_uv *uv, memfs_uv_request *request)
{
    request->flies_before = NULL;
    request->flies_after = uv->in_flight;
    if (uv->in_flight != NULL)
        uv->in_flight->flies_before = request;
    uv->in_flight = request;
}

static void unlist_request(memfs_uv *uv, memfs_uv_request *request)
{
    if (request->flies_before != NULL)
        request->flies_before->flies_after = request->flies_after;
    else
        uv->in_flight = request->flies_after;
    if (request->flies_after != NULL)
        request->flies_after->flies_before = request->flies_before;
}

/* The callback may submit the request again, or free it. */
static void call_back(memfs_uv *uv, memfs_uv_request *request)
{
    unlist_request(uv, request);
    request->front = NULL;
    request->callback(request);
    settle(uv);
}

/* A chain's executor_link: the first and the last of its requests that are to be called back. */
static void append_to_chain(memfs_uv_request *request)
{
    memfs_async_chain *chain = request->call.chain;
    request->next_on_chain = NULL;
    if (chain == NULL)
        return;
    if (chain->executor_link[0] == NULL)
        chain->executor_link[0] = request;
    else
        ((memfs_uv_request *)chain->executor_link[1])->next_on_chain = request;
    chain->executor_link[1] = request;
}

static bool has_come_to_its_end(const memfs_uv_request *request)
{
    return !request->is_working && !request->is_wanted_again && request->has_ended;
}

/* Calls back a request that has ended, unless it is not its turn on its chain, and those behind it
 * whose turn has come by that.  The chain may be gone when its last request is called back. */
static void call_back_in_turn(memfs_uv *uv, memfs_uv_request *request)
{
    memfs_async_chain *chain = request->call.chain;
    if (chain == NULL) {
        call_back(uv, request);
        return;
    }
    if (chain->executor_link[0] != request)
        return;
    while (request != NULL && has_come_to_its_end(request)) {
        memfs_uv_request *next = request->next_on_chain;
        chain->executor_link[0] = next;
        call_back(uv, request);
        request = next;
    }
}

static void after_work(uv_work_t *work, int status);

static void start(memfs_uv_request *request)
{
    if (request->is_working) {
        request->is_wanted_again = 1;
        return;
    }
    request->is_working = 1;
    request->work.data = request;
    int error = uv_queue_work(request->front->loop, &request->work, do_work, after_work);
    assert(error == 0);
    (void)error;
}

static void start_all(memfs_uv_request *first)
{
    while (first != NULL) {
        memfs_uv_request *next = first->next;
        start(first);
        first = next;
    }
}

static void after_work(uv_work_t *work, int status)
{
    memfs_uv_request *request = work->data;
    memfs_uv *uv = request->front;
    request->is_working = 0;
    if (status == UV_ECANCELED)
        request->run(&request->call); /* it is canceled, and so makes no call */
    memfs_uv_request *followers = request->followers;
    request->followers = NULL;
    if (request->is_wanted_again) {
        request->is_wanted_again = 0;
        start(request);
    } else if (request->has_ended) {
        call_back_in_turn(uv, request);
    }
    start_all(followers);
}

static void drain(memfs_uv *uv)
{
    uv_mutex_lock(&uv->mutex);
    memfs_uv_request *arrivals = uv->first_arrival;
    uv->first_arrival = uv->last_arrival = NULL;
    uv->is_draining = false;
    uv_mutex_unlock(&uv->mutex);
    start_all(arrivals);
}

static void on_wake(uv_async_t *wake)
{
    memfs_uv *uv = wake->data;
    drain(uv);
    settle(uv);
}

/* ------------------------------------------------------------------- public */

/* Makes the front's mutex and handle.  The handle cannot be given up at once, so it comes last. */
static int init_front(memfs_uv *uv)
{
    const memfs_async_executor executor = {
        .struct_size = sizeof executor, .context = uv, .submit = arrive};
    if (uv_mutex_init(&uv->mutex) != 0)
        return MEMFS_ENOMEM;
    int error = memfs_async_create(uv->fs, &executor, &uv->async);
    if (error == 0 && uv_async_init(uv->loop, &uv->wake, on_wake) != 0) {
        (void)memfs_async_close(uv->async, 0, NULL, NULL);
        error = MEMFS_EIO;
    }
    if (error != 0)
        uv_mutex_destroy(&uv->mutex);
    return error;
}

int memfs_uv_create(uv_loop_t *loop, memfs *fs, memfs_uv **out)
{
    void *memory;
    if (loop == NULL || fs == NULL || out == NULL)
        return MEMFS_EINVAL;
    int error = memfs_charged_alloc(fs, sizeof(memfs_uv), &memory);
    if (error != 0)
        return error;
    memfs_uv *uv = memory;
    uv->loop = loop;
    uv->fs = fs;
    error = init_front(uv);
    if (error != 0) {
        (void)memfs_free(fs, uv);
        return error;
    }
    uv->wake.data = uv;
    uv_unref((uv_handle_t *)&uv->wake);
    *out = uv;
    return 0;
}

memfs *memfs_uv_instance(memfs_uv *uv)
{
    return uv != NULL ? uv->fs : NULL;
}

int memfs_uv_submit(memfs_uv *uv, memfs_uv_request *request, memfs_uv_callback callback)
{
    if (uv == NULL || request == NULL)
        return MEMFS_EINVAL;
    if (uv->is_closing)
        return MEMFS_EBADF;
    if (request->front != NULL)
        return MEMFS_EBUSY; /* its callback is still to come, even if the call has ended */
    if (callback == NULL)
        return memfs_async_submit(uv->async, &request->call, NULL);
    uv_mutex_lock(&uv->mutex);
    uv->is_draining = true;
    uv_mutex_unlock(&uv->mutex);
    int error = memfs_async_submit(uv->async, &request->call, note_end);
    if (error == 0) {
        /* It has arrived at most, and nothing more happens to it before drain(). */
        request->front = uv;
        request->callback = callback;
        request->followers = NULL;
        request->is_working = request->is_wanted_again = request->has_ended = 0;
        list_request(uv, request);
        append_to_chain(request);
        uv_ref((uv_handle_t *)&uv->wake);
    }
    drain(uv);
    return error;
}

int memfs_uv_cancel(memfs_uv *uv, memfs_uv_request *request)
{
    if (uv == NULL || request == NULL)
        return MEMFS_EINVAL;
    if (uv->is_last_call)
        return MEMFS_EBUSY;
    int error = memfs_async_cancel(uv->async, &request->call);
    if (error == 0 && request->is_working)
        (void)uv_cancel((uv_req_t *)&request->work);
    return error;
}

int memfs_uv_close(memfs_uv *uv, unsigned flags, void (*closed)(void *context), void *context)
{
    if (uv == NULL || (flags & ~MEMFS_ASYNC_CLOSE_CANCEL) != 0)
        return MEMFS_EINVAL;
    if (uv->is_closing)
        return MEMFS_EBADF;
    uv->is_closing = true;
    uv->closed = closed;
    uv->closed_context = context;
    uv_ref((uv_handle_t *)&uv->wake);
    if ((flags & MEMFS_ASYNC_CLOSE_CANCEL) != 0) {
        for (memfs_uv_request *at = uv->in_flight; at != NULL; at = at->flies_after)
            (void)memfs_uv_cancel(uv, at);
    }
    settle(uv);
    return 0;
}
