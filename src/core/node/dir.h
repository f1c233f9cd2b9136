/*
 * The names of one directory, in order of creation.
 *
 *     slots  [ a:1 | b:2 | (3) | d:4 | e:5 |   |   ]     entry : sequence number
 *     table  hash -> slot, once there are more than a few
 *
 * Every entry gets the next sequence number, and slots are in that order.  A
 * removed entry leaves a tombstone with its number, so that slots can be found
 * by number (binary search): a listing remembers the number that comes next and
 * is undisturbed by whatever comes and goes.  Tombstones are squeezed out when
 * the slots are full.
 *
 * Adding has two steps: mfs_dir_prepare() takes all the memory and may fail,
 * mfs_dir_commit() cannot.  Removing never allocates; the index is freed when
 * the last entry goes.
 *
 * Threads: the namespace lock, exclusive for changes and shared for the rest.
 */
#ifndef MFS_DIR_H
#define MFS_DIR_H

#include "memory/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mfs_node;

struct mfs_dirent {
    struct mfs_node *node; /* the entry holds a reference */
    union {
        uint64_t sequence;               /* while in a directory */
        struct mfs_dirent *next_removed; /* afterwards, if kept in a list */
    } u;
    uint32_t hash;
    uint8_t length;
    char name[]; /* NUL-terminated */
};

struct mfs_dir {
    uint64_t *slots;   /* the address of a struct mfs_dirent, or a tombstone */
    uint32_t *table;   /* slot index + 1, 0: free; open addressing; null while small */
    uint32_t capacity; /* of slots */
    uint32_t filled;   /* slots in use, tombstones included */
    uint32_t live;     /* entries */
    uint32_t table_mask;
    uint64_t next_sequence; /* the first is 1 */
};

/* What names and hashing need: where memory comes from, and the file system's hash key. */
struct mfs_names {
    struct mfs_memory *memory;
    enum memfs_class class; /* what names are charged to */
    uint64_t hash_key[2];
    enum mfs_charge_from
        charge_from; /* MFS_CHARGE_ORDINARY, unless who holds the namespace lock exclusive says else */
};

struct mfs_dirent *mfs_dir_find(const struct mfs_names *names, const struct mfs_dir *dir,
                                const char *name, size_t length);

/*
 * Makes an entry, not yet in the directory, and room for it in the index.
 * Errors: EDQUOT, ENOMEM.  To be followed at once by commit or cancel.
 */
int mfs_dir_prepare(const struct mfs_names *names, struct mfs_dir *dir, const char *name,
                    size_t length, struct mfs_dirent **out);
void mfs_dir_commit(struct mfs_dir *dir, struct mfs_dirent *entry, struct mfs_node *node);

void mfs_dir_cancel(const struct mfs_names *names, struct mfs_dir *dir, struct mfs_dirent *entry);

/* Frees an entry that is in no directory any more. */
void mfs_dir_entry_free(const struct mfs_names *names, struct mfs_dirent *entry);

/* Takes the entry out of the directory; it is then the caller's. */
void mfs_dir_detach(const struct mfs_names *names, struct mfs_dir *dir, struct mfs_dirent *entry);

/* The first entry with this sequence number or a higher one, or null. */
struct mfs_dirent *mfs_dir_at(const struct mfs_dir *dir, uint64_t sequence);

/* Moves all entries of `from`, in their order, to `to`, where nothing is; listings of `to` find them
 * behind what was there before. */
void mfs_dir_adopt(struct mfs_dir *to, struct mfs_dir *from);

/* The newest entry, or null.  Taking this one away is the quick way to empty a directory. */
struct mfs_dirent *mfs_dir_last(const struct mfs_dir *dir);

/* What the directory's index and entries cost. */
uint64_t mfs_dir_cost(const struct mfs_names *names, const struct mfs_dir *dir);
uint64_t mfs_dir_entry_cost(const struct mfs_names *names, const struct mfs_dirent *entry);

/* For the audit. */
bool mfs_dir_is_valid(const struct mfs_names *names, const struct mfs_dir *dir);

#endif
