/*
 * Twins: a leaf and its copy that still share references to pages.
 *
 * Copying a leaf would normally take one more reference to each of its pages.  Twins put that off:
 * a page that both have in the same slot is counted once for both.  Such a page is not private to
 * either.  A transaction that can be undone copies a leaf, writes a page or two, and drops the old
 * leaf; with twins it touches the counts of those two pages and not of all 64, twice.
 *
 *     old  [ 1 2 3 - ]            old  [ 1 2 3 - ]  has the reference to 2 alone now
 *     copy [ 1 2 3 - ]      =>    copy [ 1 9 3 - ]  has a new page 9
 *
 * The twin released first drops the references it does not share; the shared ones pass to the
 * other leaf, which then has no twin.  A leaf has one twin at most: the copy of a leaf that has a
 * twin already gets references of its own.
 *
 * Locks: the slots of a leaf with a twin, and the link between both, change only under the pool's
 * `twins` lock, since the holder of each leaf reads the other's slots.  A leaf gets a twin only
 * while it is shared, hence not while one holder owns it alone and changes it; so a holder that
 * sees no twin needs no lock.
 */
#ifndef MFS_TWINS_H
#define MFS_TWINS_H

#include "base/check.h"
#include "pagetable/radix_node.h"

static inline bool mfs_twins_is_one(const struct mfs_radix_node *leaf)
{
    return atomic_load_explicit(&leaf->of.twin, memory_order_acquire) != NULL;
}

/* The slow path of the next: whether the twin, if the leaf still has one, has the same page in slot
 * `i`. */
bool mfs_twins_compare(struct mfs_pool *pool, const struct mfs_radix_node *leaf, size_t i);

/* Whether the reference in slot `i` is a twin's, too. */
static inline bool mfs_twins_share(struct mfs_pool *pool, const struct mfs_radix_node *leaf,
                                   size_t i)
{
    return mfs_twins_is_one(leaf) && mfs_twins_compare(pool, leaf, i);
}

/*
 * Whether no other holder has the page in a leaf that the caller owns alone, or in its root.
 *
 * Check the twin before the count: a concurrent release can turn sharing into ownership, never the
 * reverse.  Between a look at the count first and one at the twin, the twin could be copied with
 * references of its own, and then released; the count of one seen before, when the two leaves
 * shared that reference, would be taken for this leaf's alone, though the copy has the page, too.
 */
static inline bool mfs_twins_is_private(struct mfs_pool *pool, const struct mfs_radix_leaf *at)
{
    MFS_CHECK(at->page != 0);
    return (at->node == NULL || !mfs_twins_share(pool, at->node, at->i)) &&
           mfs_page_is_exclusive(pool, at->page);
}

/* Makes `copy`, a new leaf, the twin of `leaf`, which is shared.  False, and nothing has changed,
 * if that has a twin already. */
bool mfs_twins_copy(struct mfs_pool *pool, struct mfs_radix_node *leaf,
                    struct mfs_radix_node *copy);

/* Puts `page` into the slot, and drops the reference to the page that was there, if any. */
void mfs_twins_replace(struct mfs_pool *pool, struct mfs_radix_node *leaf, size_t i, mfs_page page);

/*
 * Parts a leaf that is about to be freed from its twin, if it has one, to which it leaves the pages
 * that both have; its own pages are moved to its first slots, and counted in `filled`.
 */
void mfs_twins_part(struct mfs_pool *pool, struct mfs_radix_node *leaf);

/* Takes the page in slot 0, the only one, with a reference, out of a leaf that is about to be
 * freed, and parts the leaf from its twin. */
mfs_page mfs_twins_take_only_page(struct mfs_pool *pool, struct mfs_radix_node *leaf);

#endif
