/*
 * The life of a view.
 *
 * Between transactions a connection keeps its view, *idle*, for the next one, so beginning a
 * transaction costs nothing while no connection writes.
 *
 *                  enter                     leave
 *     nothing ---------------> in use -----------------> idle
 *        ^                     |    ^                      |  |
 *        |      leave, if      |    '---------- enter -----'  |
 *        |      outdated       |                              | a version is published
 *        '---------------------+------------------------------'
 *
 * 1. An idle connection holds no old version: publishing drops the idle views of all others.
 * 2. So a view that is still held when a transaction begins is the version of the last transaction,
 *    and the pager's cache is good.
 */
#include "locks/isolation.h"

#include "base/assertion.h"

void mfs_isolation_enter(struct mfs_isolation *isolation, uint64_t version)
{
    struct mfs_view *view = isolation->view;
    view->is_idle = false;
    isolation->is_outdated = false;
    isolation->may_be_held = true;
    if (view->is_held)
        return;
    isolation->has_new_version = isolation->had_transaction;
    isolation->had_transaction = true;
    int rc = mfs_view_take(view, isolation->file);
    MFS_ASSERT(rc == SQLITE_OK);
    isolation->version = version;
}

bool mfs_isolation_leave(struct mfs_isolation *isolation)
{
    MFS_ASSERT(!isolation->view->is_idle);
    isolation->view->is_idle = !isolation->is_outdated;
    isolation->may_be_held = isolation->is_outdated;
    return isolation->is_outdated;
}

void mfs_isolation_note_drop(struct mfs_isolation *isolation)
{
    MFS_ASSERT(!isolation->view->is_idle && !isolation->view->is_held);
    isolation->may_be_held = false;
}

void mfs_isolation_outdate(struct mfs_isolation *isolation)
{
    if (isolation->view->is_idle) {
        mfs_view_drop(isolation->view);
        isolation->view->is_idle = false;
    } else {
        isolation->is_outdated = true;
    }
}
