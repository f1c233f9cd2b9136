/*
 * Calls that an observer is asked about (node/observer.h): before they do anything, and when they
 * have done it.  Without one, a call costs a comparison more.
 *
 *     return (int)MFS_CALL(fs, remove_once, &removal, .what = MEMFS_OP_REMOVE, .path = path);
 *
 * MFS_CALL() makes the call as it is, MFS_CALL_GROWING() by mfs_retry_run().
 */
#ifndef MFS_CALL_H
#define MFS_CALL_H

#include "api/retry.h"

#include <memfs/fault.h>

static inline bool mfs_call_is_observed(const memfs *fs)
{
    return mfs_fs_is_valid(fs) && MFS_OBSERVER_IS(fs->nodes.observer);
}

static inline int64_t mfs_call_observed(memfs *fs, const struct mfs_operation *operation,
                                        bool may_grow, mfs_retry_attempt attempt,
                                        const void *arguments)
{
    struct mfs_observer *observer = fs->nodes.observer;
    int64_t result = observer->before(observer, operation);
    if (result != 0)
        return result;
    result = may_grow ? mfs_retry_run(fs, attempt, arguments) : attempt(arguments);
    return observer->after(observer, operation, result);
}

#define MFS_CALL(fs, attempt, arguments, ...) \
    (mfs_call_is_observed(fs) ? mfs_call_observed(fs, &(const struct mfs_operation){__VA_ARGS__}, \
                                                  false, attempt, arguments) \
                              : attempt(arguments))

#define MFS_CALL_GROWING(fs, attempt, arguments, ...) \
    (mfs_call_is_observed(fs) ? mfs_call_observed(fs, &(const struct mfs_operation){__VA_ARGS__}, \
                                                  true, attempt, arguments) \
                              : mfs_retry_run(fs, attempt, arguments))

#endif
