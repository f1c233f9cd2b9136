/*
 * Assertions.  MEMFS_CHECK_LEVEL says which are compiled in:
 *
 * 0: none.  An assertion's expression is not evaluated, only checked by the compiler.
 * 1: MFS_CHECK, in constant time: preconditions, postconditions, relations between fields, and
 *    lock words and reference counts that would wrap.
 * 2: MFS_CHECK_DEEP too, which looks into structures after a change to them:
 *      - a list: its first links agree with each other and the count (list.h);
 *      - a page table: every node on the way to what was changed counts as many pages as its slots
 *        have below them (pagetable/radix.h);
 *      - a content: its fields go together, what is preallocated is there, and the bytes behind the
 *        size are zeros where they must be (content/content.h);
 *      - a directory: its order and its buckets have the same entries, each once (node/dir.h).  It
 *        is walked whole, after each change while it is small, later at powers of two.
 *    Each of these walks is bounded, by one node a level, one page or a fixed number of elements;
 *    the walks of one directory add up to a few times its changes.  So a test with large structures
 *    takes a constant factor longer, not quadratic time.  A whole file system is recounted by the
 *    audit (memfs_audit()), at any level.
 *
 * An expression has no side effects, since it may not be evaluated.
 */
#ifndef MFS_CHECK_H
#define MFS_CHECK_H

#ifndef MEMFS_CHECK_LEVEL
#define MEMFS_CHECK_LEVEL 1
#endif

/* Prints what was false and where to the standard error stream, and aborts. */
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
