/*
 * Running a call again after a limit has refused it.
 *
 * An exported function that may grow something puts its arguments into an operation struct and
 * hands that to mfs_retry_run() with a function that makes one attempt.  An attempt that fails has
 * undone all that it did.  If memory or the node limit refused it, spare handles (node/handle.h)
 * are given back, and if there were any, it is made again.  Then its figures become those of the
 * thread's last refusal.  If it was the quota or the node limit, the callback for refusals is
 * asked, with no lock held; if that has made room, the attempt is made again.
 *
 *     struct making_dir call = {fs, at, path, mode};
 *     return (int)mfs_retry_run(fs, make_dir_once, &call);
 */
#ifndef MFS_RETRY_H
#define MFS_RETRY_H

#include "instance/fs.h"
#include "memory/refusal.h"

/* One attempt; `operation` is the caller's struct of arguments.  A count, 0, or an error. */
typedef int64_t (*mfs_retry_attempt)(const void *operation);

/* `fs` may be null, or no file system, if the attempt then fails otherwise than by a limit. */
static inline int64_t mfs_retry_run(memfs *fs, mfs_retry_attempt attempt, const void *operation)
{
    mfs_refusal_begin();
    int64_t result = attempt(operation);
    /* Once: an attempt may leave a spare of its own. */
    if (mfs_fs_is_refusal(result) && mfs_fs_give_spares(fs)) {
        mfs_refusal_begin();
        result = attempt(operation);
    }
    while (mfs_fs_is_refusal(result) && mfs_fs_settle_refusal(fs, (int)result)) {
        mfs_refusal_begin();
        result = attempt(operation);
    }
    return result;
}

/* The file system of a handle, or null for what is no open handle. */
static inline memfs *mfs_retry_fs_of(const memfs_file *file)
{
    return file != NULL && mfs_sync_is_marked(file->magic, MFS_FILE_MAGIC) ? file->fs : NULL;
}

#endif
