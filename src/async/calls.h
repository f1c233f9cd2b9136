/* The calls behind the operations. */
#ifndef MFS_CALLS_H
#define MFS_CALLS_H

#include <memfs/async.h>
#include <stdbool.h>

/* Whether there is an operation of this number. */
bool mfs_calls_has(int operation);

/* Whether a request fits the file system of its front.  Errors: EINVAL, EXDEV.  Never blocks. */
int mfs_calls_check(memfs *fs, memfs_async_request *request);

/* Checks, and makes the call, in this thread.  What the call returns, or the error. */
int64_t mfs_calls_run(memfs *fs, memfs_async_request *request);

#endif
