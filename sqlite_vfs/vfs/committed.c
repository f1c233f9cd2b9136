/*
 * Without a WAL the file is what is committed: the read transaction keeps writers out of it, or, if
 * the database is isolated, they exchange its content in one step.
 *
 * With a WAL:
 *
 * 1. The checkpointer's slot is held, so the file does not change, and the frames up to the index's
 *    `backfilled` are in it.
 * 2. The frames behind those, up to the last commit, are written over what was taken.  They stay
 *    where they are as long as the reader's slot is held; if all frames were in the file already, a
 *    writer may have begun the WAL anew, which shows in the index's header.
 * 3. What a checkpoint will overwrite in the file is just what was written over in the copy.  So no
 *    such page is shared any more when the checkpointer's slot is let go, and the checkpoint needs
 *    as little memory as it would have without us.
 *
 * Cost: a copy of each page that is in the WAL and not yet in the file.
 */
#include "vfs/committed.h"

#include "base/assertion.h"
#include "base/bigendian.h"
#include "base/errmap.h"
#include "locks/waiting.h"
#include "transaction/wal.h"

#include <string.h>

/* SQLite's file format: the first bytes of a WAL's index, in the machine's byte order. */
enum {
    INDEX_HEADER_BYTES = 48, /* there are two of them, equal unless one is being written */
    INDEX_FRAMES = 16,
    INDEX_PAGES = 20,
    INDEX_BACKFILLED = 96,
    PAGE_BYTES_MAX = 65536
};

/* The index's header at one moment. */
struct index_state {
    unsigned char header[INDEX_HEADER_BYTES];
    uint32_t frames, pages, backfilled;
};

static uint32_t native_u32(const unsigned char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

/* False: it is being written. */
static bool read_index(struct mfs_shm *shm, struct index_state *out)
{
    void *region = NULL;
    unsigned char first[INDEX_HEADER_BYTES];
    if (shm->regions_mapped == 0)
        return false;
    region = shm->regions[0];
    memcpy(first, region, sizeof first);
    mfs_shm_barrier(shm);
    memcpy(out->header, (const unsigned char *)region + INDEX_HEADER_BYTES, sizeof out->header);
    out->backfilled = native_u32((const unsigned char *)region + INDEX_BACKFILLED);
    out->frames = native_u32(first + INDEX_FRAMES);
    out->pages = native_u32(first + INDEX_PAGES);
    return memcmp(first, out->header, sizeof first) == 0;
}

static int map_error(int64_t result)
{
    return result < 0 ? mfs_errmap(MFS_OPERATION_WRITE, (int)result) : SQLITE_OK;
}

/* Writes one frame of a WAL over the page that it is of. */
static int lay_frame(const memfs_content_ref *wal, uint32_t frame, uint32_t page_size,
                     unsigned char *buffer, memfs_content_ref *onto)
{
    int64_t at = MFS_WAL_HEADER_BYTES +
                 (int64_t)(frame - 1) * (MFS_WAL_FRAME_HEADER_BYTES + page_size);
    int64_t wanted = MFS_WAL_FRAME_HEADER_BYTES + page_size;
    if (memfs_content_read(wal, buffer, (size_t)wanted, at) != wanted)
        return SQLITE_BUSY; /* the WAL was truncated: it was begun anew */
    uint32_t page = mfs_bigendian_read(buffer);
    if (page == 0)
        return SQLITE_BUSY;
    return map_error(memfs_content_write(onto, buffer + MFS_WAL_FRAME_HEADER_BYTES, page_size,
                                         (int64_t)(page - 1) * page_size));
}

static int lay_frames(const memfs_content_ref *wal, const struct index_state *index,
                      memfs_content_ref *onto)
{
    unsigned char header[MFS_WAL_HEADER_BYTES];
    if (memfs_content_read(wal, header, sizeof header, 0) != sizeof header)
        return SQLITE_BUSY;
    uint32_t page_size = mfs_wal_page_size(header);
    if (page_size == 0)
        return SQLITE_BUSY;
    unsigned char *buffer = sqlite3_malloc(MFS_WAL_FRAME_HEADER_BYTES + PAGE_BYTES_MAX);
    int rc = buffer != NULL ? SQLITE_OK : SQLITE_NOMEM;
    for (uint32_t frame = index->backfilled + 1; rc == SQLITE_OK && frame <= index->frames; frame++)
        rc = lay_frame(wal, frame, page_size, buffer, onto);
    sqlite3_free(buffer);
    if (rc == SQLITE_OK)
        rc = map_error(memfs_content_truncate(onto, (int64_t)index->pages * page_size));
    return rc;
}

/* With the checkpointer's slot held. */
static int take_with_wal(struct mfs_dbfile *db, memfs_content_ref *out)
{
    struct index_state before, after;
    memfs_content_ref wal;
    if (!read_index(db->member.shm, &before))
        return SQLITE_BUSY;
    int error = memfs_content_take(db->file.bytes.file, out);
    if (error != 0 || before.backfilled >= before.frames)
        return map_error(error);
    error = memfs_content_take(db->names.wal.file->bytes.file, &wal);
    int rc = map_error(error);
    if (error == 0) {
        bool is_same = read_index(db->member.shm, &after) &&
                       memcmp(before.header, after.header, sizeof before.header) == 0;
        rc = is_same ? lay_frames(&wal, &before, out) : SQLITE_BUSY;
        (void)memfs_content_drop(&wal);
    }
    if (rc != SQLITE_OK)
        (void)memfs_content_drop(out);
    return rc;
}

int mfs_committed_take(struct mfs_dbfile *db, memfs_content_ref *out)
{
    struct mfs_member *member = &db->member;
    struct mfs_shm *shm = member->shm;
    MFS_ASSERT(member->level >= MFS_LOCK_SHARED);
    if (shm == NULL || db->names.wal.file == NULL)
        return map_error(memfs_content_take(db->file.bytes.file, out));
    if (!mfs_shm_lock(shm, &member->hold, MFS_SHM_CHECKPOINT_SLOT, 1, true))
        return SQLITE_BUSY;
    int rc = take_with_wal(db, out);
    mfs_shm_unlock(shm, &member->hold, MFS_SHM_CHECKPOINT_SLOT, 1, true);
    mfs_waiting_wake(member, db->registry);
    return rc;
}
