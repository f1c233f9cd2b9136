/*
 * Snapshot isolation: which version of its database one connection sees.
 *
 * Who guards what: `file` and `view` are fixed while the connection is open.  The rest, and
 * the view of a connection that is not in a transaction (view->is_idle), is guarded by the
 * database's mutex, since who publishes a new version reaches into all connections.  The view
 * of a connection in a transaction is its own.
 */
#ifndef MFS_ISOLATION_H
#define MFS_ISOLATION_H

#include "file/view.h"

#include <memfs/memfs.h>

#include <stdbool.h>
#include <stdint.h>

/* What an opener wants. */
enum mfs_isolation_wish {
    MFS_ISOLATION_AS_IT_IS = 0, /* what the others have; nobody there: none */
    MFS_ISOLATION_ON,
    MFS_ISOLATION_OFF
};

/* One connection's part.  All zeros: none. */
struct mfs_isolation {
    memfs_file *file; /* the database's; null: this one is not isolated */
    struct mfs_view *view;
    uint64_t number;    /* of the version in the view: how many had been published */
    bool is_outdated;   /* another one was published since */
    bool may_be_held;   /* by a transaction, or by one that has ended and is about to drop it */
    bool is_known;      /* there was a transaction before */
    bool is_news;       /* since the pager last looked, the view has become another version */
    bool skips_journal; /* what lies beside the database cannot be a hot journal */
};

/* A transaction begins, with the version that `number` names; no memory. */
void mfs_isolation_enter(struct mfs_isolation *isolation, uint64_t number);

/* It ends.  True: the view is to be dropped by mfs_view_drop(), outside of the mutex; then
 * mfs_isolation_note_drop(). */
bool mfs_isolation_leave(struct mfs_isolation *isolation);
void mfs_isolation_note_drop(struct mfs_isolation *isolation);

/* Another connection has published a version. */
void mfs_isolation_outdate(struct mfs_isolation *isolation);

#endif
