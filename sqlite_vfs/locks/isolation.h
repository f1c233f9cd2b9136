/*
 * Snapshot isolation: which version of its database one connection sees.
 *
 * Threads: `file` and `view` are fixed while the connection is open.  The other fields, and the
 * view of a connection that is not in a transaction (view->is_idle), are guarded by the database's
 * mutex, since a connection that publishes a version reaches into all others.  The view of a
 * connection in a transaction, and `has_new_version`, are its own.
 */
#ifndef MFS_ISOLATION_H
#define MFS_ISOLATION_H

#include "file/view.h"

#include <memfs/memfs.h>

#include <stdbool.h>
#include <stdint.h>

/* What a connection asks for when it opens a database. */
enum mfs_isolation_wish {
    MFS_ISOLATION_AS_IT_IS = 0, /* what the other connections have; without others: none */
    MFS_ISOLATION_ON,
    MFS_ISOLATION_OFF
};

/* One connection's part.  All zeros: none. */
struct mfs_isolation {
    memfs_file *file; /* the database's; null: the connection is not isolated */
    struct mfs_view *view;
    uint64_t version; /* of the view: how many had been published when it was taken */
    bool is_outdated; /* another version was published since */
    bool may_be_held; /* the view, by a transaction, or by one that has ended and will drop it */
    bool had_transaction; /* before the current one */
    bool has_new_version; /* than when the pager last compared its cache with the database */
    bool no_hot_journal;  /* the share's field of that name, as of the connection's last lock */
};

/* At the beginning of a transaction: makes sure that the view is the current version, `version`.
 * Needs no memory. */
void mfs_isolation_enter(struct mfs_isolation *isolation, uint64_t version);

/* At the end of a transaction.  True: the caller drops the view with mfs_view_drop(), without the
 * mutex, and then calls mfs_isolation_note_drop() with it. */
bool mfs_isolation_leave(struct mfs_isolation *isolation);
void mfs_isolation_note_drop(struct mfs_isolation *isolation);

/* Another connection has published a version. */
void mfs_isolation_outdate(struct mfs_isolation *isolation);

#endif
