/* Requests that wait for whole-file locks: by a ticket (memfs/storage.h), without a thread. */
#ifndef MFS_WAITING_H
#define MFS_WAITING_H

#include "front.h"

/* Whether the request is one for a lock that it would have to wait for. */
bool mfs_waiting_may_be_long(memfs_async_request *request);

/* Takes the lock and ends the request, or leaves it waiting.  Outside of the guard, in the thread
 * that runs the request. */
void mfs_waiting_run(memfs_async *front, memfs_async_request *request);

/*
 * Cancels a request that is WAITING.  True if it will do nothing; false if it has got its lock.
 * Inside the guard, which it leaves for a moment; the caller has a hold, and calls
 * mfs_front_leave() in the end.
 */
bool mfs_waiting_cancel(memfs_async *front, memfs_async_request *request);

#endif
