/*
 * The fault kit of one file system: an observer (node/observer.h) that knows what is durable, and
 * which calls are to fail.
 *
 * It lies in its *store*, a file system of its own without a quota, with all else that it needs:
 * the disk (disk.h), what is pending (pending.h), the rules (rules.h), and where each node is:
 *
 *     /path/<n>      a symlink "<d>/<name>": the last name that node n got, in directory d
 *
 * `lock` guards everything in it, and is taken while locks of the tree are held; no lock of the
 * tree is taken while it is.  Where the store has no memory, the kit is *broken* and says so when
 * it is asked, since the change that it was told of has been made.
 */
#ifndef MFS_KIT_H
#define MFS_KIT_H

#include "faults/pending.h"
#include "faults/rules.h"
#include "instance/fs.h"

#include <memfs/fault.h>

struct mfs_kit {
    struct mfs_observer observer; /* first */
    memfs *fs;
    memfs *store;
    struct mfs_lock lock;
    bool is_broken;
    bool tracks; /* durability was started */
    memfs_durability model;
    memfs_allocator allocator; /* where `model.allocator` points, if it is set */
    struct mfs_pending_log log;
    uint64_t syncs; /* of files and directories */
    struct mfs_rules rules;
    memfs_fault_hook hook;
    void *hook_context;
    _Atomic uint64_t steps;
};

/* The kit of a file system, or null. */
static inline struct mfs_kit *mfs_kit_of(const memfs *fs)
{
    return (struct mfs_kit *)(void *)fs->nodes.observer;
}

/* Notes what the store has said of a change. */
static inline void mfs_kit_note(struct mfs_kit *kit, int error) MFS_REQUIRES(kit->lock)
{
    kit->is_broken = kit->is_broken || error != 0;
}

/* As mfs_pending_sync_names(); nodes that are gone, and to which no pending name leads any more,
 * leave the disk. */
int mfs_kit_sync_names(struct mfs_kit *kit, uint64_t dir, uint64_t number, bool all)
    MFS_REQUIRES(kit->lock);

/* Where nodes are. */
void mfs_kit_set_path(struct mfs_kit *kit, uint64_t number, const struct mfs_disk_name *name)
    MFS_REQUIRES(kit->lock);
bool mfs_kit_forget_path(struct mfs_kit *kit, uint64_t number) MFS_REQUIRES(kit->lock);
bool mfs_kit_has_path(struct mfs_kit *kit, uint64_t number) MFS_REQUIRES(kit->lock);

/*
 * The path of a node, into `buffer`: absolute, NUL-terminated; "" where it cannot be told or does
 * not fit.
 */
void mfs_kit_path(struct mfs_kit *kit, uint64_t number, char *buffer, size_t size)
    MFS_REQUIRES(kit->lock);

static inline void mfs_kit_lock(struct mfs_kit *kit) MFS_ACQUIRE(kit->lock)
{
    mfs_sync_lock_exclusive(kit->store->lot, &kit->lock);
}

static inline void mfs_kit_unlock(struct mfs_kit *kit) MFS_RELEASE(kit->lock)
{
    mfs_sync_unlock_exclusive(kit->store->lot, &kit->lock);
}

#endif
