/* Memory of callers that counts against the quota. */
#include "api/retry.h"

#include <memfs/storage.h>

struct charged_request {
    memfs *fs;
    enum mfs_charge_from charge_from;
    size_t size;
    void **out;
};

static int64_t take_charged_once(const void *operation)
{
    const struct charged_request *r = operation;
    if (!mfs_fs_is_valid(r->fs) || r->out == NULL)
        return MEMFS_EINVAL;
    return mfs_block_take(&r->fs->blocks, r->fs->memory, r->charge_from, MEMFS_CLASS_CHARGED,
                          r->size, r->out);
}

int memfs_charged_alloc(memfs *fs, size_t size, void **out)
{
    struct charged_request request = {fs, MFS_CHARGE_ORDINARY, size, out};
    return (int)mfs_retry_run(fs, take_charged_once, &request);
}

int memfs_charged_alloc_emergency(memfs *fs, size_t size, void **out)
{
    struct charged_request request = {fs, MFS_CHARGE_RESERVE, size, out};
    return (int)mfs_retry_run(fs, take_charged_once, &request);
}

int memfs_free(memfs *fs, void *memory)
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    return memory != NULL ? mfs_block_give(&fs->blocks, fs->memory, memory) : 0;
}
