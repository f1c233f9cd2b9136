/*
 * 1. A request in flight has one hold on the front, from its submission until its callback has
 *    returned.  A call that goes on with the front where no request keeps it has one as well.  The
 *    front ends when it is closing and the last hold goes.
 * 2. A chain's first request is ready, with the executor, running or waiting; the others are
 *    CHAINED.  It leaves the chain before its callback, so the callback of the last one may free
 *    the chain; the one behind it is ready only after the callback.
 * 3. After its callback was called, a request is not touched.
 * 4. One thread at a time hands out; what becomes ready meanwhile is handed out by that thread
 *    before it stops.
 *
 * Cost: two passages of the guard for a submission, and three for a request that is run.
 */
#include "front.h"

#include "calls.h"

#include <assert.h>

void mfs_front_ready(memfs_async *front, memfs_async_request *request)
{
    struct mfs_request *inner = mfs_request_of(request);
    inner->state = MFS_REQUEST_SUBMITTED;
    inner->next_ready = NULL;
    if (front->last_ready != NULL)
        mfs_request_of(front->last_ready)->next_ready = request;
    else
        front->first_ready = request;
    front->last_ready = request;
}

static memfs_async_request *take_ready(memfs_async *front)
{
    memfs_async_request *request = front->first_ready;
    if (request != NULL) {
        front->first_ready = mfs_request_of(request)->next_ready;
        if (front->first_ready == NULL)
            front->last_ready = NULL;
    }
    return request;
}

/* Outside of the guard.  The request may be gone then. */
static void hand_out(memfs_async *front, memfs_async_request *request)
{
    if (front->executor.submit == NULL) {
        front->run(request);
        return;
    }
    bool is_granted = mfs_request_of(request)->is_granted;
    int error = front->executor.submit(front->executor.context, front->run, request);
    if (error != 0)
        mfs_front_end(front, request, is_granted ? mfs_calls_run(front->fs, request) : error);
}

static void end_front(memfs_async *front)
{
    memfs *fs = front->fs;
    void (*closed)(void *context) = front->closed;
    void *context = front->closed_context;
    assert(front->first_ready == NULL && front->waiting == NULL);
    mfs_guard_fini(&front->guard);
    (void)memfs_free(fs, front);
    if (closed != NULL)
        closed(context);
}

void mfs_front_leave(memfs_async *front)
{
    memfs_async_request *request;
    if (!front->is_dispatching) {
        front->is_dispatching = true;
        while ((request = take_ready(front)) != NULL) {
            mfs_guard_leave(&front->guard);
            hand_out(front, request);
            mfs_guard_enter(&front->guard);
        }
        front->is_dispatching = false;
    }
    assert(front->holds > 0);
    front->holds--;
    bool is_over = front->holds == 0 && front->is_closing;
    mfs_guard_leave(&front->guard);
    if (is_over)
        end_front(front);
}

memfs_async_request *mfs_front_unchain(memfs_async_request *request)
{
    memfs_async_chain *chain = request->chain;
    if (chain == NULL)
        return NULL;
    assert(chain->first == request);
    chain->first = mfs_request_of(request)->next_in_chain;
    if (chain->first == NULL)
        chain->last = NULL;
    return chain->first;
}

void mfs_front_note(memfs_async *front, memfs_async_request *request, int64_t result)
{
    request->result = result;
    request->refusal = (memfs_refusal){.struct_size = sizeof request->refusal};
    if (result == MEMFS_EDQUOT || result == MEMFS_ENOSPC || result == MEMFS_ENOMEM)
        (void)memfs_last_refusal(front->fs, &request->refusal);
}

void mfs_front_end(memfs_async *front, memfs_async_request *request, int64_t result)
{
    struct mfs_request *inner = mfs_request_of(request);
    memfs_async_callback callback = inner->callback;
    mfs_front_note(front, request, result);
    mfs_guard_enter(&front->guard);
    memfs_async_request *next = mfs_front_unchain(request);
    inner->state = MFS_REQUEST_ENDED;
    mfs_guard_leave(&front->guard);
    callback(request);
    mfs_guard_enter(&front->guard);
    if (next != NULL)
        mfs_front_ready(front, next);
    mfs_front_leave(front);
}
