/* What a request holds in its opaque words: its call's arguments, and where it is. */
#ifndef MFS_REQUEST_H
#define MFS_REQUEST_H

#include <memfs/async.h>
#include <memfs/storage.h>

#include <stdatomic.h>
#include <stdbool.h>

/*
 *                 submitted
 *                  |     |
 *       chain busy |     | else
 *                  v     v
 *               CHAINED -> SUBMITTED --> RUNNING --> ENDED
 *                              ^            |          ^
 *                 granted, or  |            v a lock   |
 *                  canceled    |         QUEUEING -----+ had at once, granted or
 *                              |            |            canceled in the meantime
 *                              +- WAITING <-+
 */
enum mfs_request_state {
    MFS_REQUEST_NEW = 0,
    MFS_REQUEST_CHAINED,   /* behind another one on its chain */
    MFS_REQUEST_SUBMITTED, /* ready, or with the executor */
    MFS_REQUEST_RUNNING,
    MFS_REQUEST_QUEUEING, /* one thread puts its ticket in line or takes it out, and decides then */
    MFS_REQUEST_WAITING,  /* its ticket is in line, or granted and about to say so */
    MFS_REQUEST_ENDED
};

struct mfs_request_arguments {
    memfs_file *file;
    memfs_dir *dir;
    const char *path;   /* the first, or a name */
    const char *second; /* `to`, or the target of a symlink */
    const char *third;
    const void *in; /* data, parts, options */
    void *out;
    size_t *out_size;
    size_t size;            /* of a buffer; a count of parts */
    int64_t offset, length; /* also times, a timeout */
    uint32_t flags, mode;   /* also a kind of lock, a whence, ids */
    memfs_walk_callback walk;
    memfs_async_function function;
    void *context;
};

struct mfs_request {
    memfs_async *front;
    memfs_async_callback callback;
    memfs_async_request *next_in_chain;
    memfs_async_request *next_ready;
    memfs_async_request *waits_before, *waits_after; /* among those that wait, if it is listed */
    enum mfs_request_state state;
    bool is_listed;
    bool is_granted; /* the handle has the lock, by its ticket */
    atomic_bool is_canceled;
    memfs_lock_ticket ticket;
    struct mfs_request_arguments arguments;
};

_Static_assert(sizeof(struct mfs_request) <= sizeof((memfs_async_request *)0)->opaque,
               "it fits into a request");

static inline struct mfs_request *mfs_request_of(memfs_async_request *request)
{
    return (struct mfs_request *)(void *)request->opaque;
}

static inline bool mfs_request_is_in_flight(memfs_async_request *request)
{
    enum mfs_request_state state = mfs_request_of(request)->state;
    return state != MFS_REQUEST_NEW && state != MFS_REQUEST_ENDED;
}

#endif
