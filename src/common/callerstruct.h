/*
 * Structs of callers that begin with `size_t struct_size`, for the parts beside the core; memfs.h
 * says under "Structs" what holds of them.
 *
 * A part reads options, and fills in results, through these functions alone, so that all parts take
 * a struct of an older or a newer header alike.  They are inline, since parts share no library but
 * the core's, which exports no helpers.
 */
#ifndef MFS_CALLERSTRUCT_H
#define MFS_CALLERSTRUCT_H

#include <memfs/memfs.h>

#include <stdbool.h>
#include <string.h>

static inline size_t mfs_callerstruct_size(const void *theirs)
{
    size_t struct_size;
    memcpy(&struct_size, theirs, sizeof struct_size);
    return struct_size;
}

/*
 * Whether a result can be filled in: it has the fields in the first `least` bytes of the part's,
 * which has `own_size` bytes.  A result may hold a path, and be larger than MEMFS_STRUCT_SIZE_MAX.
 * Errors: EINVAL (too small), E2BIG (no struct is as large as that).
 */
static inline int mfs_callerstruct_check(const void *theirs, size_t least, size_t own_size)
{
    size_t size = mfs_callerstruct_size(theirs);
    if (size < least)
        return MEMFS_EINVAL;
    return size <= own_size + MEMFS_STRUCT_SIZE_MAX ? 0 : MEMFS_E2BIG;
}

/*
 * Copies the caller's options into the part's, `own`, of `own_size` bytes.  What they lack is zero,
 * all of it if `theirs` is null; own's struct_size is own_size.
 * Errors: EINVAL (struct_size is too small), E2BIG (too large, or what the part does not know is
 * not zero).
 */
static inline int mfs_callerstruct_read(void *own, size_t own_size, const void *theirs)
{
    const unsigned char *bytes = theirs;
    size_t size = theirs != NULL ? mfs_callerstruct_size(theirs) : 0;
    if (theirs != NULL && size < sizeof size)
        return MEMFS_EINVAL;
    if (size > MEMFS_STRUCT_SIZE_MAX)
        return MEMFS_E2BIG;
    for (size_t i = own_size; i < size; i++)
        if (bytes[i] != 0)
            return MEMFS_E2BIG;
    memset(own, 0, own_size);
    if (size > 0)
        memcpy(own, theirs, size < own_size ? size : own_size);
    memcpy(own, &own_size, sizeof own_size);
    return 0;
}

/* Fills in the caller's struct, which has passed the check.  Its struct_size stays, and what the
 * part does not know becomes zero. */
static inline void mfs_callerstruct_write(void *theirs, const void *own, size_t own_size)
{
    size_t first = sizeof(size_t);
    size_t size = mfs_callerstruct_size(theirs);
    size_t both = size < own_size ? size : own_size;
    memcpy((unsigned char *)theirs + first, (const unsigned char *)own + first, both - first);
    memset((unsigned char *)theirs + both, 0, size - both);
}

#endif
