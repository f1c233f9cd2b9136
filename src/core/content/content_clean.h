/*
 * Cleaning: what a growth does with the old bytes that content.h allows behind the size.
 *
 *         size              droppable
 *     ... |###.#..#|########|#..##.#..#     # a page that is there
 *          keep             drop
 *
 * Pages that the size or the preallocation reaches are made private and zeroed behind the size;
 * those behind both are dropped.  The growth itself makes a range of pages private, which may lie
 * anywhere here; where it has pages that would be dropped, they are zeroed instead.  All of this is
 * one change: it is planned together with the growth, so that a refusal keeps nothing of it.
 */
#ifndef MFS_CONTENT_CLEAN_H
#define MFS_CONTENT_CLEAN_H

#include "base/num.h"
#include "content/content.h"
#include "pagetable/radix_plan.h"

/* What is cleaned.  The range is that of the growth; it is empty if `first` is above `last`. */
struct mfs_cleaning {
    uint64_t keep_first, keep_after;
    uint64_t drop_first; /* MFS_NO_INDEX: nothing is dropped */
    uint64_t first, last;
};

/* Whether writing `offset` .. `end`, up to `covered` in its last page, must clean first. */
static inline bool mfs_content_clean_is_needed(const struct mfs_content_edit *edit, uint64_t offset,
                                               uint64_t end, uint64_t covered)
{
    const struct mfs_content *content = edit->content;
    bool covers_tail = offset <= edit->size && covered > edit->size;
    return end > edit->size && (content->is_stale || (content->has_uncertain_tail && !covers_tail));
}

/* The first page that lies wholly behind both the size and the preallocation. */
static inline uint64_t mfs_content_clean_droppable(const struct mfs_pool *pool,
                                                   const struct mfs_content *content, uint64_t size)
{
    return mfs_content_first_behind(pool, mfs_num_max_u64(size, content->preallocated_end));
}

/* Zeroes the rest of the page in which the size lies, if it is there; false if it is shared. */
bool mfs_content_clean_tail(struct mfs_pool *pool, const struct mfs_content *content,
                            uint64_t size);

/* Zeroes a short behind the size, which the content owns alone. */
void mfs_content_clean_short(struct mfs_content *content, uint64_t size);

struct mfs_cleaning mfs_content_clean_begin(const struct mfs_content_edit *edit, uint64_t first,
                                            uint64_t last);

/* Adds to `need` what the growth and the cleaning take. */
void mfs_content_clean_plan(const struct mfs_content_edit *edit,
                            const struct mfs_cleaning *cleaning, struct mfs_need *need);

/*
 * Where `need` was refused: drops what can be dropped without memory, if with that there is enough.
 * False, and nothing has changed, if there is not.
 */
bool mfs_content_clean_makes_room(const struct mfs_content_edit *edit,
                                  const struct mfs_cleaning *cleaning, const struct mfs_need *need);

/* The two halves of the change: zeroing before the range is owned, and dropping after that. */
void mfs_content_clean_zero(const struct mfs_content_edit *edit,
                            const struct mfs_cleaning *cleaning, struct mfs_radix *tree,
                            struct mfs_stash *stash);
void mfs_content_clean_drop(const struct mfs_content_edit *edit,
                            const struct mfs_cleaning *cleaning, struct mfs_radix *tree,
                            struct mfs_stash *stash);

#endif
