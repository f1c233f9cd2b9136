/*
 * Open rollback journals, by node number.
 *
 * 1. A journal is entered in the step that opens it and leaves before it is closed, so under the
 *    registry's mutex a journal is open exactly if it is entered.  Deleting relies on it: see
 *    vfs/auxfile.c for why a journal that is open keeps its name.
 */
#include "locks/journal.h"

#include "base/assertion.h"

void mfs_journal_enter(struct mfs_journal *journal, struct mfs_registry *registry, uint64_t number)
{
    MFS_ASSERT(mfs_mutex_is_held(&registry->mutex));
    journal->number = number;
    mfs_list_prepend(&registry->journals[mfs_registry_bucket(number)], &journal->link);
    registry->open_journals++;
}

void mfs_journal_leave(struct mfs_journal *journal, struct mfs_registry *registry)
{
    MFS_ASSERT(mfs_mutex_is_held(&registry->mutex) && registry->open_journals > 0);
    mfs_list_remove(&registry->journals[mfs_registry_bucket(journal->number)], &journal->link);
    registry->open_journals--;
}

bool mfs_journal_is_open(const struct mfs_registry *registry, uint64_t number)
{
    MFS_ASSERT(mfs_mutex_is_held(&registry->mutex));
    struct mfs_link *at = registry->journals[mfs_registry_bucket(number)].first;
    while (at != NULL && MFS_LIST_ENTRY(at, struct mfs_journal, link)->number != number)
        at = at->next;
    return at != NULL;
}
