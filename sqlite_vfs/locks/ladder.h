/*
 * xLock, xUnlock and xCheckReservedLock of one connection, without waiting: the lock ladder
 * (lockstate.h), and with each step what isolation needs.
 */
#ifndef MFS_LADDER_H
#define MFS_LADDER_H

#include "locks/lockstate.h"
#include "locks/member.h"

#include <stdbool.h>

/* As mfs_lockstate_lock().  MFS_LOCK_OUTDATED: a version was published since the isolated
 * connection began to read, so it cannot become the writer in this transaction. */
enum mfs_lock_answer mfs_ladder_lock(struct mfs_member *member, enum mfs_lock_level wanted);

/* As mfs_lockstate_unlock(). */
enum mfs_lock_answer mfs_ladder_unlock(struct mfs_member *member, enum mfs_lock_level wanted);

/* As mfs_lockstate_is_reserved(): whether any connection is a writer, this one included. */
bool mfs_ladder_sees_reserved(struct mfs_member *member);

#endif
