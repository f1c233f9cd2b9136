/*
 * The names of one directory, in order of creation.
 *
 *     order     a:1  b:2  d:4  e:5         entry : sequence number; see order.h
 *     buckets   hash -> entry              once there are more than a few; see buckets.h
 *
 * Every entry gets a sequence number that is higher than all before it, from a counter of the
 * whole tree.  A listing remembers the number that comes next, so that it is undisturbed by
 * names that come and go, and ends at the number that was the highest when it began.
 *
 * Adding has two steps: mfs_dir_prepare() takes all the memory, may fail, and does not touch the
 * directory; mfs_dir_commit() cannot fail.  Removing never allocates.  Memory and the time of a
 * listing go with the entries that are there; an empty directory has none.  No call moves more
 * than a few chunks, however large the directory is.
 *
 * Threads: the namespace lock, exclusive for changes and shared for the rest.
 */
#ifndef MFS_DIR_H
#define MFS_DIR_H

#include "base/path.h"
#include "node/dirent.h"
#include "node/order.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mfs_dir {
    struct mfs_order order;
    struct mfs_buckets buckets; /* none while the directory is small */
    uint32_t live;              /* entries */
};

/* What names and hashing need: where memory comes from, and the file system's hash key. */
struct mfs_names {
    /* Charged as ordinary data, unless the thread that holds the namespace lock exclusive changes
     * that for the time it holds it. */
    struct mfs_chunk_source source;
    uint64_t hash_key[2];
};

/* A name to be found or added.  Its hash, once known, is kept: a name that was not found is often
 * added next. */
struct mfs_dir_key {
    const char *name;
    size_t length;
    uint32_t hash;
    bool has_hash;
};

static inline struct mfs_dir_key mfs_dir_key_of(const struct mfs_component *name)
{
    return (struct mfs_dir_key){.name = name->name, .length = name->length};
}

/* The entry with this name, or null. */
struct mfs_dirent *mfs_dir_find(const struct mfs_names *names, const struct mfs_dir *dir,
                                struct mfs_dir_key *key);

/*
 * Makes an entry, not yet in the directory, and sets aside what the directory needs to take it.
 * Errors: EDQUOT, ENOMEM.  To be followed by commit or cancel, before any other change of `dir`.
 */
int mfs_dir_prepare(const struct mfs_names *names, const struct mfs_dir *dir,
                    const struct mfs_dir_key *key, struct mfs_dirent **out);

/* The same for an entry that was made before.  After a failure it is still the caller's. */
int mfs_dir_prepare_entry(const struct mfs_names *names, const struct mfs_dir *dir,
                          struct mfs_dirent *entry);

/* `sequence` is higher than that of all entries there. */
void mfs_dir_commit(const struct mfs_names *names, struct mfs_dir *dir, struct mfs_dirent *entry,
                    struct mfs_node *node, uint64_t sequence);
void mfs_dir_cancel(const struct mfs_names *names, struct mfs_dirent *entry);

/*
 * Several additions that are prepared together, and made later, one after the other, with no other
 * change of the directory in between.  mfs_dir_plan_addition() sets aside what one more addition
 * needs; after an error (EDQUOT, ENOMEM) the plan can only be cancelled.
 */
struct mfs_dir_plan {
    struct mfs_order_plan order;
    struct mfs_buckets buckets; /* as they will be: only the shape counts */
    uint64_t live;
    struct mfs_chunk *spares;
};

struct mfs_dir_plan mfs_dir_plan(const struct mfs_dir *dir);
int mfs_dir_plan_addition(const struct mfs_names *names, struct mfs_dir_plan *plan);
void mfs_dir_plan_cancel(const struct mfs_names *names, struct mfs_dir_plan *plan);

/* Makes one of the planned additions.  The entry is in no directory, and needs no preparation. */
void mfs_dir_commit_planned(const struct mfs_names *names, struct mfs_dir *dir,
                            struct mfs_dir_plan *plan, struct mfs_dirent *entry,
                            struct mfs_node *node, uint64_t sequence);

/* Frees an entry that is in no directory any more. */
void mfs_dir_entry_free(const struct mfs_names *names, struct mfs_dirent *entry);

/* Takes the first entry out of the directory, so that it can be added to another one, and leaves
 * its sequence number in `*sequence`; null if there is none. */
struct mfs_dirent *mfs_dir_take_first(const struct mfs_names *names, struct mfs_dir *dir,
                                      uint64_t *sequence);

/* Takes the entry out of the directory; it is then the caller's. */
void mfs_dir_detach(const struct mfs_names *names, struct mfs_dir *dir, struct mfs_dirent *entry);

/*
 * Renaming inside one directory keeps the entry's place.  Where the name is no longer than the
 * entry has room for, mfs_dir_rename() changes the entry itself and needs no memory.  For a longer
 * name, mfs_dir_prepare_renamed() makes another entry, which mfs_dir_replace() puts in the place
 * of the old one, with the same node (references are the caller's business); the old one is then
 * the caller's.
 */
bool mfs_dir_fits(const struct mfs_dirent *entry, size_t length);
void mfs_dir_rename(const struct mfs_names *names, struct mfs_dir *dir, struct mfs_dirent *entry,
                    const struct mfs_dir_key *key);
int mfs_dir_prepare_renamed(const struct mfs_names *names, const struct mfs_dir_key *key,
                            struct mfs_dirent **out);
void mfs_dir_replace(struct mfs_dir *dir, struct mfs_dirent *old, struct mfs_dirent *entry);

/* Lets two entries of the directory change places in its order. */
void mfs_dir_exchange_places(struct mfs_dir *dir, struct mfs_dirent *a, struct mfs_dirent *b);

/* The first entry with this sequence number or a higher one, or null. */
struct mfs_dirent *mfs_dir_at(const struct mfs_dir *dir, uint64_t sequence);

/* The entry behind this one, or null. */
struct mfs_dirent *mfs_dir_next(const struct mfs_dir *dir, const struct mfs_dirent *entry);

/* Moves all entries of `from`, in their order, to `to`, where nothing is; `shift` is added to
 * their sequence numbers. */
void mfs_dir_adopt(struct mfs_dir *to, struct mfs_dir *from, uint64_t shift);

/* The newest entry, or null.  Taking this one away is the quick way to empty a directory. */
struct mfs_dirent *mfs_dir_last(const struct mfs_dir *dir);

/* What the directory's entries, and the chunks that lead to them, cost. */
uint64_t mfs_dir_cost(const struct mfs_names *names, const struct mfs_dir *dir);
uint64_t mfs_dir_entry_cost(const struct mfs_names *names, const struct mfs_dirent *entry);

/* For the audit. */
bool mfs_dir_is_valid(const struct mfs_names *names, const struct mfs_dir *dir);

/* For deep checks after a change of the entry `sequence`: the same for a small directory; a large
 * one is looked at now and then. */
bool mfs_dir_is_valid_after(const struct mfs_names *names, const struct mfs_dir *dir,
                            uint64_t sequence);

#endif
