/*
 * A front: which requests are in flight, which of them the executor gets next, and its end.
 *
 * The front's guard protects its fields, the state of each request in flight, and chains.  It is a
 * leaf but for the gates of memfs.  Nothing of the program's is called while it is held.
 */
#ifndef MFS_FRONT_H
#define MFS_FRONT_H

#include "guard.h"
#include "request.h"

struct memfs_async {
    struct mfs_guard guard;
    memfs *fs;
    memfs_async_executor executor; /* `submit` null: none */
    void (*run)(void *request);    /* what the executor is to call */
    uint64_t holds;                /* requests in flight, and calls that use the front */
    memfs_async_request *first_ready, *last_ready; /* for the executor, in order */
    memfs_async_request *waiting;                  /* for locks; see waiting.h */
    bool is_dispatching;                           /* one thread hands the ready ones out */
    bool is_closing;
    atomic_bool is_canceling; /* by memfs_async_close() */
    void (*closed)(void *context);
    void *closed_context;
};

/* Puts a request behind those that are ready; inside the guard.  mfs_front_leave() hands it out. */
void mfs_front_ready(memfs_async *front, memfs_async_request *request);

/*
 * Hands out what is ready, gives up one hold, and leaves the guard.  The front may be gone then.
 * Of all threads that come here, one hands out, and the others go on: so an executor that runs
 * requests at once does not nest them.
 */
void mfs_front_leave(memfs_async *front);

/* Sets the result of a call, and what was refused. */
void mfs_front_note(memfs_async *front, memfs_async_request *request, int64_t result);

/* Ends a request that has run, or is not to run: its callback, then the next one of its chain.
 * Outside of the guard. */
void mfs_front_end(memfs_async *front, memfs_async_request *request, int64_t result);

/* Takes a request off its chain, and returns the one that follows, or null; inside the guard. */
memfs_async_request *mfs_front_unchain(memfs_async_request *request);

/* Whether a request is to end without being run. */
static inline bool mfs_front_is_canceled(const memfs_async *front, memfs_async_request *request)
{
    return atomic_load(&mfs_request_of(request)->is_canceled) || atomic_load(&front->is_canceling);
}

#endif
