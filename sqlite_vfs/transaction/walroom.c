/*
 * The frames of a WAL may take a quarter of what is left for them and for new data together.  At a
 * full quota every commit is followed by a checkpoint then, so each transaction has the whole
 * emergency reserve.
 *
 * How many frames there are is in the WAL index.  A connection that had locking_mode=EXCLUSIVE from
 * the beginning has its index on SQLite's heap; there the size of the WAL serves, which counts
 * frames of before the last restart too.
 *
 * Cost: some loads while there is plenty of room; else a read of two bytes and one memfs_statfs().
 */
#include "transaction/walroom.h"

#include "base/assertion.h"

#include <memfs/storage.h>

enum { PAGE_SIZE_IN_HEADER = 16, PAGE_SIZE_LARGEST = 65536, FREE_PARTS = 3 };

/* Of the database; the largest, if it cannot be read. */
static uint64_t page_size_in_header(const struct mfs_file *database)
{
    unsigned char bytes[2];
    if (memfs_pread(database->bytes.file, bytes, sizeof bytes, PAGE_SIZE_IN_HEADER) !=
        (int64_t)sizeof bytes)
        return PAGE_SIZE_LARGEST;
    uint64_t size = (uint64_t)bytes[0] << 8 | bytes[1];
    return size >= 512 ? size : PAGE_SIZE_LARGEST;
}

bool mfs_walroom_is_short(const struct mfs_file *database, uint64_t frames)
{
    if (frames * PAGE_SIZE_LARGEST <= memfs_uncommitted_bytes(database->fs) / FREE_PARTS)
        return false;
    memfs_statfs_info info;
    info.struct_size = sizeof info;
    int error = memfs_statfs(database->fs, &info);
    MFS_ASSERT(error == 0);
    return info.quota_bytes != 0 &&
           frames * page_size_in_header(database) > info.available_bytes / FREE_PARTS;
}

static int64_t wal_bytes_of(const struct mfs_name_cache *names)
{
    return names->wal.file != NULL ? memfs_file_size(names->wal.file->bytes.file) : 0;
}

static uint64_t count_frames(const struct mfs_file *database, const struct mfs_member *member,
                             const struct mfs_name_cache *names)
{
    if (member->shm == NULL)
        return (uint64_t)wal_bytes_of(names) / page_size_in_header(database);
    mfs_mutex_lock(member->mutex);
    uint64_t frames = mfs_shm_frames(member->shm);
    mfs_mutex_unlock(member->mutex);
    return frames;
}

bool mfs_walroom_is_short_now(const struct mfs_file *database, const struct mfs_member *member,
                              const struct mfs_name_cache *names)
{
    uint64_t frames = count_frames(database, member, names);
    return frames > 0 && mfs_walroom_is_short(database, frames);
}
