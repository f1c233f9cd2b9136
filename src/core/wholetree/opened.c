/* The list of all that is open, in no order. */
#include "wholetree/opened.h"

void mfs_opened_add(struct mfs_opened_list *list, struct mfs_lot *lot, struct mfs_opened *opened)
{
    mfs_sync_lock_exclusive(lot, &list->lock);
    mfs_list_add(&list->all, &opened->link);
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_opened_remove(struct mfs_opened_list *list, struct mfs_lot *lot, struct mfs_opened *opened)
{
    mfs_sync_lock_exclusive(lot, &list->lock);
    mfs_list_remove(&list->all, &opened->link);
    mfs_sync_unlock_exclusive(lot, &list->lock);
}
