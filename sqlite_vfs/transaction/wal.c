/*
 * What is charged for each frame.
 *
 * 1. Only the connection that holds the WAL's write lock writes to the WAL, so the end of the
 *    preallocation has one writer at a time.
 * 2. Only frame headers are charged.  A page follows a header that was charged; a rewritten
 *    checksum (24 bytes in the place of a header) names a page that was charged before.
 * 3. The order is: index, size limit, growth, page.  A refusal leaves what was charged before it
 *    charged, until the WAL is restarted; the WAL itself has not changed.
 * 4. A frame whose page lies far behind all others comes from a damaged database.  Its page is
 *    charged, and not the gap before it, which a checkpoint does not write.
 *
 * Cost: the database's mutex three times for each frame, and a walk of the database's page tree.
 *
 * Left out on purpose: a WAL that this VFS did not write.  Its recovery and checkpoint may be
 * refused like any growth.
 */
#include "transaction/wal.h"

#include "base/assertion.h"
#include "base/bigendian.h"
#include "base/lasterror.h"
#include "locks/walindex.h"

#include <memfs/storage.h>

enum { PAGE_NUMBER_BYTES = 4, PAGE_SIZE_OFFSET = 8 };

uint32_t mfs_wal_page_size(const unsigned char header[MFS_WAL_HEADER_BYTES])
{
    uint32_t size = mfs_bigendian_read(header + PAGE_SIZE_OFFSET);
    if (size == 1)
        return 65536;
    return size >= 512 && size <= 65536 && (size & (size - 1)) == 0 ? size : 0;
}

static uint32_t find_page_size(struct mfs_wal *wal, const struct mfs_file *file)
{
    unsigned char header[MFS_WAL_HEADER_BYTES];
    if (wal->page_size == 0 &&
        memfs_pread(file->bytes.file, header, sizeof header, 0) == (int64_t)sizeof header)
        wal->page_size = mfs_wal_page_size(header);
    return wal->page_size;
}

/* The end of the preallocation.  For a WAL that existed when the first connection opened the
 * database it is derived from fstat, which may give more than was preallocated for the WAL. */
static int64_t preallocated_end(struct mfs_member *member, bool is_first_frame, int64_t size)
{
    int64_t end = mfs_member_wal_preallocated_end(member);
    memfs_stat_info info;
    info.struct_size = sizeof info;
    if (end != 0 || is_first_frame || memfs_fstat(member->file, &info) != 0)
        return end;
    end = (int64_t)(info.size_bytes + info.preallocated_bytes);
    if (end < size)
        end = size;
    if (memfs_preallocate(member->file, end) != 0)
        return 0;
    mfs_member_set_wal_preallocated_end(member, end);
    return end;
}

static int allocate_page(struct mfs_member *member, int64_t offset, int64_t page_size)
{
    int error = memfs_fallocate(member->file, offset, page_size, MEMFS_FALLOCATE_KEEP_SIZE);
    return mfs_lasterror_code(MFS_OPERATION_WRITE, error);
}

/* Makes sure that the page can be copied into the database later, also if a checkpoint of earlier
 * transactions truncates the database meanwhile. */
static int charge_page(struct mfs_member *member, int64_t page_size, uint32_t page_number,
                       bool is_first_frame)
{
    int64_t end = (int64_t)page_number * page_size;
    int64_t size = memfs_file_size(member->file);
    int64_t limit = mfs_member_size_limit(member);
    if (size < 0)
        return mfs_lasterror_code(MFS_OPERATION_SIZE, (int)size);
    if (end > size && limit != MFS_SIZE_UNLIMITED && end > limit)
        return SQLITE_FULL;
    int64_t reached = preallocated_end(member, is_first_frame, size);
    if (mfs_bytes_is_growth_absurd(member->file, reached > size ? reached : size, end))
        return allocate_page(member, end - page_size, page_size);
    if (end > reached) {
        int error = memfs_preallocate(member->file, end);
        if (error != 0)
            return mfs_lasterror_code(MFS_OPERATION_WRITE, error);
        mfs_member_set_wal_preallocated_end(member, end);
    }
    return end > size ? SQLITE_OK : allocate_page(member, end - page_size, page_size);
}

int mfs_wal_before_write(struct mfs_wal *wal, struct mfs_member *member,
                         const struct mfs_file *file, const void *buffer, int count,
                         sqlite3_int64 offset)
{
    if (offset == 0 && count == MFS_WAL_HEADER_BYTES) {
        wal->page_size = mfs_wal_page_size(buffer);
        mfs_wal_end_preallocation(member);
        return SQLITE_OK;
    }
    if (count != MFS_WAL_FRAME_HEADER_BYTES || find_page_size(wal, file) == 0)
        return SQLITE_OK;
    int64_t frame_bytes = (int64_t)wal->page_size + MFS_WAL_FRAME_HEADER_BYTES;
    if ((offset - MFS_WAL_HEADER_BYTES) % frame_bytes != 0)
        return SQLITE_OK;
    MFS_ASSERT(offset >= MFS_WAL_HEADER_BYTES);
    uint64_t frames = (uint64_t)((offset - MFS_WAL_HEADER_BYTES) / frame_bytes) + 1;
    int error = mfs_walindex_prepare(member, frames);
    if (error != 0)
        return mfs_lasterror_code(MFS_OPERATION_WRITE, error);
    return charge_page(member, wal->page_size, mfs_bigendian_read(buffer), frames == 1);
}

/* The number behind the page number is the size of the database after a commit, in pages; 0: the
 * transaction has more frames. */
bool mfs_wal_is_commit(const void *buffer, int count)
{
    return count == MFS_WAL_FRAME_HEADER_BYTES &&
           mfs_bigendian_read((const unsigned char *)buffer + PAGE_NUMBER_BYTES) != 0;
}

void mfs_wal_end_preallocation(struct mfs_member *member)
{
    if (!member->can_write)
        return;
    int error = memfs_preallocate(member->file, 0);
    MFS_ASSERT(error == 0);
    mfs_member_set_wal_preallocated_end(member, 0);
}
