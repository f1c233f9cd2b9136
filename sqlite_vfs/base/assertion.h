/*
 * Assertions of the VFS.  MEMFS_CHECK_LEVEL 0: none; 1: preconditions, postconditions, relations
 * between fields, and held mutexes; 2: also walks over whole structures.
 *
 * In this header alone, so that a pure module can be compiled into its test by itself.
 */
#ifndef MFS_ASSERTION_H
#define MFS_ASSERTION_H

#ifndef MEMFS_CHECK_LEVEL
#define MEMFS_CHECK_LEVEL 1
#endif

#if MEMFS_CHECK_LEVEL >= 1
#include <stdio.h>
#include <stdlib.h>

/* Names the broken assertion on stderr and aborts, before the damage spreads. */
static inline _Noreturn void mfs_assertion_fail(const char *expression, const char *file, int line)
{
    (void)fprintf(stderr, "memfs: %s:%d: false: %s\n", file, line, expression);
    abort();
}

#define MFS_ASSERT(expression) \
    ((expression) ? (void)0 : mfs_assertion_fail(#expression, __FILE__, __LINE__))
#else
#define MFS_ASSERT(expression) ((void)sizeof((expression) ? 1 : 0))
#endif

#if MEMFS_CHECK_LEVEL >= 2
#define MFS_ASSERT_DEEP(expression) MFS_ASSERT(expression)
#else
#define MFS_ASSERT_DEEP(expression) ((void)sizeof((expression) ? 1 : 0))
#endif

#endif
