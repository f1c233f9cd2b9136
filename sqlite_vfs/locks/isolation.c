/*
 * Between transactions a connection keeps its view, *idle*, for the next one: beginning costs
 * nothing while nobody writes.  So that an idle connection holds no old version, who publishes
 * one drops the idle views of all others.  A view that is found still there at the beginning of
 * a transaction is therefore the version of the last one.
 *
 *                  enter                     leave
 *     nothing ---------------> in use -----------------> idle
 *        ^                     |    ^                      |  |
 *        |      leave, if      |    '---------- enter -----'  |
 *        |      outdated       |                              | somebody publishes
 *        '---------------------+------------------------------'
 */
#include "locks/isolation.h"

#include <assert.h>

void mfs_isolation_enter(struct mfs_isolation *isolation, uint64_t number)
{
    struct mfs_view *view = isolation->view;
    view->is_idle = false;
    isolation->is_outdated = false;
    isolation->may_be_held = true;
    if (view->is_held)
        return;
    isolation->is_news = isolation->is_known;
    isolation->is_known = true;
    int rc = mfs_view_take(view, isolation->file);
    assert(rc == SQLITE_OK);
    (void)rc;
    isolation->number = number;
}

bool mfs_isolation_leave(struct mfs_isolation *isolation)
{
    isolation->view->is_idle = !isolation->is_outdated;
    isolation->may_be_held = isolation->is_outdated;
    return isolation->is_outdated;
}

void mfs_isolation_note_drop(struct mfs_isolation *isolation)
{
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
