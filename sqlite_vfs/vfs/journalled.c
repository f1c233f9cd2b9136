/*
 * What a rollback will write.
 *
 * 1. The pager writes a record as a page number of 4 bytes, then the page, then a checksum, each by
 *    a call of its own (pagerAddPageToRollbackJournal).
 * 2. A page that is journalled as the file has it costs nothing: what is played back changes
 *    nothing, or overwrites what the transaction has written.  One that differs is made private
 *    where a copy shares it, and a hole is filled; from then on until the connection unlocks, new
 *    copies get pages of their own.
 * 3. Only pages that are free differ: the pager leaves them as they are in the file when it frees
 *    them (sqlite3PagerDontWrite()), and writes them when they are used again.  So where the
 *    database has no free page as a transaction begins, none of those that it journals differs.
 *    Page 1, which says so, is written last; what is journalled after that is compared.
 * 4. So a refusal comes while the statement can fail alone, and not to the reader that finds the
 *    journal hot.
 *
 * Cost: where the database has free pages, and under locking_mode=EXCLUSIVE, where the pager does
 * not look at the header anew, a comparison with the file for each page that is journalled.
 *
 * Left undone on purpose: views (an isolated database, MEMORY and OFF), which are dropped instead
 * (dbstate.h).
 */
#include "vfs/journalled.h"

#include "base/assertion.h"
#include "base/bigendian.h"
#include "base/lasterror.h"

enum { JOURNAL_NUMBER_BYTES = 4, PAGE_BYTES_LEAST = 512 };

static bool is_page(const struct mfs_journalled *journalled, int count, sqlite3_int64 offset)
{
    return journalled->next_offset != 0 && offset == journalled->next_offset &&
           journalled->page_number != 0 && count >= PAGE_BYTES_LEAST && (count & (count - 1)) == 0;
}

static int make_private(struct mfs_dbfile *db, int64_t offset, int count)
{
    mfs_dbstate_hold_private(db, true);
    int error = memfs_fallocate(db->file.bytes.file, offset, count, MEMFS_FALLOCATE_KEEP_SIZE);
    return mfs_lasterror_code(MFS_OPERATION_WRITE, error);
}

static int prepare_page(struct mfs_dbfile *db, uint32_t page_number, const void *page, int count)
{
    int64_t offset = (int64_t)(page_number - 1) * count;
    MFS_ASSERT(page_number > 0);
    if (mfs_member_is_isolated(&db->member) || offset + count > mfs_bytes_size(&db->file.bytes) ||
        mfs_bytes_range_equals(&db->file.bytes, page, count, offset))
        return SQLITE_OK;
    return make_private(db, offset, count);
}

int mfs_journalled_before_write(struct mfs_journalled *journalled, struct mfs_dbfile *db,
                                const void *buffer, int count, sqlite3_int64 offset)
{
    int rc = SQLITE_OK;
    if (!db->has_no_free_page && is_page(journalled, count, offset))
        rc = prepare_page(db, journalled->page_number, buffer, count);
    journalled->next_offset = 0;
    if (count == JOURNAL_NUMBER_BYTES) {
        journalled->next_offset = offset + JOURNAL_NUMBER_BYTES;
        journalled->page_number = mfs_bigendian_read(buffer);
    }
    return rc;
}
