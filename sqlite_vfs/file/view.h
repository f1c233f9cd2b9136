/*
 * A content that a connection reads and writes in the place of its database's file.
 *
 * What a transaction changes in its view becomes the file's in one step, or never.  Until then
 * nobody else sees it: not another connection, not a copy that somebody takes, not a snapshot.
 */
#ifndef MFS_VIEW_H
#define MFS_VIEW_H

#include "base/sqliteapi.h"

#include <memfs/storage.h>

#include <stdbool.h>
#include <stdint.h>

/* All zeros to begin with: there is none. */
struct mfs_view {
    bool is_held;
    bool is_idle;    /* kept for the next transaction; another thread may drop it meanwhile */
    bool is_changed; /* since it was taken */
    bool was_cut;
    uint64_t generation;  /* moves, and never back, when mappings of the view's pages become old */
    int64_t reserved_end; /* where the room that a size hint reserved ends; 0: none */
    memfs_content_ref version;
};

/* Takes the file's content of now; no memory.  There is no view yet. */
int mfs_view_take(struct mfs_view *view, memfs_file *file);

/* No more view, without a trace; without one, nothing happens. */
void mfs_view_drop(struct mfs_view *view);

/* Puts the view's content into the file, in one step; the view then has what was there before.
 * Cannot fail: `file` may be written, and all memory has been taken. */
void mfs_view_exchange(struct mfs_view *view, memfs_file *file);

/* Drops what mfs_view_exchange() left; then what the transaction cut off is given back, too. */
void mfs_view_drop_former(struct mfs_view *view, memfs_file *file);

/* Whether it stands in the place of the file now. */
static inline bool mfs_view_is_used(const struct mfs_view *view)
{
    return !view->is_idle && view->is_held;
}

/* As in sqlite3_io_methods, of the view. */
int mfs_view_read(const struct mfs_view *view, void *buffer, int count, sqlite3_int64 offset);
int mfs_view_write(struct mfs_view *view, const void *buffer, int count, sqlite3_int64 offset);
int mfs_view_truncate(struct mfs_view *view, sqlite3_int64 size);

static inline int64_t mfs_view_size(const struct mfs_view *view)
{
    return (int64_t)view->version.size_bytes;
}

/* Makes room up to `size` at one go, all or nothing; the size stays.  It ends with the exchange. */
int mfs_view_reserve_room(struct mfs_view *view, sqlite3_int64 size);

#endif
