/*
 * Regions on POSIX mmap().  Another system replaces this file, or builds for arenas only.
 *
 * mmap() promises no more than the alignment of a host page.  Often the next mapping is
 * aligned all the same, since it lies below the one before; if not, a mapping of nearly twice
 * the size is cut to what is aligned in it.
 */
#include "memory/region.h"

#include "base/check.h"

#include <stdint.h>

#if !defined(MEMFS_ARENA_ONLY) && (defined(__unix__) || defined(__APPLE__))

#include <sys/mman.h>
#include <unistd.h>

static void *map_bytes(size_t bytes)
{
    void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mapped != MAP_FAILED ? mapped : NULL;
}

static void unmap_bytes(void *mapped, size_t bytes)
{
    if (bytes == 0)
        return;
    int result = munmap(mapped, bytes);
    MFS_CHECK(result == 0);
    (void)result;
}

/* The bytes that are missing to the next multiple of a region. */
static size_t bytes_to_boundary(const void *address)
{
    return (size_t)(-(uintptr_t)address & (MFS_REGION_BYTES - 1));
}

static void *map_aligned(void)
{
    unsigned char *mapped = map_bytes(MFS_REGION_BYTES);
    if (mapped == NULL || bytes_to_boundary(mapped) == 0)
        return mapped;
    unmap_bytes(mapped, MFS_REGION_BYTES);
    size_t host_page = (size_t)sysconf(_SC_PAGESIZE);
    size_t spare = MFS_REGION_BYTES - host_page;
    mapped = map_bytes(MFS_REGION_BYTES + spare);
    if (mapped == NULL)
        return NULL;
    size_t before = bytes_to_boundary(mapped);
    unmap_bytes(mapped, before);
    unmap_bytes(mapped + before + MFS_REGION_BYTES, spare - before);
    return mapped + before;
}

size_t mfs_region_bytes(void)
{
    return MFS_REGION_BYTES;
}

void *mfs_region_take(void)
{
    void *region = map_aligned();
#if defined(MADV_HUGEPAGE)
    if (region != NULL)
        (void)madvise(region, MFS_REGION_BYTES, MADV_HUGEPAGE); /* a wish: small pages do, too */
#endif
    return region;
}

void mfs_region_give(void *region)
{
    MFS_CHECK(bytes_to_boundary(region) == 0);
    unmap_bytes(region, MFS_REGION_BYTES);
}

#else

size_t mfs_region_bytes(void)
{
    return 0;
}

void *mfs_region_take(void)
{
    return NULL;
}

void mfs_region_give(void *region)
{
    (void)region;
}

#endif
