/* The list of the versions that are held: doubly linked through the callers' structs. */
#include "content/version.h"

void mfs_version_list_add(struct mfs_version_list *list, struct mfs_lot *lot,
                          struct mfs_version *version)
{
    mfs_sync_lock_exclusive(lot, &list->lock);
    version->previous = NULL;
    version->next = list->first;
    if (version->next != NULL)
        version->next->previous = version;
    list->first = version;
    list->count++;
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_version_list_remove(struct mfs_version_list *list, struct mfs_lot *lot,
                             struct mfs_version *version)
{
    mfs_sync_lock_exclusive(lot, &list->lock);
    if (version->previous != NULL)
        version->previous->next = version->next;
    else
        list->first = version->next;
    if (version->next != NULL)
        version->next->previous = version->previous;
    list->count--;
    mfs_sync_unlock_exclusive(lot, &list->lock);
}
