/*
 * Assertions.  MEMFS_CHECK_LEVEL 0: none; 1: preconditions, postconditions and
 * relations between fields; 2: also walks over whole structures.
 */
#ifndef MFS_CHECK_H
#define MFS_CHECK_H

#ifndef MEMFS_CHECK_LEVEL
#define MEMFS_CHECK_LEVEL 1
#endif

/* Says what was false and where, and aborts. */
_Noreturn void mfs_check_failed(const char *expression, const char *file, int line);

#if MEMFS_CHECK_LEVEL >= 1
#define MFS_CHECK(expression) \
    ((expression) ? (void)0 : mfs_check_failed(#expression, __FILE__, __LINE__))
#else
#define MFS_CHECK(expression) ((void)sizeof((expression) ? 1 : 0))
#endif

#if MEMFS_CHECK_LEVEL >= 2
#define MFS_CHECK_DEEP(expression) MFS_CHECK(expression)
#else
#define MFS_CHECK_DEEP(expression) ((void)sizeof((expression) ? 1 : 0))
#endif

#endif
