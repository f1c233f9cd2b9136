/*
 * Changing a page table.  The stash holds what radix_plan.h has said that the change needs, so that
 * none of this can fail, except for mfs_radix_edit_own_one(), which does all three steps itself.
 */
#ifndef MFS_RADIX_EDIT_H
#define MFS_RADIX_EDIT_H

#include "pagetable/radix.h"
#include "pagetable/stash.h"

/*
 * Makes the page at `index` private and returns it.  The bytes `from` .. `to` of it are about to be
 * overwritten, and uncertain until then; the others stay as they are, or are zeros where there was
 * a hole.
 */
mfs_page mfs_radix_edit_own(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t index,
                            size_t from, size_t to, struct mfs_stash *stash);

/*
 * The same with a plan of its own; all or nothing.  The stash is all zeros before, and afterwards
 * only says whether something was replaced.  Errors: EDQUOT, ENOMEM.
 */
int mfs_radix_edit_own_one(struct mfs_pool *pool, enum mfs_charge_from charge_from,
                           struct mfs_radix *tree, uint64_t index, size_t from, size_t to,
                           struct mfs_stash *stash, mfs_page *out);

/* Makes holes of the pages first .. last, and the tree as low as it can be. */
void mfs_radix_edit_drop(struct mfs_pool *pool, struct mfs_radix *tree, uint64_t first,
                         uint64_t last, struct mfs_stash *stash);

#endif
