/* Tells the address sanitizer which bytes of a slab nobody owns, so that it sees a use after free
 * there as it does in memory from malloc.  Nothing in other builds. */
#ifndef MFS_POISON_H
#define MFS_POISON_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define MFS_POISON_IS_ON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MFS_POISON_IS_ON 1
#endif
#endif

#ifdef MFS_POISON_IS_ON

#include <sanitizer/asan_interface.h>

static inline void mfs_poison(const void *bytes, size_t length)
{
    __asan_poison_memory_region(bytes, length);
}

static inline void mfs_poison_end(const void *bytes, size_t length)
{
    __asan_unpoison_memory_region(bytes, length);
}

#else

static inline void mfs_poison(const void *bytes, size_t length)
{
    (void)bytes;
    (void)length;
}

static inline void mfs_poison_end(const void *bytes, size_t length)
{
    (void)bytes;
    (void)length;
}

#endif

#endif
