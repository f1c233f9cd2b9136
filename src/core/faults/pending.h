/*
 * What has been changed and is not durable: a log, in the order in which the changes took effect.
 *
 * An entry is a write (bytes, and the size that the file had then) or a *group* of names: one name
 * that leads elsewhere now, or the two of a renaming, which are one step.
 *
 *     write 7 [4096, 8192)   name 1/"b" -> 9   rename (1/"a" -> 0, 2/"c" -> 7)   write 9 [0, 12)
 *
 * Syncing a file takes its writes out of the log and onto the disk; syncing a directory takes the
 * groups in which it is named, and what has to come before them.  A power cut forgets the log, or
 * plays a part of it onto a copy of the disk.
 *
 * Entries are charged to the store (disk.h).  The log has no lock of its own.
 */
#ifndef MFS_PENDING_H
#define MFS_PENDING_H

#include "base/list.h"
#include "faults/disk.h"

struct mfs_pending {
    struct mfs_link link; /* in the log; the newest first */
    struct mfs_pending *older_of_bucket, *newer_of_bucket;
    uint64_t number; /* of the node; 0: the name leads nowhere */
    int kind;        /* of the node */
    bool is_name;
    bool continues;   /* a name: in one step with the entry before it */
    bool is_selected; /* while entries are chosen */
    uint64_t dir;     /* a name: of the directory */
    uint64_t offset, size;
    uint64_t length; /* of what follows: the bytes, or the name */
    unsigned char bytes[];
};

enum { MFS_PENDING_BUCKETS = 64 };

struct mfs_pending_log {
    memfs *store;
    struct mfs_list entries;
    struct mfs_pending *oldest;
    struct mfs_pending *writes[MFS_PENDING_BUCKETS]; /* of nodes by their numbers; the newest */
};

static inline struct mfs_pending *mfs_pending_of_link(struct mfs_link *link)
{
    return link != NULL ? MFS_LIST_ENTRY(link, struct mfs_pending, link) : NULL;
}

/* The entry that came after this one. */
static inline struct mfs_pending *mfs_pending_newer(struct mfs_pending *entry)
{
    return mfs_pending_of_link(entry->link.previous);
}

static inline struct mfs_pending *mfs_pending_older(struct mfs_pending *entry)
{
    return mfs_pending_of_link(entry->link.next);
}

/* A new entry, the newest, with room for `length` bytes that the caller fills in; null: there is no
 * memory. */
struct mfs_pending *mfs_pending_add_write(struct mfs_pending_log *log, uint64_t number,
                                          uint64_t offset, uint64_t length, uint64_t size);
struct mfs_pending *mfs_pending_add_name(struct mfs_pending_log *log,
                                         const struct mfs_disk_name *name, uint64_t number,
                                         int kind, bool continues);

void mfs_pending_remove(struct mfs_pending_log *log, struct mfs_pending *entry);

/* Forgets the writes of a node. */
void mfs_pending_forget_writes(struct mfs_pending_log *log, uint64_t number);

/* Whether a name that leads, or led, to the node is pending. */
bool mfs_pending_has_name_of(const struct mfs_pending_log *log, uint64_t number);

/* Makes the writes of a node durable. */
int mfs_pending_sync_writes(struct mfs_pending_log *log, uint64_t number);

/* Told of each node to which a name led that has become durable. */
typedef void (*mfs_pending_left)(void *context, uint64_t number);

/* Makes names durable: those in directory `dir` (0: none), those that lead to node `number` (0:
 * none), and those that must come before them; or all. */
int mfs_pending_sync_names(struct mfs_pending_log *log, uint64_t dir, uint64_t number, bool all,
                           mfs_pending_left left, void *context);

/* Makes all of it durable, in its order. */
int mfs_pending_sync_all(struct mfs_pending_log *log);

/* How the survivors of a power cut are chosen. */
struct mfs_survival {
    uint32_t percent;
    bool is_torn, is_ordered;
    uint64_t seed;
    uint32_t sector_bytes;
};

/* Plays the survivors onto `disk`, a copy of the store. */
int mfs_pending_survive(struct mfs_pending_log *log, const struct mfs_survival *how, memfs *disk);

void mfs_pending_clear(struct mfs_pending_log *log);

#endif
