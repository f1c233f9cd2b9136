/*
 * memfs/async.h: the calls of memfs as requests, for programs that must not wait.
 *
 * A request is one call: a struct in the caller's memory, which is submitted, run by an executor
 * that the program brings (a thread pool, say), and handed to a callback with its result.  Nothing
 * is allocated for it.  memfs/uv.h has the same on a loop of libuv.
 *
 *     #include <memfs/async.h>
 *     #include <stdio.h>
 *
 *     static void stored(memfs_async_request *request)
 *     {
 *         printf("%s: %s\n", (const char *)request->data,
 *                memfs_error_text((int)request->result));
 *     }
 *
 *     int main(void)
 *     {
 *         memfs *fs;
 *         memfs_async *async;
 *         memfs_async_request request;
 *         if (memfs_create(NULL, &fs) != 0 ||
 *             memfs_async_create(fs, NULL, &async) != 0) // NULL: no threads, see below
 *             return 1;
 *         request.data = "notes";
 *         memfs_async_write_file(&request, "/notes", "milk\n", 5, 0644, 0);
 *         if (memfs_async_submit(async, &request, stored) != 0)
 *             return 1;
 *         memfs_async_close(async, 0, NULL, NULL);
 *         return memfs_destroy(fs, 0) != 0;
 *     }
 *
 * CONCEPTS
 *
 * Request    A call and its result.  memfs_async_NAME() fills it in with the arguments of
 *            memfs_NAME(), without the file system.  It can be submitted again when it has ended.
 * Executor   The program's function that has requests run, in any thread.
 * Front      A memfs_async: one file system with one executor.
 * Chain      A queue of the program's: the requests of one chain run one after another, in the
 *            order in which they were submitted, whatever threads run them.  Requests of different
 *            chains, and those without one, run in any order, also at the same time.
 *
 * THE LIFE OF A REQUEST
 *
 * 1. memfs_async_NAME() sets every field but `data`.  Then the program may set `at`, `to_at` and
 *    `chain`.
 * 2. memfs_async_submit() takes it, or refuses it with an error; then it will not be called back.
 *    From here on it is in flight.  It, and all that its arguments point to (paths and buffers are
 *    not copied), must stay as they are.
 * 3. It runs: the call is made in a thread of the executor.  Out parameters are written there.
 * 4. Its callback is called, exactly once, with `result`: in the same thread.  It is not in flight
 *    any more: the callback may submit it again, or free it.
 *
 * RULES
 *
 * Errors     `result` is what the call returns.  Besides: MEMFS_ECANCELED; MEMFS_EXDEV (the handle
 *            or stream is of another file system); MEMFS_EINVAL (`at` or `to_at` with a call that
 *            has no such form); or an error of the executor.  After MEMFS_EDQUOT, MEMFS_ENOSPC and
 *            MEMFS_ENOMEM, `refusal` has the figures.
 * Locks      A whole-file lock is waited for by the request, not by a thread: any number of lock
 *            requests can wait while others run in the one thread that an executor may have.  They
 *            get the lock in the order in which they began to wait; memfs_lock_queue() in
 *            memfs/storage.h says more.  What makes a program wait is therefore only how long other
 *            requests run.
 * Callbacks  Run with no lock held.  They may call memfs and the functions of this header.  The
 *            next request of a chain begins when the callback of the one before has returned (one
 *            that is submitted while the last one's callback runs does not wait for that).
 * Memory     Requests and chains are the caller's.  A front is charged to its file system, and
 *            memfs_destroy() refuses as long as it is open.
 * Threads    Any function may be called from any thread, also from callbacks.  A request or a chain
 *            must not be used by two threads at a time before it is submitted.  A build without
 *            threads has these functions, too.
 * Fork       In the child of fork() a front must not be used.
 * Blocking   memfs_async_NAME(), memfs_async_submit() with a callback, memfs_async_cancel(),
 *            memfs_async_is_canceled() and memfs_async_close() with requests in flight wait for
 *            nothing but mutexes that are held for a few instructions, and for what the program's
 *            own executor does in its `submit`.
 *
 * WAYS TO HURT YOURSELF
 *
 * - A request, path or buffer on the stack of a function that returns while it is in flight.
 * - A timeout that frees its request: cancel it, and free it in the callback, which will come.
 * - Closing a handle with a request in flight that uses it.  A close request on the same chain, or
 *   one that is submitted by the last callback, comes in time.
 * - Requests that read or write at a handle's own offset, several at once, without a chain.
 * - memfs_lock(), or opening with a lock and a timeout, inside of memfs_async_call(): that thread
 *   of the executor waits.
 */
#ifndef MEMFS_ASYNC_H
#define MEMFS_ASYNC_H

#include <memfs/memfs.h>

/* See MEMFS_API in memfs.h. */
#ifdef MEMFS_ASYNC_BUILDING
#define MEMFS_ASYNC_API MEMFS_EXPORT
#else
#define MEMFS_ASYNC_API MEMFS_IMPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* --------------------------------------------------------------- operations */

/*
 * X(name in capitals, name, directories): the one table of the calls that can be requested.
 * `directories` counts those from which the call's relative paths can start: `at`, then `to_at`.
 */
#define MEMFS_ASYNC_OPERATIONS(X) \
    X(OPEN, open, 1) \
    X(OPEN_WITH, open_with, 0) \
    X(CLOSE_FILE, close_file, 0) \
    X(READ, read, 0) \
    X(WRITE, write, 0) \
    X(PREAD, pread, 0) \
    X(PWRITE, pwrite, 0) \
    X(READV, readv, 0) \
    X(WRITEV, writev, 0) \
    X(PREADV, preadv, 0) \
    X(PWRITEV, pwritev, 0) \
    X(SEEK, seek, 0) \
    X(TRUNCATE, truncate, 1) \
    X(FTRUNCATE, ftruncate, 0) \
    X(FALLOCATE, fallocate, 0) \
    X(FSYNC, fsync, 0) \
    X(LOCK, lock, 0) \
    X(UNLOCK, unlock, 0) \
    X(STAT, stat, 1) \
    X(LSTAT, lstat, 1) \
    X(FSTAT, fstat, 0) \
    X(CHMOD, chmod, 1) \
    X(FCHMOD, fchmod, 0) \
    X(CHOWN, chown, 1) \
    X(FCHOWN, fchown, 0) \
    X(UTIMENS, utimens, 1) \
    X(FUTIMENS, futimens, 0) \
    X(MKDIR, mkdir, 1) \
    X(MKDIR_PARENTS, mkdir_parents, 0) \
    X(RMDIR, rmdir, 1) \
    X(UNLINK, unlink, 1) \
    X(REMOVE, remove, 0) \
    X(REMOVE_TREE, remove_tree, 1) \
    X(RENAME, rename, 2) \
    X(LINK, link, 2) \
    X(LINK_FILE, link_file, 1) \
    X(SYMLINK, symlink, 1) \
    X(READLINK, readlink, 1) \
    X(REALPATH, realpath, 1) \
    X(READ_FILE, read_file, 0) \
    X(READ_FILE_INTO, read_file_into, 0) \
    X(WRITE_FILE, write_file, 0) \
    X(APPEND_FILE, append_file, 0) \
    X(COPY, copy, 2) \
    X(COPY_TREE, copy_tree, 0) \
    X(IMPORT, import, 0) \
    X(TREE_USAGE, tree_usage, 0) \
    X(TREE_SHARING, tree_sharing, 0) \
    X(SNAPSHOT_TAKE, snapshot_take, 0) \
    X(SNAPSHOT_RESTORE, snapshot_restore, 0) \
    X(SNAPSHOT_REMOVE, snapshot_remove, 0) \
    X(SNAPSHOT_RENAME, snapshot_rename, 0) \
    X(SNAPSHOT_EXTRACT, snapshot_extract, 0) \
    X(SNAPSHOT_STAT, snapshot_stat, 0) \
    X(SNAPSHOT_LIST, snapshot_list, 0) \
    X(SNAPSHOT_OPEN, snapshot_open, 0) \
    X(COMPARE_OPEN, compare_open, 0) \
    X(OPENDIR, opendir, 1) \
    X(READDIR, readdir, 0) \
    X(CLOSEDIR, closedir, 0) \
    X(LIST_DIR, list_dir, 0) \
    X(GLOB, glob, 0) \
    X(WALK, walk, 0) \
    X(STATFS, statfs, 0) \
    X(CALL, call, 0)

enum memfs_async_operation {
    MEMFS_ASYNC_NONE = 0,
#define MEMFS_ASYNC_ENUMERATOR(capitals, name, directories) MEMFS_ASYNC_##capitals,
    MEMFS_ASYNC_OPERATIONS(MEMFS_ASYNC_ENUMERATOR)
#undef MEMFS_ASYNC_ENUMERATOR
        MEMFS_ASYNC_OPERATION_COUNT
};

/* "pread" for MEMFS_ASYNC_PREAD, "?" for what is none. */
MEMFS_ASYNC_API const char *memfs_async_operation_name(int operation);

/* ----------------------------------------------------------------- requests */

typedef struct memfs_async memfs_async;
typedef struct memfs_async_request memfs_async_request;

typedef void (*memfs_async_callback)(memfs_async_request *request);

/*
 * A chain is the caller's memory, all zeros at first.  It must stay until the callback of its last
 * request begins.  It belongs to one front.
 */
typedef struct memfs_async_chain {
    memfs_async_request *first, *last; /* read only: in flight on the chain; null: none */
    void *executor_link[2];            /* the executor's */
} memfs_async_chain;

struct memfs_async_request {
    void *data;               /* the caller's; never touched here */
    memfs_dir *at;            /* where a relative path starts; null: the root */
    memfs_dir *to_at;         /* the same for a call's second path */
    memfs_async_chain *chain; /* null: in no order */
    int operation;            /* read only: enum memfs_async_operation */
    int64_t result;           /* read only: once it has ended, a count, 0, or an error */
    memfs_refusal refusal;    /* read only: if the result is a refusal, what was refused */
    void *executor_link[2];   /* the executor's, from its `submit` until it calls `run` */
    uint64_t opaque[38];
};

/* ---------------------------------------------------------------- executors */

/*
 * `submit` has `run(argument)` called once, soon, in any thread, also in its own one before it
 * returns.  It returns 0, or a negative error if that cannot be; then `run` must not be called.
 * `argument` is the request, whose `executor_link` serves for a queue, and `run` is the same
 * function in every call.  After `run` has been called the request may be gone.
 *
 * `submit` may be called from any thread, several at a time, and must not wait for requests to be
 * run.  If it refuses a request that has been taken before (the next one of a chain, or one that
 * has waited for a lock), that ends in the thread that has called `submit`: with the error, or, if
 * it has got its lock, with 0.
 */
typedef struct memfs_async_executor {
    size_t struct_size; /* sizeof(memfs_async_executor) */
    void *context;
    int (*submit)(void *context, void (*run)(void *argument), void *argument);
} memfs_async_executor;

/* ------------------------------------------------------------------- fronts */

/*
 * Makes a front.  The executor is copied.  A null one runs each request in the thread that submits
 * it, before memfs_async_submit() returns; requests that are submitted meanwhile, by callbacks or
 * by other threads, are run by that thread, after the one that it is running.  So callbacks do not
 * nest.
 *
 * Errors:   EINVAL, E2BIG (struct_size), EDQUOT, ENOMEM.
 * Quota:    MEMFS_CLASS_CHARGED, some 200 bytes, until it is closed.
 */
MEMFS_ASYNC_API int memfs_async_create(memfs *fs, const memfs_async_executor *executor,
                                       memfs_async **out);

/* The file system of a front. */
MEMFS_ASYNC_API memfs *memfs_async_instance(memfs_async *async);

#define MEMFS_ASYNC_CLOSE_CANCEL 0x1u /* cancel what has not begun, and what waits for locks */

/*
 * Ends a front.  From now on it takes no requests.  When those in flight have ended, and their
 * callbacks have returned, it is freed, and then `closed(context)` is called (null: nothing is), in
 * the thread that ended the last one; in that of this call if nothing is in flight.  After that the
 * file system can be destroyed and the executor stopped.
 *
 * Without MEMFS_ASYNC_CLOSE_CANCEL, requests that wait for a lock are waited for.  Requests that
 * are running are not interrupted, but see memfs_async_is_canceled().
 *
 * Errors:   EINVAL (null, an unknown flag), EBADF (it is being closed already).
 */
MEMFS_ASYNC_API int memfs_async_close(memfs_async *async, unsigned flags,
                                      void (*closed)(void *context), void *context);

/*
 * Submits a request.  With a callback: 0, and the callback will be called, possibly before this
 * returns; or an error, and it will not.  Without one (null) the call is made at once, in this
 * thread, whatever it waits for; 0 or the error of `result`.
 *
 * Errors:   EINVAL (null, a request that was not filled in, a chain without a callback), EBADF (the
 *           front is being closed), EBUSY (the request is in flight), and those of the executor.
 */
MEMFS_ASYNC_API int memfs_async_submit(memfs_async *async, memfs_async_request *request,
                                       memfs_async_callback callback);

/*
 * Cancels a request in flight.  Its callback is called in any case, as it would be otherwise: in
 * its turn, by the executor.  So what this returns says how it will end:
 *
 * 0:        it has not begun, or waits for a lock.  It will do nothing and end with
 *           MEMFS_ECANCELED.
 * EBUSY:    it runs, has run or was never submitted.  It ends with what it returns; a lock that
 *           cannot be had at once, and a call that asks memfs_async_is_canceled(), may still end
 *           with MEMFS_ECANCELED.
 *
 * Requests behind it on its chain are not canceled.  The request's memory must still be there: its
 * callback must not have freed it meanwhile.
 * Errors:   EBUSY, EINVAL (null).
 */
MEMFS_ASYNC_API int memfs_async_cancel(memfs_async *async, memfs_async_request *request);

/* Whether a request in flight was canceled, or its front is being closed with CANCEL: 1 or 0.  For
 * what runs in it: the function of memfs_async_call(), the callback of a walk. */
MEMFS_ASYNC_API int memfs_async_is_canceled(const memfs_async_request *request);

/* ----------------------------------------------------------- any other call */

/*
 * A request that calls `function(request, argument)`, whose return value is its result: for the
 * long calls of other parts, such as memfs_hostdir_import(), and for several calls as one.
 *
 *     static int64_t import(memfs_async_request *request, void *argument)
 *     {
 *         struct job *job = argument;
 *         return memfs_hostdir_import(job->fs, job->from, job->to, &job->options, &job->result);
 *     }
 */
typedef int64_t (*memfs_async_function)(memfs_async_request *request, void *argument);

MEMFS_ASYNC_API void memfs_async_call(memfs_async_request *request, memfs_async_function function,
                                      void *argument);

/* -------------------------------------------------------------------- files */

/*
 * The functions from here on fill in a request: each for the call of memfs.h of its name, whose
 * arguments, result and errors it has.  A null request is left alone.
 *
 * What the calls take memory for (handles, lists, whole files) is given back as always.
 */
MEMFS_ASYNC_API void memfs_async_open(memfs_async_request *request, const char *path,
                                      uint32_t flags, uint32_t mode, memfs_file **out);

/* `options` must stay, too.  A lock timeout other than 0 is EINVAL: request the lock instead. */
MEMFS_ASYNC_API void memfs_async_open_with(memfs_async_request *request, const char *path,
                                           const memfs_open_options *options, memfs_file **out);
MEMFS_ASYNC_API void memfs_async_close_file(memfs_async_request *request, memfs_file *file);

MEMFS_ASYNC_API void memfs_async_read(memfs_async_request *request, memfs_file *file, void *buffer,
                                      size_t length);
MEMFS_ASYNC_API void memfs_async_write(memfs_async_request *request, memfs_file *file,
                                       const void *buffer, size_t length);
MEMFS_ASYNC_API void memfs_async_pread(memfs_async_request *request, memfs_file *file, void *buffer,
                                       size_t length, int64_t offset);
MEMFS_ASYNC_API void memfs_async_pwrite(memfs_async_request *request, memfs_file *file,
                                        const void *buffer, size_t length, int64_t offset);

/* The array `parts` must stay, too. */
MEMFS_ASYNC_API void memfs_async_readv(memfs_async_request *request, memfs_file *file,
                                       const memfs_iovec *parts, size_t count);
MEMFS_ASYNC_API void memfs_async_writev(memfs_async_request *request, memfs_file *file,
                                        const memfs_iovec *parts, size_t count);
MEMFS_ASYNC_API void memfs_async_preadv(memfs_async_request *request, memfs_file *file,
                                        const memfs_iovec *parts, size_t count, int64_t offset);
MEMFS_ASYNC_API void memfs_async_pwritev(memfs_async_request *request, memfs_file *file,
                                         const memfs_iovec *parts, size_t count, int64_t offset);

MEMFS_ASYNC_API void memfs_async_seek(memfs_async_request *request, memfs_file *file,
                                      int64_t offset, int whence);
MEMFS_ASYNC_API void memfs_async_truncate(memfs_async_request *request, const char *path,
                                          int64_t size);
MEMFS_ASYNC_API void memfs_async_ftruncate(memfs_async_request *request, memfs_file *file,
                                           int64_t size);
MEMFS_ASYNC_API void memfs_async_fallocate(memfs_async_request *request, memfs_file *file,
                                           int64_t offset, int64_t length, unsigned flags);
MEMFS_ASYNC_API void memfs_async_fsync(memfs_async_request *request, memfs_file *file);

/*
 * `timeout_ms` is 0 or MEMFS_WAIT_FOREVER, else EINVAL: a program that waits for a time cancels the
 * request when that is over.  A handle waits for one lock at a time: a second request is EBUSY.
 */
MEMFS_ASYNC_API void memfs_async_lock(memfs_async_request *request, memfs_file *file, int kind,
                                      int64_t timeout_ms);
MEMFS_ASYNC_API void memfs_async_unlock(memfs_async_request *request, memfs_file *file);

/* --------------------------------------------------------------- attributes */

/* The caller has set info->struct_size. */
MEMFS_ASYNC_API void memfs_async_stat(memfs_async_request *request, const char *path,
                                      memfs_stat_info *info);
MEMFS_ASYNC_API void memfs_async_lstat(memfs_async_request *request, const char *path,
                                       memfs_stat_info *info);
MEMFS_ASYNC_API void memfs_async_fstat(memfs_async_request *request, memfs_file *file,
                                       memfs_stat_info *info);
MEMFS_ASYNC_API void memfs_async_chmod(memfs_async_request *request, const char *path,
                                       uint32_t mode);
MEMFS_ASYNC_API void memfs_async_fchmod(memfs_async_request *request, memfs_file *file,
                                        uint32_t mode);
MEMFS_ASYNC_API void memfs_async_chown(memfs_async_request *request, const char *path, uint32_t uid,
                                       uint32_t gid);
MEMFS_ASYNC_API void memfs_async_fchown(memfs_async_request *request, memfs_file *file,
                                        uint32_t uid, uint32_t gid);
MEMFS_ASYNC_API void memfs_async_utimens(memfs_async_request *request, const char *path,
                                         int64_t access_ns, int64_t modify_ns);
MEMFS_ASYNC_API void memfs_async_futimens(memfs_async_request *request, memfs_file *file,
                                          int64_t access_ns, int64_t modify_ns);

/* -------------------------------------------------------------------- names */

MEMFS_ASYNC_API void memfs_async_mkdir(memfs_async_request *request, const char *path,
                                       uint32_t mode);
MEMFS_ASYNC_API void memfs_async_mkdir_parents(memfs_async_request *request, const char *path,
                                               uint32_t mode);
MEMFS_ASYNC_API void memfs_async_rmdir(memfs_async_request *request, const char *path);
MEMFS_ASYNC_API void memfs_async_unlink(memfs_async_request *request, const char *path);
MEMFS_ASYNC_API void memfs_async_remove(memfs_async_request *request, const char *path);
MEMFS_ASYNC_API void memfs_async_remove_tree(memfs_async_request *request, const char *path);
MEMFS_ASYNC_API void memfs_async_rename(memfs_async_request *request, const char *from,
                                        const char *to, unsigned flags);
MEMFS_ASYNC_API void memfs_async_link(memfs_async_request *request, const char *from,
                                      const char *to);

/* `to` starts at the request's `at`. */
MEMFS_ASYNC_API void memfs_async_link_file(memfs_async_request *request, memfs_file *file,
                                           const char *to);
MEMFS_ASYNC_API void memfs_async_symlink(memfs_async_request *request, const char *target,
                                         const char *path, unsigned flags);
MEMFS_ASYNC_API void memfs_async_readlink(memfs_async_request *request, const char *path,
                                          char *buffer, size_t size);
MEMFS_ASYNC_API void memfs_async_realpath(memfs_async_request *request, const char *path,
                                          char *buffer, size_t size);

/* ------------------------------------------------------ whole files and trees */

MEMFS_ASYNC_API void memfs_async_read_file(memfs_async_request *request, const char *path,
                                           size_t limit, void **data, size_t *size);
MEMFS_ASYNC_API void memfs_async_read_file_into(memfs_async_request *request, const char *path,
                                                void *buffer, size_t size);
MEMFS_ASYNC_API void memfs_async_write_file(memfs_async_request *request, const char *path,
                                            const void *data, size_t size, uint32_t mode,
                                            unsigned flags);
MEMFS_ASYNC_API void memfs_async_append_file(memfs_async_request *request, const char *path,
                                             const void *data, size_t size, uint32_t mode,
                                             unsigned flags);
MEMFS_ASYNC_API void memfs_async_copy(memfs_async_request *request, const char *from,
                                      const char *to, unsigned flags);
MEMFS_ASYNC_API void memfs_async_copy_tree(memfs_async_request *request, const char *from,
                                           const char *to, unsigned flags);

/* The array `entries`, with all that it points to, must stay, too. */
MEMFS_ASYNC_API void memfs_async_import(memfs_async_request *request,
                                        const memfs_import_entry *entries, size_t count,
                                        unsigned flags, size_t *failed);
MEMFS_ASYNC_API void memfs_async_tree_usage(memfs_async_request *request, const char *path,
                                            memfs_tree_info *info);
MEMFS_ASYNC_API void memfs_async_tree_sharing(memfs_async_request *request, const char *path,
                                              memfs_sharing_info *info);
MEMFS_ASYNC_API void memfs_async_statfs(memfs_async_request *request, memfs_statfs_info *info);

/* ---------------------------------------------------------------- snapshots */

MEMFS_ASYNC_API void memfs_async_snapshot_take(memfs_async_request *request, const char *name);
MEMFS_ASYNC_API void memfs_async_snapshot_restore(memfs_async_request *request, const char *name);
MEMFS_ASYNC_API void memfs_async_snapshot_remove(memfs_async_request *request, const char *name);
MEMFS_ASYNC_API void memfs_async_snapshot_rename(memfs_async_request *request, const char *name,
                                                 const char *new_name);
MEMFS_ASYNC_API void memfs_async_snapshot_extract(memfs_async_request *request, const char *name,
                                                  const char *from, const char *to, unsigned flags);
MEMFS_ASYNC_API void memfs_async_snapshot_stat(memfs_async_request *request, const char *name,
                                               memfs_snapshot_info *info);
MEMFS_ASYNC_API void memfs_async_snapshot_list(memfs_async_request *request, memfs_list *out);
MEMFS_ASYNC_API void memfs_async_snapshot_open(memfs_async_request *request, const char *name,
                                               const char *path, uint32_t flags, memfs_file **out);

/* memfs_compare_next() does not wait: it may be called in any thread. */
MEMFS_ASYNC_API void memfs_async_compare_open(memfs_async_request *request, const char *before,
                                              const char *after, memfs_comparison **out);

/* -------------------------------------------------------------- directories */

MEMFS_ASYNC_API void memfs_async_opendir(memfs_async_request *request, const char *path,
                                         memfs_dir **out);
MEMFS_ASYNC_API void memfs_async_readdir(memfs_async_request *request, memfs_dir *dir,
                                         memfs_dirent *entry);
MEMFS_ASYNC_API void memfs_async_closedir(memfs_async_request *request, memfs_dir *dir);
MEMFS_ASYNC_API void memfs_async_list_dir(memfs_async_request *request, const char *path,
                                          memfs_list *out);
MEMFS_ASYNC_API void memfs_async_glob(memfs_async_request *request, const char *pattern,
                                      memfs_list *out);

/* `callback` is called in the executor's thread. */
MEMFS_ASYNC_API void memfs_async_walk(memfs_async_request *request, const char *path,
                                      memfs_walk_callback callback, void *context);

#ifdef __cplusplus
}
#endif

#endif
