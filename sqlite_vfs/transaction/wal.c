/*
 * Only the connection that holds the WAL's write lock writes to it, so the
 * reservation's end has one writer at a time.
 *
 * Writes that are no frame header are let through: pages follow a header that was
 * let through, and rewritten checksums (24 bytes at the place of a header) name a
 * page that was reserved before.
 */
#include "transaction/wal.h"

#include "base/errmap.h"

#include <memfs/storage.h>

#include <assert.h>

enum { WAL_HEADER_BYTES = 32, FRAME_HEADER_BYTES = 24, PAGE_SIZE_OFFSET = 8 };

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The page size that a WAL's header names; 0 if it is none. */
static uint32_t page_size_in(const unsigned char *header)
{
    uint32_t size = big_endian(header + PAGE_SIZE_OFFSET);
    if (size == 1)
        return 65536;
    return size >= 512 && size <= 65536 && (size & (size - 1)) == 0 ? size : 0;
}

static uint32_t find_page_size(struct mfs_wal *wal, struct mfs_file *file)
{
    unsigned char header[WAL_HEADER_BYTES];
    if (wal->page_size == 0 &&
        memfs_pread(file->handle, header, sizeof header, 0) == (int64_t)sizeof header)
        wal->page_size = page_size_in(header);
    return wal->page_size;
}

/* To where the database's room is kept; the first frame finds nothing kept, and a connection that is
 * new to an old WAL may take it for more. */
static int64_t kept_end(struct mfs_wal *wal, bool is_first_frame, int64_t size)
{
    int64_t end = mfs_member_wal_reserved_end(wal->member);
    memfs_stat_info info;
    info.struct_size = sizeof info;
    if (end != 0 || is_first_frame || memfs_fstat(wal->database->handle, &info) != 0)
        return end;
    end = (int64_t)(info.size_bytes + info.preallocated_bytes);
    if (end < size)
        end = size;
    if (memfs_preallocate(wal->database->handle, end) != 0)
        return 0;
    mfs_member_set_wal_reserved_end(wal->member, end);
    return end;
}

/* Makes sure that the page can be copied into the database later, also if a checkpoint of what was
 * committed before cuts the database meanwhile. */
static int secure_page(struct mfs_wal *wal, uint32_t page_number, bool is_first_frame)
{
    int64_t page_size = wal->page_size;
    int64_t end = (int64_t)page_number * page_size;
    int64_t size = memfs_file_size(wal->database->handle);
    int64_t limit = mfs_member_size_limit(wal->member);
    if (size < 0)
        return mfs_errmap(MFS_OPERATION_SIZE, (int)size);
    if (end > size && limit != MFS_SIZE_UNLIMITED && end > limit)
        return SQLITE_FULL;
    if (end > kept_end(wal, is_first_frame, size)) {
        int error = memfs_preallocate(wal->database->handle, end);
        if (error != 0)
            return mfs_errmap(MFS_OPERATION_WRITE, error);
        mfs_member_set_wal_reserved_end(wal->member, end);
    }
    if (end > size)
        return SQLITE_OK;
    int error = memfs_fallocate(wal->database->handle, end - page_size, page_size,
                                MEMFS_FALLOCATE_KEEP_SIZE);
    return mfs_errmap(MFS_OPERATION_WRITE, error);
}

int mfs_wal_before_write(struct mfs_wal *wal, struct mfs_file *file, const void *buffer, int count,
                         sqlite3_int64 offset)
{
    if (wal->database == NULL)
        return SQLITE_OK;
    if (offset == 0 && count == WAL_HEADER_BYTES) {
        wal->page_size = page_size_in(buffer);
        mfs_wal_end_reservation(wal->database, wal->member);
        return SQLITE_OK;
    }
    if (count != FRAME_HEADER_BYTES || find_page_size(wal, file) == 0)
        return SQLITE_OK;
    int64_t frame_bytes = (int64_t)wal->page_size + FRAME_HEADER_BYTES;
    if ((offset - WAL_HEADER_BYTES) % frame_bytes != 0)
        return SQLITE_OK;
    uint64_t frames = (uint64_t)((offset - WAL_HEADER_BYTES) / frame_bytes) + 1;
    int error = mfs_member_prepare_shm(wal->member, frames);
    if (error != 0)
        return mfs_errmap(MFS_OPERATION_WRITE, error);
    return secure_page(wal, big_endian(buffer), frames == 1);
}

void mfs_wal_after_truncate(struct mfs_wal *wal, sqlite3_int64 size)
{
    if (wal->database != NULL && size == 0)
        mfs_wal_end_reservation(wal->database, wal->member);
}

void mfs_wal_end_reservation(struct mfs_file *database, struct mfs_member *member)
{
    if (database->is_read_only)
        return;
    int error = memfs_preallocate(database->handle, 0);
    assert(error == 0);
    (void)error;
    mfs_member_set_wal_reserved_end(member, 0);
}
