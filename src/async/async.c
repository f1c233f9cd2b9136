/*
 * The functions of a front: a request goes in by memfs_async_submit(), comes out of the executor in
 * run_request(), and may be canceled in between.
 */
#include "callerstruct.h"
#include "calls.h"
#include "waiting.h"

static int copy_executor(const memfs_async_executor *from, memfs_async_executor *to)
{
    if (from != NULL &&
        from->struct_size < offsetof(memfs_async_executor, submit) + sizeof from->submit)
        return MEMFS_EINVAL;
    int error = mfs_callerstruct_read(to, sizeof *to, from);
    if (error != 0)
        return error;
    return from == NULL || to->submit != NULL ? 0 : MEMFS_EINVAL;
}

/* In a thread of the executor.  The request may be gone then, and the front. */
static void run_request(void *argument)
{
    memfs_async_request *request = argument;
    struct mfs_request *inner = mfs_request_of(request);
    memfs_async *front = inner->front;
    mfs_guard_enter(&front->guard);
    bool is_canceled = !inner->is_granted && mfs_front_is_canceled(front, request);
    inner->state = MFS_REQUEST_RUNNING;
    mfs_guard_leave(&front->guard);
    if (is_canceled)
        mfs_front_end(front, request, MEMFS_ECANCELED);
    else if (mfs_waiting_may_be_long(request))
        mfs_waiting_run(front, request);
    else
        mfs_front_end(front, request, mfs_calls_run(front->fs, request));
}

int memfs_async_create(memfs *fs, const memfs_async_executor *executor, memfs_async **out)
{
    memfs_async_executor copy;
    if (fs == NULL || out == NULL)
        return MEMFS_EINVAL;
    int error = copy_executor(executor, &copy);
    if (error != 0)
        return error;
    void *memory;
    error = memfs_charged_alloc(fs, sizeof(memfs_async), &memory);
    if (error != 0)
        return error;
    memfs_async *front = memory;
    error = mfs_guard_init(&front->guard);
    if (error != 0) {
        (void)memfs_free(fs, front);
        return error;
    }
    front->fs = fs;
    front->executor = copy;
    front->run = run_request;
    *out = front;
    return 0;
}

memfs *memfs_async_instance(memfs_async *async)
{
    return async != NULL ? async->fs : NULL;
}

int memfs_async_close(memfs_async *async, unsigned flags, void (*closed)(void *context),
                      void *context)
{
    if (async == NULL || (flags & ~MEMFS_ASYNC_CLOSE_CANCEL) != 0)
        return MEMFS_EINVAL;
    mfs_guard_enter(&async->guard);
    if (async->is_closing) {
        mfs_guard_leave(&async->guard);
        return MEMFS_EBADF;
    }
    async->holds++;
    async->is_closing = true;
    async->closed = closed;
    async->closed_context = context;
    if ((flags & MEMFS_ASYNC_CLOSE_CANCEL) != 0) {
        atomic_store(&async->is_canceling, true);
        while (async->waiting != NULL)
            (void)mfs_waiting_cancel(async, async->waiting);
    }
    mfs_front_leave(async);
    return 0;
}

/* -------------------------------------------------------------- submitting */

static int check_submission(memfs_async *async, memfs_async_request *request,
                            memfs_async_callback callback)
{
    if (async == NULL || request == NULL || !mfs_calls_has(request->operation))
        return MEMFS_EINVAL;
    return callback == NULL && request->chain != NULL ? MEMFS_EINVAL : 0;
}

/* Takes the request in flight, with a hold; enters the guard, and stays there if it succeeds. */
static int take(memfs_async *async, memfs_async_request *request, memfs_async_callback callback)
{
    struct mfs_request *inner = mfs_request_of(request);
    mfs_guard_enter(&async->guard);
    int error = async->is_closing                   ? MEMFS_EBADF
                : mfs_request_is_in_flight(request) ? MEMFS_EBUSY
                                                    : 0;
    if (error != 0) {
        mfs_guard_leave(&async->guard);
        return error;
    }
    async->holds++;
    inner->front = async;
    inner->callback = callback;
    inner->next_in_chain = NULL;
    inner->is_granted = false;
    atomic_store(&inner->is_canceled, false);
    inner->state = MFS_REQUEST_SUBMITTED;
    return 0;
}

/* Makes the call at once. */
static int perform(memfs_async *async, memfs_async_request *request)
{
    int error = take(async, request, NULL);
    if (error != 0)
        return error;
    mfs_request_of(request)->state = MFS_REQUEST_RUNNING;
    mfs_guard_leave(&async->guard);
    int64_t result = mfs_calls_run(async->fs, request);
    mfs_front_note(async, request, result);
    mfs_guard_enter(&async->guard);
    mfs_request_of(request)->state = MFS_REQUEST_ENDED;
    mfs_front_leave(async);
    return result < 0 ? (int)result : 0;
}

/* True if another one is before it on its chain; inside the guard. */
static bool enchain(memfs_async_request *request)
{
    memfs_async_chain *chain = request->chain;
    if (chain == NULL)
        return false;
    bool is_behind = chain->last != NULL;
    if (is_behind) {
        mfs_request_of(request)->state = MFS_REQUEST_CHAINED;
        mfs_request_of(chain->last)->next_in_chain = request;
    } else {
        chain->first = request;
    }
    chain->last = request;
    return is_behind;
}

/* What the executor refuses is not in flight any more; what came behind it meanwhile, is. */
static int give_back(memfs_async *async, memfs_async_request *request, int error)
{
    mfs_guard_enter(&async->guard);
    memfs_async_request *next = mfs_front_unchain(request);
    mfs_request_of(request)->state = MFS_REQUEST_ENDED;
    if (next != NULL)
        mfs_front_ready(async, next);
    mfs_front_leave(async);
    return error;
}

int memfs_async_submit(memfs_async *async, memfs_async_request *request,
                       memfs_async_callback callback)
{
    int error = check_submission(async, request, callback);
    if (error == 0 && callback == NULL)
        return perform(async, request);
    if (error == 0)
        error = take(async, request, callback);
    if (error != 0)
        return error;
    if (enchain(request)) {
        mfs_guard_leave(&async->guard);
        return 0;
    }
    if (async->executor.submit == NULL) {
        async->holds++;
        mfs_front_ready(async, request);
        mfs_front_leave(async);
        return 0;
    }
    mfs_guard_leave(&async->guard);
    error = async->executor.submit(async->executor.context, async->run, request);
    return error == 0 ? 0 : give_back(async, request, error);
}

/* --------------------------------------------------------------- canceling */

int memfs_async_cancel(memfs_async *async, memfs_async_request *request)
{
    if (async == NULL || request == NULL)
        return MEMFS_EINVAL;
    struct mfs_request *inner = mfs_request_of(request);
    mfs_guard_enter(&async->guard);
    bool is_canceled = false;
    async->holds++;
    switch (inner->state) {
    case MFS_REQUEST_CHAINED:
    case MFS_REQUEST_SUBMITTED:
        atomic_store(&inner->is_canceled, true);
        is_canceled = !inner->is_granted;
        break;
    case MFS_REQUEST_WAITING:
        is_canceled = mfs_waiting_cancel(async, request);
        break;
    case MFS_REQUEST_RUNNING:
    case MFS_REQUEST_QUEUEING:
        atomic_store(&inner->is_canceled, true);
        break;
    case MFS_REQUEST_NEW:
    case MFS_REQUEST_ENDED:
        break;
    }
    mfs_front_leave(async);
    return is_canceled ? 0 : MEMFS_EBUSY;
}

int memfs_async_is_canceled(const memfs_async_request *request)
{
    if (request == NULL)
        return 0;
    const struct mfs_request *inner = (const struct mfs_request *)(const void *)request->opaque;
    return inner->front != NULL &&
                   (atomic_load(&inner->is_canceled) || atomic_load(&inner->front->is_canceling))
               ? 1
               : 0;
}
