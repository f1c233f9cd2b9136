/*
 * A struct_size is looked at before anything else is read or written: what lies behind it is not
 * the caller's to lend.
 *
 * No struct that begins with one has padding at its end.  A field added later would lie in it
 * without changing the size, and would be read from what an older program never wrote.
 */
#include "api/structsize.h"

#include "base/check.h"
#include "base/num.h"

#include <stdbool.h>
#include <string.h>

#define ASSERT_ENDS_WITH(type, field) \
    _Static_assert(MFS_STRUCTSIZE_UP_TO(type, field) == sizeof(type), #type " ends in padding")

ASSERT_ENDS_WITH(memfs_allocator, cost);
ASSERT_ENDS_WITH(memfs_lock_hooks, condition_broadcast);
ASSERT_ENDS_WITH(memfs_refusal, limit);
ASSERT_ENDS_WITH(memfs_guard, probe);
ASSERT_ENDS_WITH(memfs_config, guard);
ASSERT_ENDS_WITH(memfs_statfs_info, looking_reserve_bytes);
ASSERT_ENDS_WITH(memfs_open_options, storage);
ASSERT_ENDS_WITH(memfs_stat_info, lock_state);
ASSERT_ENDS_WITH(memfs_import_entry, modify_ns);
ASSERT_ENDS_WITH(memfs_tree_info, usage_bytes);
ASSERT_ENDS_WITH(memfs_sharing_info, shared_bytes);
ASSERT_ENDS_WITH(memfs_snapshot_info, usage_bytes);
ASSERT_ENDS_WITH(memfs_dirent, name);
ASSERT_ENDS_WITH(memfs_list, opaque);
ASSERT_ENDS_WITH(memfs_walk_entry, stat);

static size_t size_of(const void *theirs)
{
    size_t struct_size;
    memcpy(&struct_size, theirs, sizeof struct_size);
    return struct_size;
}

static bool is_zero(const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

int mfs_structsize_check(size_t struct_size, size_t minimum)
{
    MFS_CHECK(minimum > sizeof(size_t) && minimum <= MEMFS_STRUCT_SIZE_MAX);
    if (struct_size < minimum)
        return MEMFS_EINVAL;
    return struct_size <= MEMFS_STRUCT_SIZE_MAX ? 0 : MEMFS_E2BIG;
}

int mfs_structsize_check_out(const void *theirs, size_t minimum)
{
    return theirs != NULL ? mfs_structsize_check(size_of(theirs), minimum) : MEMFS_EINVAL;
}

int mfs_structsize_copy_in(void *own, size_t own_size, const void *theirs, size_t minimum)
{
    MFS_CHECK(minimum <= own_size);
    int error = mfs_structsize_check_out(theirs, minimum);
    if (error != 0)
        return error;
    size_t size = size_of(theirs);
    if (size > own_size && !is_zero((const unsigned char *)theirs + own_size, size - own_size))
        return MEMFS_E2BIG;
    memset(own, 0, own_size);
    memcpy(own, theirs, mfs_num_min_size(size, own_size));
    memcpy(own, &own_size, sizeof own_size);
    return 0;
}

void mfs_structsize_copy_out(void *theirs, const void *own, size_t own_size)
{
    size_t size = size_of(theirs);
    size_t first = sizeof(size_t);
    MFS_CHECK(size > first && size <= MEMFS_STRUCT_SIZE_MAX);
    memcpy((unsigned char *)theirs + first, (const unsigned char *)own + first,
           mfs_num_min_size(size, own_size) - first);
    mfs_structsize_clear_rest(theirs, own_size);
}

void mfs_structsize_clear_rest(void *theirs, size_t own_size)
{
    size_t size = size_of(theirs);
    if (size > own_size)
        memset((unsigned char *)theirs + own_size, 0, size - own_size);
}
