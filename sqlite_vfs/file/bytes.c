/*
 * SQLite's conventions for bytes, over memfs's files and content versions.
 *
 * 1. A short read fills the rest of the buffer with zeros; SQLite's pager relies on it.
 * 2. Writes are all or nothing in memfs, so a refused write needs no clean-up.
 * 3. allocated_end is 0, or all pages up to it are there and a hint up to it costs nothing.
 *    Truncating to a smaller size frees every page behind the new end, so it then becomes 0.
 *
 * Cost: one branch more than calling memfs.
 *
 * Left out on purpose: a table of functions for the two kinds.  A branch costs less, and both
 * kinds are known here.
 */
#include "file/bytes.h"

#include "base/assertion.h"
#include "base/lasterror.h"

#include <string.h>

int mfs_bytes_read(const struct mfs_bytes *bytes, void *buffer, int count, sqlite3_int64 offset)
{
    MFS_ASSERT(count >= 0 && offset >= 0);
    int64_t got = bytes->version != NULL
                      ? memfs_content_read(bytes->version, buffer, (size_t)count, offset)
                      : memfs_pread(bytes->file, buffer, (size_t)count, offset);
    if (got == count)
        return SQLITE_OK;
    if (got < 0)
        return mfs_lasterror_code(MFS_OPERATION_READ, (int)got);
    memset((char *)buffer + got, 0, (size_t)(count - got));
    return SQLITE_IOERR_SHORT_READ;
}

static int write_version(struct mfs_bytes *bytes, const void *buffer, int count, int64_t offset)
{
    bytes->generation++;
    int64_t written = memfs_content_write(bytes->version, buffer, (size_t)count, offset);
    MFS_ASSERT(written < 0 || written == count);
    if (written < 0)
        return mfs_lasterror_code(MFS_OPERATION_WRITE, (int)written);
    bytes->is_changed = true;
    return SQLITE_OK;
}

int mfs_bytes_write(struct mfs_bytes *bytes, const void *buffer, int count, sqlite3_int64 offset)
{
    MFS_ASSERT(count >= 0 && offset >= 0);
    if (bytes->version != NULL)
        return write_version(bytes, buffer, count, offset);
    int64_t written = memfs_pwrite(bytes->file, buffer, (size_t)count, offset);
    MFS_ASSERT(written < 0 || written == count);
    return written >= 0 ? SQLITE_OK : mfs_lasterror_code(MFS_OPERATION_WRITE, (int)written);
}

static int truncate_to(struct mfs_bytes *bytes, int64_t size)
{
    return bytes->version != NULL ? memfs_content_truncate(bytes->version, size)
                                  : memfs_ftruncate(bytes->file, size);
}

int mfs_bytes_truncate(struct mfs_bytes *bytes, sqlite3_int64 size)
{
    bool cuts = size < mfs_bytes_size(bytes);
    bytes->generation++;
    int error = truncate_to(bytes, size);
    if (error == 0) {
        bytes->is_changed = true;
        bytes->was_cut |= cuts;
        if (cuts)
            bytes->allocated_end = 0;
    }
    return mfs_lasterror_code(MFS_OPERATION_TRUNCATE, error);
}

int mfs_bytes_report_size(const struct mfs_bytes *bytes, sqlite3_int64 *size)
{
    int64_t now = mfs_bytes_size(bytes);
    if (now < 0)
        return mfs_lasterror_code(MFS_OPERATION_SIZE, (int)now);
    *size = now;
    return SQLITE_OK;
}

bool mfs_bytes_range_equals(const struct mfs_bytes *bytes, const void *expected, int count,
                            sqlite3_int64 offset)
{
    char piece[512];
    memfs_mapping page;
    if (count > 0 && mfs_bytes_map(bytes, offset, (size_t)count, &page) == 0) {
        bool is_equal = memcmp(page.data, expected, (size_t)count) == 0;
        memfs_unmap(&page);
        return is_equal;
    }
    for (int done = 0; done < count;) {
        int length = count - done < (int)sizeof piece ? count - done : (int)sizeof piece;
        if (mfs_bytes_read(bytes, piece, length, offset + done) != SQLITE_OK ||
            memcmp(piece, (const char *)expected + done, (size_t)length) != 0)
            return false;
        done += length;
    }
    return true;
}

bool mfs_bytes_is_growth_absurd(memfs_file *file, int64_t from, int64_t to)
{
    int64_t growth = to - from;
    memfs_stat_info info;
    info.struct_size = sizeof info;
    if (growth <= INT64_C(16) * 1024 * 1024)
        return false;
    return growth > from || memfs_fstat(file, &info) != 0 ||
           (uint64_t)growth > info.allocated_bytes + info.preallocated_bytes;
}

int mfs_bytes_allocate(struct mfs_bytes *bytes, sqlite3_int64 size)
{
    int64_t now = mfs_bytes_size(bytes);
    if (now < 0)
        return mfs_lasterror_code(MFS_OPERATION_SIZE, (int)now);
    if (size <= now || size <= bytes->allocated_end)
        return SQLITE_OK;
    int error = bytes->version != NULL
                    ? memfs_content_allocate(bytes->version, now, size - now)
                    : memfs_fallocate(bytes->file, now, size - now, MEMFS_FALLOCATE_KEEP_SIZE);
    if (error == 0) {
        bytes->is_changed = true;
        bytes->allocated_end = size;
    }
    return mfs_lasterror_code(MFS_OPERATION_WRITE, error);
}

void mfs_bytes_free_unused(struct mfs_bytes *bytes)
{
    if (bytes->allocated_end == 0)
        return;
    int64_t size = mfs_bytes_size(bytes);
    if (bytes->allocated_end > size && size >= 0) {
        int error = truncate_to(bytes, size);
        MFS_ASSERT(error == 0 || bytes->version == NULL);
    }
    bytes->allocated_end = 0;
}

int mfs_bytes_map(const struct mfs_bytes *bytes, int64_t offset, size_t length, memfs_mapping *out)
{
    return bytes->version != NULL ? memfs_content_map(bytes->version, offset, length, out)
                                  : memfs_map_present(bytes->file, offset, length, out);
}
