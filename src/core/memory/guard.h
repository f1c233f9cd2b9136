/*
 * The memory guard: looks at what memory the process can really have before the file system takes
 * more of it; see memfs_guard in memfs.h.
 *
 * A look costs some ten system calls, so a figure is good for an interval.  Meanwhile what is taken
 * is subtracted from it, and what is given back is added.
 */
#ifndef MFS_GUARD_H
#define MFS_GUARD_H

#include <memfs/memfs.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mfs_guard {
    memfs_guard config;
    int64_t (*clock)(void *context); /* nanoseconds */
    void *clock_context;
    void (*warn)(void *context, const char *message);
    void *warn_context;
    _Atomic bool has_looked;
    _Atomic int64_t looked_ns; /* when the figure was found */
    _Atomic uint64_t left;     /* what may still be taken; UINT64_MAX: not known */
    _Atomic bool has_warned;   /* since the last look */
};

/* Copies the configuration; its defaults are filled in.  The other fields are the caller's. */
void mfs_guard_init(struct mfs_guard *guard, const memfs_guard *config);

/* Whether a file system with this limit (MFS_UNLIMITED: none) may be created.  May warn. */
bool mfs_guard_allows_limit(struct mfs_guard *guard, uint64_t limit);

/* Whether `bytes` more may be taken, which are then counted.  May warn.  Threads: any. */
bool mfs_guard_take(struct mfs_guard *guard, uint64_t bytes);

/* `bytes` went back, or were not had. */
void mfs_guard_give(struct mfs_guard *guard, uint64_t bytes);

#endif
