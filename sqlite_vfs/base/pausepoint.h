/*
 * Points between two steps where a test can let something happen, as src/core/base/pause.h has them
 * for the core.  Where MEMFS_CHECK_LEVEL is 2, a point calls the hook, if a test has set one while
 * nothing else ran; elsewhere it is nothing.
 */
#ifndef MFS_PAUSEPOINT_H
#define MFS_PAUSEPOINT_H

#include "base/assertion.h"

#if MEMFS_CHECK_LEVEL >= 2
extern void (*mfs_pausepoint_hook)(const char *point); /* null: none */
#define MFS_PAUSEPOINT(point) (mfs_pausepoint_hook != 0 ? mfs_pausepoint_hook(point) : (void)0)
#else
#define MFS_PAUSEPOINT(point) ((void)(point))
#endif

#endif
