/*
 * 1. Every entry is in `order` exactly once, and in `buckets`, if there are any, in the bucket of
 *    its hash.
 * 2. There are no buckets up to FEW_ENTRIES / 2 entries, there are some above FEW_ENTRIES, and in
 *    between it depends on the past, so that a directory on the edge does not go back and forth.
 * 3. live == 0 means no chunks at all.
 * 4. A prepared entry has the chunks that its directory will need, and no others.
 *
 * Cost of an entry in a large directory: itself, 8 to 16 bytes of order and 5 to 11 of buckets.
 *
 * Left undone: a chunk that has grown stays as large until it is empty, since a smaller one would
 * have to be allocated.  So a directory of one entry may hold two chunks of MFS_CHUNK_MOST.
 */
#include "node/dir.h"

#include "base/check.h"
#include "base/namehash.h"
#include "base/num.h"

#include <string.h>

/* Up to this many entries a scan_few is as fast as a table. */
enum { FEW_ENTRIES = 8, DIR_ENTRIES_MOST = UINT32_MAX / 8 };

/* Deep checks look at all of a directory up to this size; beyond it, at few changes only. */
enum { CHECKED_ENTRIES = 16 };

static size_t entry_bytes(size_t room)
{
    return offsetof(struct mfs_dirent, name) + room + 1;
}

static bool has_name(const struct mfs_dirent *entry, const struct mfs_dir_key *key)
{
    return entry->length == key->length && memcmp(entry->name, key->name, key->length) == 0;
}

static uint32_t hash_of_key(const struct mfs_names *names, const struct mfs_dir_key *key)
{
    return key->has_hash ? key->hash : mfs_namehash(names->hash_key, key->name, key->length);
}

static struct mfs_dirent *entry_of(struct mfs_chain *chain)
{
    return (struct mfs_dirent *)(void *)((char *)chain - offsetof(struct mfs_dirent, u));
}

static uint32_t hash_of_entry(const struct mfs_chain *chain)
{
    const char *entry = (const char *)chain - offsetof(struct mfs_dirent, u);
    return ((const struct mfs_dirent *)(const void *)entry)->hash;
}

static bool has_buckets(const struct mfs_dir *dir)
{
    return dir->buckets.count != 0;
}

/* ----------------------------------------------------------------- finding */

struct mfs_dirent *mfs_dir_at(const struct mfs_dir *dir, uint64_t sequence)
{
    return mfs_order_find(&dir->order, sequence);
}

struct mfs_dirent *mfs_dir_next(const struct mfs_dir *dir, const struct mfs_dirent *entry)
{
    return mfs_order_find(&dir->order, entry->sequence + 1);
}

struct mfs_dirent *mfs_dir_last(const struct mfs_dir *dir)
{
    return mfs_order_last(&dir->order);
}

static struct mfs_dirent *scan_few(const struct mfs_dir *dir, const struct mfs_dir_key *key)
{
    uint32_t count;
    struct mfs_dirent *const *entries = mfs_order_only_leaf(&dir->order, &count);
    if (entries != NULL) {
        for (uint32_t i = 0; i < count; i++)
            if (has_name(entries[i], key))
                return entries[i];
        return NULL;
    }
    struct mfs_dirent *entry = mfs_dir_at(dir, 0);
    while (entry != NULL && !has_name(entry, key))
        entry = mfs_dir_next(dir, entry);
    return entry;
}

struct mfs_dirent *mfs_dir_find(const struct mfs_names *names, const struct mfs_dir *dir,
                                struct mfs_dir_key *key)
{
    if (!has_buckets(dir))
        return scan_few(dir, key);
    key->hash = hash_of_key(names, key);
    key->has_hash = true;
    struct mfs_chain *at = *mfs_buckets_chain(&dir->buckets, key->hash);
    for (; at != NULL; at = at->next) {
        struct mfs_dirent *entry = entry_of(at);
        if (entry->hash == key->hash && has_name(entry, key))
            return entry;
    }
    return NULL;
}

/* For deep checks. */
static bool is_found(const struct mfs_names *names, const struct mfs_dir *dir,
                     const struct mfs_dirent *entry)
{
    struct mfs_dir_key key = {.name = entry->name, .length = entry->length};
    return mfs_dir_find(names, dir, &key) == entry;
}

/* ----------------------------------------------------------------- entries */

static void set_name(const struct mfs_names *names, struct mfs_dirent *entry,
                     const struct mfs_dir_key *key)
{
    MFS_CHECK(key->length > 0 && key->length <= entry->room);
    entry->hash = hash_of_key(names, key);
    entry->length = (uint8_t)key->length;
    memcpy(entry->name, key->name, key->length);
    entry->name[key->length] = '\0';
}

int mfs_dir_prepare_renamed(const struct mfs_names *names, const struct mfs_dir_key *key,
                            struct mfs_dirent **out)
{
    const struct mfs_chunk_source *source = &names->source;
    void *memory;
    MFS_CHECK(key->length > 0 && key->length <= MEMFS_NAME_MAX);
    int error = mfs_memory_take_as(source->memory, source->charge_from, entry_bytes(key->length),
                                   source->class, &memory);
    if (error != 0)
        return error;
    struct mfs_dirent *entry = memory;
    *entry = (struct mfs_dirent){.room = (uint8_t)key->length};
    set_name(names, entry, key);
    *out = entry;
    return 0;
}

/* Whether one more entry, beside `live` others, brings a bucket. */
static bool brings_bucket(const struct mfs_buckets *buckets, uint64_t live)
{
    return live >= FEW_ENTRIES && mfs_buckets_wants_more(buckets, live + 1);
}

static bool will_want_bucket(const struct mfs_dir *dir)
{
    return brings_bucket(&dir->buckets, dir->live);
}

int mfs_dir_prepare_entry(const struct mfs_names *names, const struct mfs_dir *dir,
                          struct mfs_dirent *entry)
{
    MFS_CHECK(entry->sequence == 0);
    if (dir->live >= DIR_ENTRIES_MOST)
        return MEMFS_ENOMEM;
    entry->u.spares = NULL;
    int error = mfs_order_prepare(&dir->order, &names->source, &entry->u.spares);
    if (error == 0 && will_want_bucket(dir))
        error = mfs_buckets_prepare(&dir->buckets, &names->source, &entry->u.spares);
    if (error != 0)
        mfs_chunk_give_back(&names->source, &entry->u.spares);
    return error;
}

int mfs_dir_prepare(const struct mfs_names *names, const struct mfs_dir *dir,
                    const struct mfs_dir_key *key, struct mfs_dirent **out)
{
    struct mfs_dirent *entry;
    int error = mfs_dir_prepare_renamed(names, key, &entry);
    if (error != 0)
        return error;
    error = mfs_dir_prepare_entry(names, dir, entry);
    if (error != 0) {
        mfs_dir_entry_free(names, entry);
        return error;
    }
    *out = entry;
    return 0;
}

void mfs_dir_cancel(const struct mfs_names *names, struct mfs_dirent *entry)
{
    MFS_CHECK(entry->sequence == 0);
    mfs_chunk_give_back(&names->source, &entry->u.spares);
    mfs_dir_entry_free(names, entry);
}

void mfs_dir_entry_free(const struct mfs_names *names, struct mfs_dirent *entry)
{
    mfs_memory_give(names->source.memory, entry, entry_bytes(entry->room), names->source.class);
}

/* Makes the first buckets, with all entries that are there, or one more. */
static void add_bucket(const struct mfs_names *names, struct mfs_dir *dir,
                       struct mfs_chunk **spares)
{
    bool is_first = !has_buckets(dir);
    mfs_buckets_grow(&dir->buckets, &names->source, spares, hash_of_entry);
    if (!is_first)
        return;
    struct mfs_dirent *entry = mfs_dir_at(dir, 0);
    for (; entry != NULL; entry = mfs_dir_next(dir, entry))
        mfs_buckets_insert(&dir->buckets, &entry->u.chain, entry->hash);
}

/* Adds an entry, with `append` as the way into the order. */
static void add_entry(const struct mfs_names *names, struct mfs_dir *dir, struct mfs_dirent *entry,
                      struct mfs_node *node, uint64_t sequence, struct mfs_chunk **spares,
                      void (*append)(struct mfs_order *, const struct mfs_chunk_source *,
                                     struct mfs_chunk **, struct mfs_dirent *))
{
    MFS_CHECK(node != NULL && entry->sequence == 0);
    MFS_CHECK_DEEP(mfs_dir_last(dir) == NULL || mfs_dir_last(dir)->sequence < sequence);
    entry->u.chain.next = NULL;
    if (will_want_bucket(dir))
        add_bucket(names, dir, spares);
    entry->node = node;
    entry->sequence = sequence;
    append(&dir->order, &names->source, spares, entry);
    if (has_buckets(dir))
        mfs_buckets_insert(&dir->buckets, &entry->u.chain, entry->hash);
    dir->live++;
    MFS_CHECK_DEEP(mfs_dir_is_valid_after(names, dir, sequence));
}

void mfs_dir_commit(const struct mfs_names *names, struct mfs_dir *dir, struct mfs_dirent *entry,
                    struct mfs_node *node, uint64_t sequence)
{
    struct mfs_chunk *spares = entry->u.spares;
    add_entry(names, dir, entry, node, sequence, &spares, mfs_order_append);
    MFS_CHECK(spares == NULL);
}

/* ------------------------------------------------------- several additions */

struct mfs_dir_plan mfs_dir_plan(const struct mfs_dir *dir)
{
    return (struct mfs_dir_plan){
        .order = mfs_order_plan(&dir->order), .buckets = dir->buckets, .live = dir->live};
}

int mfs_dir_plan_addition(const struct mfs_names *names, struct mfs_dir_plan *plan)
{
    if (plan->live >= DIR_ENTRIES_MOST)
        return MEMFS_ENOMEM;
    int error = mfs_order_plan_addition(&plan->order, &names->source, &plan->spares);
    if (error == 0 && brings_bucket(&plan->buckets, plan->live))
        error = mfs_buckets_plan_growth(&plan->buckets, &names->source, &plan->spares);
    plan->live++;
    return error;
}

void mfs_dir_plan_cancel(const struct mfs_names *names, struct mfs_dir_plan *plan)
{
    mfs_chunk_give_back(&names->source, &plan->spares);
}

void mfs_dir_commit_planned(const struct mfs_names *names, struct mfs_dir *dir,
                            struct mfs_dir_plan *plan, struct mfs_dirent *entry,
                            struct mfs_node *node, uint64_t sequence)
{
    MFS_CHECK(dir->live < plan->live);
    add_entry(names, dir, entry, node, sequence, &plan->spares, mfs_order_append_planned);
    MFS_CHECK(dir->live < plan->live || plan->spares == NULL);
}

struct mfs_dirent *mfs_dir_take_first(const struct mfs_names *names, struct mfs_dir *dir,
                                      uint64_t *sequence)
{
    struct mfs_dirent *entry = mfs_dir_at(dir, 0);
    if (entry == NULL)
        return NULL;
    *sequence = entry->sequence;
    mfs_dir_detach(names, dir, entry);
    entry->sequence = 0;
    entry->u.spares = NULL;
    return entry;
}

void mfs_dir_detach(const struct mfs_names *names, struct mfs_dir *dir, struct mfs_dirent *entry)
{
    MFS_CHECK(dir->live > 0 && entry->sequence != 0);
    mfs_order_remove(&dir->order, &names->source, entry);
    if (has_buckets(dir))
        mfs_buckets_remove(&dir->buckets, &entry->u.chain, entry->hash);
    dir->live--;
    if (has_buckets(dir) && dir->live <= FEW_ENTRIES / 2)
        mfs_buckets_fini(&dir->buckets, &names->source);
    while (mfs_buckets_wants_less(&dir->buckets, dir->live))
        mfs_buckets_shrink(&dir->buckets, &names->source);
    MFS_CHECK((dir->live == 0) == (dir->order.root == NULL));
    MFS_CHECK_DEEP(mfs_dir_is_valid_after(names, dir, entry->sequence));
}

/* ---------------------------------------------------------------- renaming */

bool mfs_dir_fits(const struct mfs_dirent *entry, size_t length)
{
    return length <= entry->room;
}

void mfs_dir_rename(const struct mfs_names *names, struct mfs_dir *dir, struct mfs_dirent *entry,
                    const struct mfs_dir_key *key)
{
    MFS_CHECK(mfs_dir_fits(entry, key->length));
    if (has_buckets(dir))
        mfs_buckets_remove(&dir->buckets, &entry->u.chain, entry->hash);
    set_name(names, entry, key);
    if (has_buckets(dir))
        mfs_buckets_insert(&dir->buckets, &entry->u.chain, entry->hash);
    MFS_CHECK_DEEP(is_found(names, dir, entry));
}

void mfs_dir_replace(struct mfs_dir *dir, struct mfs_dirent *old, struct mfs_dirent *entry)
{
    MFS_CHECK(entry->sequence == 0 && entry->u.spares == NULL && old->sequence != 0);
    entry->node = old->node;
    mfs_order_replace(&dir->order, old, entry);
    if (!has_buckets(dir))
        return;
    mfs_buckets_remove(&dir->buckets, &old->u.chain, old->hash);
    mfs_buckets_insert(&dir->buckets, &entry->u.chain, entry->hash);
}

void mfs_dir_exchange_places(struct mfs_dir *dir, struct mfs_dirent *a, struct mfs_dirent *b)
{
    MFS_CHECK(a != b && a->sequence != 0 && b->sequence != 0);
    mfs_order_exchange(&dir->order, a, b);
}

/* -------------------------------------------------------------- everything */

void mfs_dir_adopt(struct mfs_dir *to, struct mfs_dir *from, uint64_t shift)
{
    MFS_CHECK(to->live == 0);
    *to = *from;
    *from = (struct mfs_dir){0};
    mfs_order_shift(&to->order, shift);
}

uint64_t mfs_dir_entry_cost(const struct mfs_names *names, const struct mfs_dirent *entry)
{
    return mfs_memory_cost(names->source.memory, entry_bytes(entry->room));
}

uint64_t mfs_dir_cost(const struct mfs_names *names, const struct mfs_dir *dir)
{
    uint64_t cost = mfs_order_cost(&dir->order, &names->source) +
                    mfs_buckets_cost(&dir->buckets, &names->source);
    const struct mfs_dirent *entry = mfs_dir_at(dir, 0);
    for (; entry != NULL; entry = mfs_dir_next(dir, entry))
        cost += mfs_dir_entry_cost(names, entry);
    return cost;
}

bool mfs_dir_is_valid(const struct mfs_names *names, const struct mfs_dir *dir)
{
    if (!mfs_order_is_valid(&dir->order, dir->live))
        return false;
    if (has_buckets(dir) ? dir->live <= FEW_ENTRIES / 2 : dir->live > FEW_ENTRIES)
        return false;
    if (has_buckets(dir) && !mfs_buckets_is_valid(&dir->buckets, dir->live, hash_of_entry))
        return false;
    const struct mfs_dirent *entry = mfs_dir_at(dir, 0);
    for (; entry != NULL; entry = mfs_dir_next(dir, entry))
        if (entry->node == NULL || !is_found(names, dir, entry))
            return false;
    return true;
}

/* The sum over all changes stays linear: a large directory is looked at every power of two. */
bool mfs_dir_is_valid_after(const struct mfs_names *names, const struct mfs_dir *dir,
                            uint64_t sequence)
{
    bool is_due = dir->live <= CHECKED_ENTRIES ||
                  (mfs_num_is_power_of_two(sequence) && dir->live <= sequence);
    return !is_due || mfs_dir_is_valid(names, dir);
}
