/*
 * Buckets: a hash table by linear hashing, in chunks, whose chains run through the elements.
 *
 *     buckets   0   1   2   3   4   5          count = 6: hashes are taken modulo 8, and
 *               |   |   |       |              modulo 4 where that gives 6 or 7
 *               a   b   d       e
 *               |
 *               c
 *
 * The table grows by one bucket at a time, which takes over a part of the elements of one other
 * bucket, and shrinks by joining the last bucket to that other one: no call moves more than two
 * chains, however large the table is.
 *
 * The bucket heads are the leaves of a tree of chunks, as in a page table.
 *
 * Threads: the user guards the table with one lock.
 */
#ifndef MFS_BUCKETS_H
#define MFS_BUCKETS_H

#include "node/chunk.h"

/* The member of an element by which it hangs in its bucket. */
struct mfs_chain {
    struct mfs_chain *next; /* null: the last one */
};

struct mfs_buckets {
    void *root;          /* null: no buckets */
    uint32_t count;      /* buckets, not elements */
    uint16_t root_bytes; /* of the root, which is smaller than other chunks in a small table */
    uint8_t levels;      /* of chunks above the lowest */
};

/* The hash of an element. */
typedef uint32_t mfs_buckets_hash(const struct mfs_chain *element);

/* Whether a table with so many elements should have one bucket more, or one less. */
bool mfs_buckets_wants_more(const struct mfs_buckets *buckets, uint64_t elements);
bool mfs_buckets_wants_less(const struct mfs_buckets *buckets, uint64_t elements);

/* Sets aside the chunks that mfs_buckets_grow() will use.  Errors: EDQUOT, ENOMEM. */
int mfs_buckets_prepare(const struct mfs_buckets *buckets, const struct mfs_chunk_source *source,
                        struct mfs_chunk **spares);

/*
 * The same for a table of which only the shape is there: `shape` is a copy of the struct, and then
 * has the shape of a table that has grown.  So several steps of growth can be prepared before the
 * first is made.
 */
int mfs_buckets_plan_growth(struct mfs_buckets *shape, const struct mfs_chunk_source *source,
                            struct mfs_chunk **spares);

/* Adds a bucket; the first time, MFS_BUCKETS_LEAST. */
void mfs_buckets_grow(struct mfs_buckets *buckets, const struct mfs_chunk_source *source,
                      struct mfs_chunk **spares, mfs_buckets_hash *hash_of);

/* Removes a bucket, of more than MFS_BUCKETS_LEAST.  Never allocates. */
void mfs_buckets_shrink(struct mfs_buckets *buckets, const struct mfs_chunk_source *source);

enum { MFS_BUCKETS_LEAST = 8 };

/* The chain in which an element with this hash hangs.  There must be buckets. */
struct mfs_chain **mfs_buckets_chain(const struct mfs_buckets *buckets, uint32_t hash);

void mfs_buckets_insert(struct mfs_buckets *buckets, struct mfs_chain *element, uint32_t hash);

/* Takes out an element, which must be there. */
void mfs_buckets_remove(struct mfs_buckets *buckets, struct mfs_chain *element, uint32_t hash);

/* Frees the chunks; what becomes of the elements is the user's business. */
void mfs_buckets_fini(struct mfs_buckets *buckets, const struct mfs_chunk_source *source);

/* What the chunks cost. */
uint64_t mfs_buckets_cost(const struct mfs_buckets *buckets, const struct mfs_chunk_source *source);

/* For deep checks: whether `elements` hang in the table, each in its bucket. */
bool mfs_buckets_is_valid(const struct mfs_buckets *buckets, uint64_t elements,
                          mfs_buckets_hash *hash_of);

#endif
