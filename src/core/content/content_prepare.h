/*
 * Making parts of a content ready to be written: the step of a change that may fail.
 *
 * What is prepared belongs to the content alone: a short with one reference, or a stash with all
 * that making a range of pages private will take.  A content that has to be cleaned before it grows
 * (content_clean.h) is cleaned by the same step.
 */
#ifndef MFS_CONTENT_PREPARE_H
#define MFS_CONTENT_PREPARE_H

#include "base/check.h"
#include "content/content.h"
#include "content/content_clean.h"

/* Whether bytes before `end` can lie in a short: the content is one, or nothing yet. */
static inline bool mfs_content_prepare_fits_short(const struct mfs_content_edit *edit, uint64_t end)
{
    return (edit->content->is_short || edit->content->root == 0) &&
           end <= mfs_short_max(edit->pool);
}

/* The slow path of the next: in a new block. */
int mfs_content_prepare_new_short(const struct mfs_content_edit *edit, uint64_t bytes);

/*
 * Makes the content a short that may be written, with the bytes that it had, and zeros up to
 * `bytes` at least.  The content is short, or nothing.  Errors: EDQUOT, ENOMEM.
 */
static inline int mfs_content_prepare_short(const struct mfs_content_edit *edit, uint64_t bytes)
{
    MFS_CHECK(mfs_content_prepare_fits_short(edit, bytes));
    if (edit->content->is_short) {
        const struct mfs_short *block = mfs_content_short(edit->content);
        if (block->capacity >= bytes && mfs_short_is_exclusive(block))
            return 0;
    }
    return mfs_content_prepare_new_short(edit, bytes);
}

/* Pages that are prepared to be written, between the two functions below. */
struct mfs_prepared {
    struct mfs_radix tree; /* in it the pages are made private: radix_edit.h */
    struct mfs_stash stash;
    struct mfs_cleaning cleaning;
    bool cleans;
};

/*
 * Prepares a range of pages to be made private, and turns a short into page 0 of a page table.  The
 * bytes `offset` .. `covered` are about to be overwritten; those of them that lie in page 0 are
 * uncertain, if that was a short.  If the file grows by that, the content is cleaned where it must
 * be.  Errors: EDQUOT, ENOMEM.
 */
int mfs_content_prepare_pages(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length,
                              uint64_t covered, struct mfs_prepared *out);

/* The same for a growth without a range of pages, of a content that is not short. */
int mfs_content_prepare_growth(const struct mfs_content_edit *edit, struct mfs_prepared *out);

/* The content takes over the tree, in which all pages of the range are private now. */
void mfs_content_prepare_finish(const struct mfs_content_edit *edit, struct mfs_prepared *prepared);

#endif
