/*
 * The list of held versions.
 *
 * 1. A version is in the list of its file system exactly while its `fs` is set.
 *
 * Cost: constant time and no memory, since the links lie in the caller's structs.  A caller that
 * overwrites such a struct while it is held breaks the list; nothing here can notice that.
 */
#include "content/version.h"

#include "base/check.h"

void mfs_version_list_add(struct mfs_version_list *list, struct mfs_lot *lot,
                          struct mfs_version *version)
{
    MFS_CHECK(version->fs != NULL && mfs_sync_is_marked(version->magic, MFS_VERSION_MAGIC));
    mfs_sync_lock_exclusive(lot, &list->lock);
    mfs_list_add(&list->held, &version->link);
    mfs_sync_unlock_exclusive(lot, &list->lock);
}

void mfs_version_list_remove(struct mfs_version_list *list, struct mfs_lot *lot,
                             struct mfs_version *version)
{
    MFS_CHECK(version->fs != NULL && mfs_sync_is_marked(version->magic, MFS_VERSION_MAGIC));
    mfs_sync_lock_exclusive(lot, &list->lock);
    mfs_list_remove(&list->held, &version->link);
    mfs_sync_unlock_exclusive(lot, &list->lock);
}
