/*
 * Points between two steps where a test can let something happen, so that what two threads do to
 * each other once in a million runs happens each time, in one thread:
 *
 *     uint64_t before = atomic_load(&counter);
 *     MFS_PAUSE("counter: looked at");
 *     ... atomic_compare_exchange_strong(&counter, &before, before + 1) ...
 *
 * Where MEMFS_CHECK_LEVEL is 2, such a point calls the hook, if a test has set one; the hook is set
 * while nothing else runs.  Elsewhere it is nothing.
 */
#ifndef MFS_PAUSE_H
#define MFS_PAUSE_H

#include "base/check.h"

#if MEMFS_CHECK_LEVEL >= 2
extern void (*mfs_pause_hook)(const char *point); /* null: none */
#define MFS_PAUSE(point) (mfs_pause_hook != 0 ? mfs_pause_hook(point) : (void)0)
#else
#define MFS_PAUSE(point) ((void)(point))
#endif

#endif
