/*
 * One file system: all its parts, and the order of their locks.
 *
 * LOCK ORDER.  A lock may be taken while those above it are held, not the other
 * way round; of those on one line at most one is held.
 *
 *   1  memfs_file.lock           one handle's offset
 *   2  tree.lock                 the namespace (reader-writer)
 *   3  snapshots.lock            that of the snapshots
 *   4  memfs_dir.lock            one directory stream's position
 *   5  a handle list's lock       the open handles of some threads; several in order
 *   6  tree.capture              one thread at a time locks many nodes
 *   7  node.lock                 one file's size and content (reader-writer)
 *   8  pieces.lock               pages that are cut to pieces
 *   9  pool.lock                 slabs and free pages
 *  10  arena.lock                the arena's free blocks
 *      versions.lock, blocks.lock, opened.lock  what else callers hold
 *      ledger.lock               the setting of limits
 *      refused.lock              the callback for refusals
 *      gates                     waiting; and a node's whole-file lock
 *
 * The ledger's counts, the reference counts of pages and nodes, and the times and attributes of
 * nodes are atomics and need no lock.
 *
 * A call that works on a path takes the namespace lock, gets a reference to the node, releases the
 * lock, and only then locks the node.  No thread waits for a whole-file lock while it holds any
 * lock.
 *
 * Copying a tree is the exception to the first rule: it locks nodes while it holds the namespace
 * lock, and may wait for a write that is going on (a memcpy, never a wait for something else).  It
 * is also the exception to one lock a line: it holds the locks of many nodes, shared, in no order.
 * That is safe because any other thread that holds a node's lock waits for no second one (see
 * treecopy.c).
 */
#ifndef MFS_FS_H
#define MFS_FS_H

#include "content/version.h"
#include "memory/block.h"
#include "memory/memory.h"
#include "memory/page.h"
#include "node/handle.h"
#include "node/node.h"
#include "sync/sync.h"
#include "tree/walk.h"
#include "wholetree/opened.h"

#include <memfs/storage.h>

/* The program's callback for calls that a limit has refused. */
struct mfs_refused_hook {
    struct mfs_lock lock; /* a leaf: guards the next two */
    memfs_refused_callback callback;
    void *context;
    _Atomic uint32_t asking; /* calls of it that are under way */
};

struct mfs_log_hook {
    struct mfs_lock lock; /* a leaf: guards the next two */
    memfs_log_callback callback;
    void *context;
};

/*
 * What an instance and its clones have in common: the memory, with its limits, and the places at
 * which threads wait.  It lies behind the first instance, which is the last to be destroyed.
 */
struct mfs_family {
    struct mfs_lot lot;
    struct mfs_memory memory;
    struct mfs_pool pool;
    uint64_t arena_limit;    /* the quota that an arena sets by itself; MFS_UNLIMITED without one */
    size_t instance_bytes;   /* what the first instance and the arena's cost, without the starter */
    struct mfs_lock lock;    /* a leaf: guards the list */
    struct mfs_list members; /* the first instance is the last of them */
};

struct memfs {
    uint32_t magic;
    struct mfs_family *family;
    struct mfs_lot *lot; /* the family's, as the next two are */
    struct mfs_memory *memory;
    struct mfs_pool *pool;
    struct mfs_link link; /* in the family */
    uint64_t owner;       /* by which threads remember its refusals: see memory/refusal.h */
    struct mfs_nodes nodes;
    struct mfs_tree tree;
    struct mfs_nodes snapshot_nodes; /* charged to their own class, and under no limit on nodes */
    struct mfs_tree snapshots;       /* each a directory in the root; see snapshot.h */
    _Atomic int64_t last_capture_ns; /* the greatest time that one was given */
    struct mfs_handles handles;
    struct mfs_version_list versions;
    struct mfs_block_list blocks;
    struct mfs_opened_list opened;
    _Atomic uint64_t mappings; /* pages that callers have pinned */
    struct mfs_refused_hook refused;
    struct mfs_log_hook log;
};

#define MFS_FS_MAGIC 0x6d656d66u

/*
 * Makes an instance of all zeros a member of a family.  Its nodes can then be created, and have
 * what `like` has: clock, owner, policies and limit.
 */
void mfs_fs_join(memfs *fs, struct mfs_family *family, const struct mfs_nodes *like);
void mfs_fs_leave(memfs *fs);

static inline memfs *mfs_fs_of_link(struct mfs_link *link)
{
    return MFS_LIST_ENTRY(link, memfs, link);
}

/*
 * Gives back the spare handles of all instances of the family, since one quota holds for all;
 * true if there was one.
 */
bool mfs_fs_give_spares(memfs *fs);

/* Says something through the log hook, if there is one. */
void mfs_fs_log(memfs *fs, enum memfs_log_level level, const char *message);

/*
 * To be called after a whole-file lock was granted, before its caller hears of it: a whole-file
 * lock becomes visible to its caller only after all earlier look-ups have finished.  (A ticket is
 * told of it without a wait; its owner calls memfs_lock() for that.)
 *
 * A call that removes, renames or replaces a name looks at the file's lock and edits the name under
 * the namespace lock; one that replaces the content of a file by path does so under the node's.
 * Calls that looked before the lock was there have finished when this returns; later ones see it.
 */
void mfs_fs_wait_for_earlier_lookups(memfs *fs, struct mfs_node *node) MFS_EXCLUDES(fs->tree.lock);

static inline bool mfs_fs_is_refusal(int64_t result)
{
    return result == MEMFS_EDQUOT || result == MEMFS_ENOSPC || result == MEMFS_ENOMEM;
}

/*
 * To be called when a call was refused, which has undone all that it did: its figures become those
 * of the thread's last refusal.  If a limit has refused it, the program's callback is asked.
 * True if the call is to be made again: there is a callback, it said so, and there is more headroom
 * than before.  Exported functions do not call it themselves: see mfs_retry_run() in api/retry.h.
 */
bool mfs_fs_settle_refusal(memfs *fs, int error) MFS_EXCLUDES(fs->tree.lock);

/* A refusal as callers see it. */
struct mfs_refusal;
void mfs_fs_describe_refusal(const struct mfs_refusal *refusal, memfs_refusal *out);

/* Makes a mapping of `length` bytes of a pinned page, from `at` on. */
void mfs_fs_fill_mapping(memfs *fs, mfs_page page, size_t at, size_t length, memfs_mapping *out);

static inline bool mfs_fs_is_valid(const memfs *fs)
{
    return fs != NULL && mfs_sync_is_marked(fs->magic, MFS_FS_MAGIC);
}

/* The directory of the stream `at`, or null (the root) if there is none.  Errors: EBADF, EXDEV. */
int mfs_fs_start(const memfs *fs, const memfs_dir *at, struct mfs_dir_node **out);

/* What is named through the stream, which mfs_fs_start() has accepted, is charged to that. */
static inline enum mfs_charge_from mfs_fs_charge_of(const memfs_dir *at)
{
    return at != NULL && at->is_privileged ? MFS_CHARGE_RESERVE : MFS_CHARGE_ORDINARY;
}

#endif
