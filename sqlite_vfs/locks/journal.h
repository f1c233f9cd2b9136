/* Which rollback journals are open. */
#ifndef MFS_JOURNAL_H
#define MFS_JOURNAL_H

#include "base/list.h"
#include "locks/registry.h"

#include <stdbool.h>
#include <stdint.h>

/* An open rollback journal, in its sqlite3_file.  Guarded by the registry's mutex. */
struct mfs_journal {
    uint64_t number;      /* of the journal's node */
    struct mfs_link link; /* in the registry's bucket */
};

/* All three with the registry's mutex held. */
void mfs_journal_enter(struct mfs_journal *journal, struct mfs_registry *registry, uint64_t number);
void mfs_journal_leave(struct mfs_journal *journal, struct mfs_registry *registry);
bool mfs_journal_is_open(const struct mfs_registry *registry, uint64_t number);

#endif
