/*
 * A ticket may be granted at any moment, in any thread: while it is put in line, while it is taken
 * out, or between the two.
 *
 * 1. In state QUEUEING one thread decides how the request goes on, and the ticket's function only
 *    notes that it was called (is_granted).  In state WAITING the function makes the request ready.
 * 2. The guard is not held while a ticket is put in line or taken out, since that may grant others.
 * 3. A granted request runs once more, through the executor: memfs_lock() then finds that the
 *    handle has the lock, and waits for calls that looked at the file before.
 *
 * Cost: nothing while a request waits.
 */
#include "waiting.h"

#include "calls.h"

#include <assert.h>

enum { QUEUED = 1 }; /* as memfs_lock_queue() says it */

static void list_waiter(memfs_async *front, memfs_async_request *request)
{
    struct mfs_request *inner = mfs_request_of(request);
    inner->state = MFS_REQUEST_WAITING;
    inner->is_listed = true;
    inner->waits_before = NULL;
    inner->waits_after = front->waiting;
    if (front->waiting != NULL)
        mfs_request_of(front->waiting)->waits_before = request;
    front->waiting = request;
}

static void unlist_waiter(memfs_async *front, memfs_async_request *request)
{
    struct mfs_request *inner = mfs_request_of(request);
    if (!inner->is_listed)
        return;
    inner->is_listed = false;
    if (inner->waits_before != NULL)
        mfs_request_of(inner->waits_before)->waits_after = inner->waits_after;
    else
        front->waiting = inner->waits_after;
    if (inner->waits_after != NULL)
        mfs_request_of(inner->waits_after)->waits_before = inner->waits_before;
}

/* In the thread of the call that has let the lock go. */
static void note_lock(memfs_lock_ticket *ticket)
{
    memfs_async_request *request = ticket->context;
    struct mfs_request *inner = mfs_request_of(request);
    memfs_async *front = inner->front;
    mfs_guard_enter(&front->guard);
    inner->is_granted = true;
    if (inner->state != MFS_REQUEST_WAITING) {
        mfs_guard_leave(&front->guard);
        return;
    }
    unlist_waiter(front, request);
    front->holds++;
    mfs_front_ready(front, request);
    mfs_front_leave(front);
}

bool mfs_waiting_may_be_long(memfs_async_request *request)
{
    const struct mfs_request *inner = mfs_request_of(request);
    return request->operation == MEMFS_ASYNC_LOCK && !inner->is_granted &&
           inner->arguments.offset == MEMFS_WAIT_FOREVER;
}

/* The ticket was put in line; inside the guard, which it leaves. */
static void wait_or_end(memfs_async *front, memfs_async_request *request)
{
    struct mfs_request *inner = mfs_request_of(request);
    bool is_taken_out = false;
    if (!inner->is_granted && mfs_front_is_canceled(front, request)) {
        mfs_guard_leave(&front->guard);
        is_taken_out = memfs_lock_unqueue(inner->arguments.file, &inner->ticket) == 0;
        mfs_guard_enter(&front->guard);
    }
    bool ends = is_taken_out || inner->is_granted;
    if (!ends)
        list_waiter(front, request);
    mfs_guard_leave(&front->guard);
    if (ends)
        mfs_front_end(front, request,
                      is_taken_out ? MEMFS_ECANCELED : mfs_calls_run(front->fs, request));
}

void mfs_waiting_run(memfs_async *front, memfs_async_request *request)
{
    struct mfs_request *inner = mfs_request_of(request);
    int result = mfs_calls_check(front->fs, request);
    if (result == 0) {
        mfs_guard_enter(&front->guard);
        inner->state = MFS_REQUEST_QUEUEING;
        mfs_guard_leave(&front->guard);
        inner->ticket = (memfs_lock_ticket){.granted = note_lock, .context = request};
        result = memfs_lock_queue(inner->arguments.file, (int)inner->arguments.flags,
                                  &inner->ticket);
    }
    if (result != QUEUED) {
        mfs_front_end(front, request, result);
        return;
    }
    mfs_guard_enter(&front->guard);
    wait_or_end(front, request);
}

bool mfs_waiting_cancel(memfs_async *front, memfs_async_request *request)
{
    struct mfs_request *inner = mfs_request_of(request);
    assert(inner->state == MFS_REQUEST_WAITING);
    unlist_waiter(front, request);
    inner->state = MFS_REQUEST_QUEUEING;
    atomic_store(&inner->is_canceled, true);
    mfs_guard_leave(&front->guard);
    bool is_taken_out = memfs_lock_unqueue(inner->arguments.file, &inner->ticket) == 0;
    mfs_guard_enter(&front->guard);
    if (is_taken_out || inner->is_granted)
        mfs_front_ready(front, request);
    else
        inner->state = MFS_REQUEST_WAITING; /* its ticket's function is about to come */
    return is_taken_out;
}
