/*
 * memfs/uv.h: the calls of memfs on a loop of libuv, in the manner of uv_fs_*.
 *
 * A request is filled in by a function of memfs/async.h, runs in libuv's thread pool, and calls
 * back in the loop's thread.  Without a callback the call is made at once.
 *
 *     #include <memfs/uv.h>
 *     #include <stdio.h>
 *
 *     static char text[100];
 *
 *     static void on_read(memfs_uv_request *request)
 *     {
 *         printf("%.*s", (int)request->call.result, text);
 *         memfs_uv_close((memfs_uv *)request->call.data, 0, NULL, NULL);
 *     }
 *
 *     int main(void)
 *     {
 *         memfs *fs;
 *         memfs_uv *uv;
 *         memfs_file *file;
 *         memfs_uv_request request;
 *         memset(&request, 0, sizeof request);
 *         if (memfs_create(NULL, &fs) != 0 || memfs_uv_create(uv_default_loop(), fs, &uv) != 0)
 *             return 1;
 *         memfs_write_file(fs, "/notes", "milk\n", 5, 0644, 0); // nobody waits yet
 *         memfs_open(fs, "/notes", MEMFS_O_READ, 0, &file);
 *         request.call.data = uv;
 *         memfs_async_pread(&request.call, file, text, sizeof text, 0);
 *         memfs_uv_submit(uv, &request, on_read);
 *         uv_run(uv_default_loop(), UV_RUN_DEFAULT);
 *         memfs_close(file);
 *         return uv_loop_close(uv_default_loop()) != 0 || memfs_destroy(fs, 0) != 0;
 *     }
 *
 * RULES
 *
 * Requests   What memfs/async.h says of their life, arguments, results, chains and locks holds here
 *            too.  Results are errors of memfs, which on Linux have the numbers of libuv's.
 * Threads    All functions must be called in the loop's thread, which is where callbacks and
 *            memfs_uv_close()'s `closed` are called.  The calls themselves, the functions of
 *            memfs_async_call() and the callbacks of walks run in the pool.
 * Blocking   The loop's thread waits for no lock of the file system, but where the program has it
 *            make a call itself (no callback).  memfs_uv_submit() and memfs_uv_cancel() pass
 *            mutexes that are held for a few instructions, as libuv's own functions do.  Making
 *            and ending a front takes and gives memory back.
 * Pool       It is libuv's, of four threads unless UV_THREADPOOL_SIZE says otherwise, and shared
 *            with all that libuv does in it.  Requests that wait for a lock, or behind others on a
 *            chain, are not in it.  What runs long there (the import of a directory) has one of its
 *            threads meanwhile.
 * Loop       It stays alive while requests are in flight, and while the front is being closed.
 *            A front that is open and idle does not keep it alive.
 * Includes   libuv's header wants the declarations of POSIX: with -std=c11, define _POSIX_C_SOURCE
 *            (or _GNU_SOURCE) before the first header.
 * Memory     A front is charged to its file system.  libuv takes none for a request.
 */
#ifndef MEMFS_UV_H
#define MEMFS_UV_H

#include <memfs/async.h>
#include <uv.h>

/* See MEMFS_API in memfs.h. */
#ifdef MEMFS_UV_BUILDING
#define MEMFS_UV_API MEMFS_EXPORT
#else
#define MEMFS_UV_API MEMFS_IMPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A front (see memfs/async.h) whose executor is a loop. */
typedef struct memfs_uv memfs_uv;

typedef struct memfs_uv_request memfs_uv_request;

typedef void (*memfs_uv_callback)(memfs_uv_request *request);

struct memfs_uv_request {
    memfs_async_request call; /* to be filled in by memfs_async_NAME(&request.call, ...); has `data`
                                 for the caller, and the result */
    /* The rest is not the caller's; all zeros before the first submission. */
    memfs_uv *front;
    memfs_uv_callback callback;
    memfs_uv_request *next, *followers, *flies_before, *flies_after, *next_on_chain;
    void (*run)(void *argument);
    uv_work_t work;
    int is_working, is_wanted_again, has_ended;
};

/*
 * Makes a front on a loop, which must outlive it.
 * Errors: EINVAL, EDQUOT, ENOMEM, EIO (libuv refused: no more descriptors, say).
 */
MEMFS_UV_API int memfs_uv_create(uv_loop_t *loop, memfs *fs, memfs_uv **out);

/* The file system of a front. */
MEMFS_UV_API memfs *memfs_uv_instance(memfs_uv *uv);

/*
 * Submits a request: 0, and the callback will be called by the loop, once, later; or an error, and
 * it will not.  A null callback has the call made at once, as memfs_async_submit() does.
 * Errors: those of memfs_async_submit().
 */
MEMFS_UV_API int memfs_uv_submit(memfs_uv *uv, memfs_uv_request *request,
                                 memfs_uv_callback callback);

/*
 * Cancels a request, as memfs_async_cancel() does; its callback comes in any case, with
 * MEMFS_ECANCELED if this returns 0.  That does not take a free thread of the pool, unless the
 * request is waiting for a lock.
 * Errors: EBUSY, EINVAL.
 */
MEMFS_UV_API int memfs_uv_cancel(memfs_uv *uv, memfs_uv_request *request);

/*
 * Ends a front, as memfs_async_close() does: when all callbacks have returned it is freed, and
 * `closed(context)` is called (null: nothing is), by the loop, later.
 * Errors: EINVAL, EBADF.
 */
MEMFS_UV_API int memfs_uv_close(memfs_uv *uv, unsigned flags, void (*closed)(void *context),
                                void *context);

#ifdef __cplusplus
}
#endif

#endif
