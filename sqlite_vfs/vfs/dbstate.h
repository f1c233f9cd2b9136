/*
 * The sqlite3_file of a main database, and what several of its operations do.
 *
 * dbio.h has the operations on bytes and pages, dblock.h those on locks, dbshm.h those on the WAL
 * index; dbfile.h opens and closes it and has the table of methods.
 */
#ifndef MFS_DBSTATE_H
#define MFS_DBSTATE_H

#include "file/file.h"
#include "file/kept.h"
#include "file/view.h"
#include "locks/member.h"
#include "names/name_cache.h"
#include "transaction/undo.h"

#include <stdbool.h>

/* Used by the thread that uses the connection; what other threads reach is in `member`. */
struct mfs_dbfile {
    struct mfs_file file; /* first: SQLite's pointer is ours */
    struct mfs_registry *registry;
    struct mfs_member member;
    struct mfs_undo undo;
    struct mfs_view view; /* if used, read and written in the place of the file */
    struct mfs_name_cache names;
    struct mfs_kept kept;
    bool holds_private;    /* memfs_hold_private() is on for the file */
    bool has_no_free_page; /* so the database's header said, and it has not been written since */
};

static inline struct mfs_dbfile *mfs_dbstate_of(sqlite3_file *file)
{
    return (struct mfs_dbfile *)file;
}

static inline struct mfs_dbfile *mfs_dbstate_of_names(struct mfs_name_cache *names)
{
    return MFS_LIST_ENTRY(names, struct mfs_dbfile, names);
}

/* The bytes that the connection reads and writes now. */
static inline struct mfs_bytes *mfs_dbstate_bytes(struct mfs_dbfile *db)
{
    return mfs_view_bytes(&db->view, &db->file.bytes);
}

void mfs_dbstate_switch_private(struct mfs_dbfile *db, bool on);

/* Whether copies of the file that are taken from now on get pages of their own, so that overwriting
 * the database needs no memory.  Inline, since most transactions change nothing. */
static inline void mfs_dbstate_hold_private(struct mfs_dbfile *db, bool on)
{
    if (db->holds_private != on)
        mfs_dbstate_switch_private(db, on);
}

/* Of an isolated connection: drops what it has changed in its view, if anything. */
void mfs_dbstate_abandon(struct mfs_dbfile *db);

/* A change of the connection's view was refused: undoes the transaction's other changes and ignores
 * those to come, until the pager has rolled back. */
void mfs_dbstate_doom(struct mfs_dbfile *db);

/* Ends a transaction that writes, if there is one: everything that was not committed is undone.
 * With the transaction's locks still held. */
void mfs_dbstate_end_writing(struct mfs_dbfile *db);

#endif
