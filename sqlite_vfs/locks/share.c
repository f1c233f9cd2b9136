/*
 * Finding shares.
 *
 * 1. A share is in the registry while it has a member, and there is at most one for a node.
 */
#include "locks/share.h"

#include "base/assertion.h"

struct mfs_share *mfs_share_find(const struct mfs_registry *registry, uint64_t number)
{
    MFS_ASSERT(mfs_mutex_is_held(&registry->mutex));
    struct mfs_link *at = registry->shares[mfs_registry_bucket(number)].first;
    while (at != NULL && MFS_LIST_ENTRY(at, struct mfs_share, link)->number != number)
        at = at->next;
    return at != NULL ? MFS_LIST_ENTRY(at, struct mfs_share, link) : NULL;
}
