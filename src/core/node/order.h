/*
 * The entries of a directory in order of their sequence numbers: a B+ tree in chunks.
 *
 *     inner              [ from 1 | from 9 ]
 *                         /           \
 *     leaves   [ a:1 b:2 d:5 ]   [ e:9 f:10 ]          entry : sequence number
 *
 * Entries are only ever added behind all others, so a node is never split: a full one stays full
 * and a new one begins to its right.  Entries are removed anywhere; nodes below one parent are
 * packed as soon as their entries fit into one node less.
 *
 * Threads: the user guards the tree with one lock.
 */
#ifndef MFS_ORDER_H
#define MFS_ORDER_H

#include "node/ordernode.h"

struct mfs_order {
    void *root;      /* null: no entries */
    uint32_t height; /* 0: the root is a leaf */
};

/* Sets aside the chunks that adding one entry needs.  Errors: EDQUOT, ENOMEM. */
int mfs_order_prepare(const struct mfs_order *order, const struct mfs_chunk_source *source,
                      struct mfs_chunk **spares);

/* Adds an entry whose sequence number is higher than all others. */
void mfs_order_append(struct mfs_order *order, const struct mfs_chunk_source *source,
                      struct mfs_chunk **spares, struct mfs_dirent *entry);

/*
 * Several additions that are prepared together and made later, one after the other, with no other
 * change in between.  The plan follows what each of them will do to the last node of each level.
 */
struct mfs_order_plan {
    unsigned height;
    bool is_empty;
    struct {
        uint32_t count;
        size_t bytes;
    } last[MFS_ORDERNODE_HEIGHT_MOST + 1];
};

struct mfs_order_plan mfs_order_plan(const struct mfs_order *order);

/* Sets aside the chunks that one more addition needs.  Errors: EDQUOT, ENOMEM; the plan is then
 * good for nothing. */
int mfs_order_plan_addition(struct mfs_order_plan *plan, const struct mfs_chunk_source *source,
                            struct mfs_chunk **spares);

/* Makes a planned addition.  It packs nothing, since that would upset the plan. */
void mfs_order_append_planned(struct mfs_order *order, const struct mfs_chunk_source *source,
                              struct mfs_chunk **spares, struct mfs_dirent *entry);

/* Removes an entry, which must be there.  Never allocates. */
void mfs_order_remove(struct mfs_order *order, const struct mfs_chunk_source *source,
                      const struct mfs_dirent *entry);

/* Puts `entry` in the place, and under the sequence number, of `old`, which must be there. */
void mfs_order_replace(struct mfs_order *order, const struct mfs_dirent *old,
                       struct mfs_dirent *entry);

/* Lets two entries change places and sequence numbers; both must be there. */
void mfs_order_exchange(struct mfs_order *order, struct mfs_dirent *a, struct mfs_dirent *b);

/* The first entry with this sequence number or a higher one, or null. */
struct mfs_dirent *mfs_order_find(const struct mfs_order *order, uint64_t sequence);

/* All entries, in order, if they lie in one chunk; else null. */
struct mfs_dirent *const *mfs_order_only_leaf(const struct mfs_order *order, uint32_t *count);

/* The entry with the highest sequence number, or null. */
struct mfs_dirent *mfs_order_last(const struct mfs_order *order);

/* Adds `shift` to all sequence numbers. */
void mfs_order_shift(struct mfs_order *order, uint64_t shift);

/* What the chunks cost. */
uint64_t mfs_order_cost(const struct mfs_order *order, const struct mfs_chunk_source *source);

/* For deep checks: whether `entries` are there, in order, and every node is as it should be. */
bool mfs_order_is_valid(const struct mfs_order *order, uint64_t entries);

#endif
