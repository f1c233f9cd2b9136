/*
 * Clang's capability annotations, under short names.  With clang and -Wthread-safety a call of a
 * function without the lock that its declaration names does not compile.  For other compilers the
 * annotations are empty.
 */
#ifndef MFS_ANNOT_H
#define MFS_ANNOT_H

#if defined(__clang__)
#define MFS_ATTRIBUTE(x) __attribute__((x))
#else
#define MFS_ATTRIBUTE(x)
#endif

#define MFS_CAPABILITY(name) MFS_ATTRIBUTE(capability(name))
#define MFS_ACQUIRE(lock) MFS_ATTRIBUTE(acquire_capability(lock))
#define MFS_ACQUIRE_SHARED(lock) MFS_ATTRIBUTE(acquire_shared_capability(lock))
#define MFS_RELEASE(lock) MFS_ATTRIBUTE(release_capability(lock))
#define MFS_RELEASE_SHARED(lock) MFS_ATTRIBUTE(release_shared_capability(lock))
#define MFS_REQUIRES(lock) MFS_ATTRIBUTE(requires_capability(lock))
#define MFS_REQUIRES_SHARED(lock) MFS_ATTRIBUTE(requires_shared_capability(lock))
#define MFS_EXCLUDES(lock) MFS_ATTRIBUTE(locks_excluded(lock))
#define MFS_NO_THREAD_SAFETY_ANALYSIS MFS_ATTRIBUTE(no_thread_safety_analysis)

#endif
