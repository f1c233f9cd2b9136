/*
 * 1. The bucket of a hash is the hash modulo the least power of two that is not below `count`;
 *    where no bucket has that number, it is the hash modulo half of that power.
 * 2. Bucket n therefore splits off from bucket n - p, where p is the greatest power of two that
 *    is not above n, and is joined to that bucket again.
 * 3. With `levels` == 0 the root is the only chunk and has room for root_bytes / sizeof(void *)
 *    heads.  Otherwise every chunk has BUCKET_CHUNK_BYTES, and there are exactly the chunks
 *    that `count` buckets need.
 *
 * Cost: one pointer for each bucket and two thirds of a bucket for each element of a growing
 * table; a look-up follows one pointer for each level of chunks (five for a million elements).
 *
 * Left undone: nothing but the hash limits a chain.  Hashes of names are keyed, so that a
 * program cannot be made to use names that all fall into one bucket.
 */
#include "node/buckets.h"

#include "base/check.h"
#include "base/num.h"

#include <stdbool.h>

enum {
    FANOUT_BITS = sizeof(void *) == 8 ? 4 : 5,
    FANOUT = 1 << FANOUT_BITS,
    FIRST_ROOT_BYTES = MFS_BUCKETS_LEAST * sizeof(void *),
    BUCKET_CHUNK_BYTES = FANOUT * sizeof(void *)
};

_Static_assert((int)BUCKET_CHUNK_BYTES <= (int)MFS_CHUNK_MOST, "a chunk of pointers is a chunk");

/* Above the level of chunks that `level` counts from 0, one pointer leads to so many buckets. */
static uint64_t span_of(unsigned level)
{
    return (uint64_t)1 << (level * FANOUT_BITS);
}

/* Where the chunk at `level` on the way to a bucket has its pointer, to the next chunk or chain. */
static void **pointer_to(const struct mfs_buckets *buckets, uint32_t bucket, unsigned level)
{
    void **chunk = buckets->root;
    unsigned shift = buckets->levels * FANOUT_BITS;
    for (; shift > level * FANOUT_BITS; shift -= FANOUT_BITS)
        chunk = chunk[(bucket >> shift) & (FANOUT - 1)];
    return &chunk[(bucket >> shift) & (FANOUT - 1)];
}

static struct mfs_chain **head_of(const struct mfs_buckets *buckets, uint32_t bucket)
{
    return (struct mfs_chain **)(void *)pointer_to(buckets, bucket, 0);
}

static uint32_t bucket_of_hash(const struct mfs_buckets *buckets, uint32_t hash)
{
    uint64_t power = (uint64_t)2 << mfs_num_log2(buckets->count - 1);
    uint32_t at = hash & (uint32_t)(power - 1);
    return at < buckets->count ? at : at & (uint32_t)(power / 2 - 1);
}

/* The bucket from which bucket `n` splits off. */
static uint32_t sibling_of(uint32_t n)
{
    return n - ((uint32_t)1 << mfs_num_log2(n));
}

static uint32_t root_capacity(const struct mfs_buckets *buckets)
{
    return buckets->root_bytes / (uint32_t)sizeof(void *);
}

bool mfs_buckets_wants_more(const struct mfs_buckets *buckets, uint64_t elements)
{
    return elements * 2 > (uint64_t)buckets->count * 3;
}

bool mfs_buckets_wants_less(const struct mfs_buckets *buckets, uint64_t elements)
{
    return buckets->count > MFS_BUCKETS_LEAST && elements * 4 < (uint64_t)buckets->count * 3;
}

struct mfs_chain **mfs_buckets_chain(const struct mfs_buckets *buckets, uint32_t hash)
{
    MFS_CHECK(buckets->count >= MFS_BUCKETS_LEAST);
    return head_of(buckets, bucket_of_hash(buckets, hash));
}

/* ----------------------------------------------------------------- growing */

/* At which levels, from 0 on, the way to the next bucket lacks a chunk; the root's included. */
static unsigned missing_levels(const struct mfs_buckets *buckets)
{
    unsigned level = 0;
    while (level <= buckets->levels && (buckets->count & (span_of(level + 1) - 1)) == 0)
        level++;
    return level;
}

int mfs_buckets_prepare(const struct mfs_buckets *buckets, const struct mfs_chunk_source *source,
                        struct mfs_chunk **spares)
{
    if (buckets->count == 0)
        return mfs_chunk_set_aside(source, FIRST_ROOT_BYTES, spares);
    if (buckets->levels == 0 && buckets->count < root_capacity(buckets))
        return 0;
    if (buckets->levels == 0 && buckets->root_bytes < BUCKET_CHUNK_BYTES)
        return mfs_chunk_set_aside(source, (size_t)buckets->root_bytes * 2, spares);
    unsigned chunks = missing_levels(buckets);
    if (chunks > buckets->levels)
        chunks++; /* a new root, above a new branch of full height */
    int error = 0;
    while (error == 0 && chunks-- > 0)
        error = mfs_chunk_set_aside(source, BUCKET_CHUNK_BYTES, spares);
    return error;
}

/* Whether the next bucket needs a root of twice the size. */
static bool doubles_root(const struct mfs_buckets *buckets)
{
    return buckets->levels == 0 && buckets->count == root_capacity(buckets) &&
           buckets->root_bytes < BUCKET_CHUNK_BYTES;
}

int mfs_buckets_plan_growth(struct mfs_buckets *shape, const struct mfs_chunk_source *source,
                            struct mfs_chunk **spares)
{
    int error = mfs_buckets_prepare(shape, source, spares);
    if (shape->count == 0) {
        shape->count = MFS_BUCKETS_LEAST;
        shape->root_bytes = FIRST_ROOT_BYTES;
        return error;
    }
    if (doubles_root(shape))
        shape->root_bytes *= 2;
    else if (missing_levels(shape) > shape->levels)
        shape->levels++;
    shape->count++;
    return error;
}

static void double_bucket_root(struct mfs_buckets *buckets, const struct mfs_chunk_source *source,
                               struct mfs_chunk **spares)
{
    void **old = buckets->root, **root = mfs_chunk_use(spares, (size_t)buckets->root_bytes * 2);
    for (uint32_t i = 0; i < buckets->count; i++)
        root[i] = old[i];
    mfs_chunk_free(source, old, buckets->root_bytes);
    buckets->root = root;
    buckets->root_bytes *= 2;
}

/* Makes the chunks that the way to the next bucket lacks. */
static void add_branch(struct mfs_buckets *buckets, struct mfs_chunk **spares)
{
    unsigned missing = missing_levels(buckets);
    if (missing > buckets->levels) {
        void **root = mfs_chunk_use(spares, BUCKET_CHUNK_BYTES);
        root[0] = buckets->root;
        buckets->root = root;
        buckets->levels++;
    }
    for (unsigned level = missing; level > 0; level--)
        *pointer_to(buckets, buckets->count, level) = mfs_chunk_use(spares, BUCKET_CHUNK_BYTES);
}

/* Moves the elements that belong in the newest bucket into it. */
static void split_bucket(struct mfs_buckets *buckets, mfs_buckets_hash *hash_of)
{
    uint32_t newest = buckets->count - 1, power = newest - sibling_of(newest);
    struct mfs_chain **from = head_of(buckets, sibling_of(newest));
    struct mfs_chain **to = head_of(buckets, newest);
    while (*from != NULL) {
        struct mfs_chain *element = *from;
        if ((hash_of(element) & power) == 0) {
            from = &element->next;
            continue;
        }
        *from = element->next;
        *to = element;
        to = &element->next;
    }
    *to = NULL;
}

void mfs_buckets_grow(struct mfs_buckets *buckets, const struct mfs_chunk_source *source,
                      struct mfs_chunk **spares, mfs_buckets_hash *hash_of)
{
    MFS_CHECK(buckets->count < UINT32_MAX / 2);
    if (buckets->count == 0) {
        *buckets = (struct mfs_buckets){.root = mfs_chunk_use(spares, FIRST_ROOT_BYTES),
                                        .count = MFS_BUCKETS_LEAST,
                                        .root_bytes = FIRST_ROOT_BYTES};
        return;
    }
    if (doubles_root(buckets))
        double_bucket_root(buckets, source, spares);
    else
        add_branch(buckets, spares);
    buckets->count++;
    split_bucket(buckets, hash_of);
}

/* --------------------------------------------------------------- shrinking */

/* Frees the chunks on the way to bucket `count` that hold nothing else. */
static void remove_branch(struct mfs_buckets *buckets, const struct mfs_chunk_source *source)
{
    for (unsigned level = 1; level <= buckets->levels; level++) {
        if ((buckets->count & (span_of(level) - 1)) != 0)
            break;
        void **pointer = pointer_to(buckets, buckets->count, level);
        mfs_chunk_free(source, *pointer, BUCKET_CHUNK_BYTES);
        *pointer = NULL;
    }
    if (buckets->levels > 0 && buckets->count == span_of(buckets->levels)) {
        void **root = buckets->root;
        buckets->root = root[0];
        buckets->levels--;
        mfs_chunk_free(source, root, BUCKET_CHUNK_BYTES);
    }
}

void mfs_buckets_shrink(struct mfs_buckets *buckets, const struct mfs_chunk_source *source)
{
    MFS_CHECK(buckets->count > MFS_BUCKETS_LEAST);
    uint32_t last = buckets->count - 1;
    struct mfs_chain **from = head_of(buckets, last);
    struct mfs_chain **to = head_of(buckets, sibling_of(last));
    while (*to != NULL)
        to = &(*to)->next;
    *to = *from;
    *from = NULL;
    buckets->count = last;
    remove_branch(buckets, source);
}

void mfs_buckets_insert(struct mfs_buckets *buckets, struct mfs_chain *element, uint32_t hash)
{
    struct mfs_chain **head = mfs_buckets_chain(buckets, hash);
    MFS_CHECK(*head != element);
    element->next = *head;
    *head = element;
}

void mfs_buckets_remove(struct mfs_buckets *buckets, struct mfs_chain *element, uint32_t hash)
{
    struct mfs_chain **at = mfs_buckets_chain(buckets, hash);
    while (*at != element) {
        MFS_CHECK(*at != NULL);
        at = &(*at)->next;
    }
    *at = element->next;
    element->next = NULL;
}

/* The last chunk goes first, so that what is left is a smaller table. */
void mfs_buckets_fini(struct mfs_buckets *buckets, const struct mfs_chunk_source *source)
{
    while (buckets->levels > 0) {
        buckets->count = (buckets->count - 1) & ~(uint32_t)(FANOUT - 1);
        remove_branch(buckets, source);
    }
    if (buckets->root != NULL)
        mfs_chunk_free(source, buckets->root, buckets->root_bytes);
    *buckets = (struct mfs_buckets){0};
}

/* ----------------------------------------------------------------- figures */

uint64_t mfs_buckets_cost(const struct mfs_buckets *buckets, const struct mfs_chunk_source *source)
{
    if (buckets->root == NULL)
        return 0;
    if (buckets->levels == 0)
        return mfs_chunk_cost(source, buckets->root_bytes);
    uint64_t chunks = 0;
    for (unsigned level = 1; level <= buckets->levels + 1u; level++)
        chunks += (buckets->count + span_of(level) - 1) / span_of(level);
    return chunks * mfs_chunk_cost(source, BUCKET_CHUNK_BYTES);
}

bool mfs_buckets_is_valid(const struct mfs_buckets *buckets, uint64_t elements,
                          mfs_buckets_hash *hash_of)
{
    uint64_t found = 0;
    if (buckets->count != 0 && buckets->count < MFS_BUCKETS_LEAST)
        return false;
    for (uint32_t bucket = 0; bucket < buckets->count; bucket++) {
        const struct mfs_chain *at = *head_of(buckets, bucket);
        for (; at != NULL; at = at->next)
            if (++found > elements || bucket_of_hash(buckets, hash_of(at)) != bucket)
                return false;
    }
    return found == elements;
}
