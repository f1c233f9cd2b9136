/*
 * Nodes: what names lead to.
 *
 * A node lives as long as there are references to it: each directory entry, each open handle and
 * each call that works with the node holds one.  `links` counts names; of a directory, as POSIX has
 * it, 2 and one for each directory in it, and 0 once it is removed.
 *
 * What guards what:
 *
 *     node->lock            size and content of a file
 *     the namespace lock    links, is_audited, and everything of a directory
 *     the node's gate       whole_file_lock, upgrade_waits, has_line (see filelock.h)
 *     the locks of all handle lists  is_counted
 *     atomics               mode, owner, times, generation: each for itself
 */
#ifndef MFS_NODE_H
#define MFS_NODE_H

#include "base/annot.h"
#include "content/content.h"
#include "node/dir.h"
#include "node/observer.h"
#include "sync/sync.h"

#include <memfs/memfs.h>

#include <stdatomic.h>
#include <stdint.h>

enum mfs_time { MFS_ACCESS = 0, MFS_MODIFY = 1, MFS_CHANGE = 2, MFS_BIRTH = 3, MFS_TIMES = 4 };

struct mfs_node {
    struct mfs_lock lock;
    _Atomic uint32_t references;
    _Atomic uint32_t links;
    _Atomic uint32_t handles; /* open files */
    _Atomic uint32_t mode;
    _Atomic uint32_t uid, gid;
    _Atomic int32_t whole_file_lock; /* -1: exclusive; n: n shared */
    uint8_t kind;                    /* enum memfs_kind */
    bool upgrade_waits;
    bool is_counted;   /* while orphans are counted: the node was met; under the handle list lock */
    bool is_audited;   /* while an audit runs: the node was met; under the namespace lock */
    bool is_in_census; /* while a tree is added up: the node was met; under the tree's `capture` */
    bool is_captured;  /* of a copy that is being made: the original's lock is held */
    bool has_line;     /* tickets wait for the whole-file lock */
    uint64_t number;
    _Atomic uint64_t generation; /* changes, but for those of `writes` */
    _Atomic int64_t times[MFS_TIMES];
};

struct mfs_file_node {
    struct mfs_node node;
    _Atomic uint64_t size; /* written under the lock; read without it where one number is enough */
    struct mfs_content content;
    _Atomic uint64_t writes; /* counted under the lock, so that it takes no atomic addition */
    _Atomic uint32_t private_holders; /* handles that keep copies from sharing its pages */
    _Atomic uint32_t page_changes;    /* counts what makes mappings old; written under the lock */
};

struct mfs_dir_node {
    struct mfs_node node;
    struct mfs_dir names;
    struct mfs_dir_node *parent; /* of the root: itself; null once removed */
    struct mfs_dirent *entry;    /* in the parent; null for the root and once removed */
};

struct mfs_symlink_node {
    struct mfs_node node;
    uint32_t length;
    char target[]; /* NUL-terminated */
};

/* All that the nodes of one tree have in common. */
struct mfs_nodes {
    struct mfs_memory *memory;
    enum memfs_class class; /* what nodes are charged to */
    struct mfs_pool *pool;
    struct mfs_lot *lot;
    struct mfs_names names;
    int64_t (*clock)(void *context);
    void *clock_context;
    _Atomic uint32_t atime_policy;       /* enum memfs_atime_policy */
    uint32_t uid, gid;                   /* of new nodes */
    _Atomic uint64_t preallocated_bytes; /* behind the ends of files */
    _Atomic uint64_t next_number;
    struct mfs_lock limit_lock; /* a leaf: one setter of the limit at a time */
    _Atomic uint64_t limit;     /* MFS_UNLIMITED: none */
    _Atomic uint64_t total;
    _Atomic uint64_t by_kind[MEMFS_KIND_SYMLINK + 1];
    struct mfs_observer *observer; /* null: none; changed while no call is under way */
};

/*
 * New nodes, with no links and one reference, which is the caller's.
 * Errors: ENOSPC (the node limit), EDQUOT, ENOMEM.
 */
int mfs_node_create_file(struct mfs_nodes *nodes, enum mfs_charge_from charge_from, uint32_t mode,
                         struct mfs_file_node **out);
int mfs_node_create_dir(struct mfs_nodes *nodes, enum mfs_charge_from charge_from, uint32_t mode,
                        struct mfs_dir_node **out);
int mfs_node_create_symlink(struct mfs_nodes *nodes, enum mfs_charge_from charge_from,
                            const char *target, size_t length, struct mfs_symlink_node **out);

/* Sets the limit on nodes; false, and nothing has changed, if more nodes exist. */
bool mfs_node_set_limit(struct mfs_nodes *nodes, uint64_t limit);

void mfs_node_retain(struct mfs_node *node);

/*
 * Drops a reference.  The last one frees the node and its content; a directory must be empty by
 * then.  Not to be called while a lock is held, since freeing a large content takes long.
 */
void mfs_node_release(struct mfs_nodes *nodes, struct mfs_node *node);

static inline struct mfs_file_node *mfs_node_as_file(struct mfs_node *node)
{
    return node->kind == MEMFS_KIND_FILE ? (struct mfs_file_node *)(void *)node : NULL;
}

static inline struct mfs_dir_node *mfs_node_as_dir(struct mfs_node *node)
{
    return node->kind == MEMFS_KIND_DIRECTORY ? (struct mfs_dir_node *)(void *)node : NULL;
}

static inline struct mfs_symlink_node *mfs_node_as_symlink(struct mfs_node *node)
{
    return node->kind == MEMFS_KIND_SYMLINK ? (struct mfs_symlink_node *)(void *)node : NULL;
}

/* The file's size: steady under its lock, a snapshot without. */
static inline uint64_t mfs_node_size(const struct mfs_file_node *file)
{
    return atomic_load_explicit(&file->size, memory_order_relaxed);
}

/* To be called, under the lock, when the file may have another page in the place of one. */
static inline void mfs_node_count_page_change(struct mfs_file_node *file)
    MFS_REQUIRES(file->node.lock)
{
    (void)atomic_fetch_add_explicit(&file->page_changes, 1, memory_order_release);
}

/* The same after a write, which replaces pages that were shared. */
static inline void mfs_node_settle_write(struct mfs_file_node *file) MFS_REQUIRES(file->node.lock)
{
    if (!file->content.has_replaced)
        return;
    file->content.has_replaced = false;
    mfs_node_count_page_change(file);
}

static inline uint32_t mfs_node_links(const struct mfs_node *node)
{
    return atomic_load_explicit(&node->links, memory_order_relaxed);
}

/* The caller holds the namespace lock, exclusive, or no other thread knows the node. */
static inline void mfs_node_set_links(struct mfs_node *node, uint32_t links)
{
    atomic_store_explicit(&node->links, links, memory_order_relaxed);
}

int64_t mfs_node_now(const struct mfs_nodes *nodes);

static inline int64_t mfs_node_time(const struct mfs_node *node, enum mfs_time which)
{
    return atomic_load_explicit(&node->times[which], memory_order_relaxed);
}

static inline void mfs_node_set_time(struct mfs_node *node, enum mfs_time which, int64_t ns)
{
    atomic_store_explicit(&node->times[which], ns, memory_order_relaxed);
}

/* The content or the names have changed: modification and status change. */
void mfs_node_modified(struct mfs_node *node, int64_t now);

/* The same of a file, under its lock: cheaper. */
static inline void mfs_node_written(struct mfs_file_node *file, int64_t now)
    MFS_REQUIRES(file->node.lock)
{
    mfs_node_set_time(&file->node, MFS_MODIFY, now);
    mfs_node_set_time(&file->node, MFS_CHANGE, now);
    uint64_t writes = atomic_load_explicit(&file->writes, memory_order_relaxed);
    atomic_store_explicit(&file->writes, writes + 1, memory_order_relaxed);
}

/* The number of changes so far, of content, names and attributes. */
static inline uint64_t mfs_node_generation(const struct mfs_node *node)
{
    uint64_t changes = atomic_load_explicit(&node->generation, memory_order_relaxed);
    if (node->kind == MEMFS_KIND_FILE) {
        const struct mfs_file_node *file = (const struct mfs_file_node *)(const void *)node;
        changes += atomic_load_explicit(&file->writes, memory_order_relaxed);
    }
    return changes;
}

/* Attributes or links have changed. */
void mfs_node_changed(struct mfs_node *node, int64_t now);

/* The target of a symlink, cut to `size` bytes: the count stored.  Errors: EINVAL (no symlink). */
int64_t mfs_node_read_target(struct mfs_node *node, char *buffer, size_t size);

/* The content was read: the access time follows as the policy says. */
void mfs_node_accessed(const struct mfs_nodes *nodes, struct mfs_node *node);

/* Fills `info`; takes the node's lock, shared, meanwhile. */
void mfs_node_stat(const struct mfs_nodes *nodes, struct mfs_node *node, memfs_stat_info *info)
    MFS_EXCLUDES(node->lock);

/* Sets the size, under the lock; what is preallocated behind it is counted anew. */
void mfs_node_set_size_preallocated(struct mfs_nodes *nodes, struct mfs_file_node *file,
                                    uint64_t size) MFS_REQUIRES(file->node.lock);
static inline void mfs_node_set_size(struct mfs_nodes *nodes, struct mfs_file_node *file,
                                     uint64_t size) MFS_REQUIRES(file->node.lock)
{
    if (file->content.preallocated_end == 0)
        atomic_store_explicit(&file->size, size, memory_order_relaxed);
    else
        mfs_node_set_size_preallocated(nodes, file, size);
}

/* Moves the end of what is preallocated; the pages are there already. */
void mfs_node_set_preallocated_end(struct mfs_nodes *nodes, struct mfs_file_node *file,
                                   uint64_t end) MFS_REQUIRES(file->node.lock);

/* As mfs_content_extent_punch(); what is preallocated then ends where the hole begins. */
int mfs_node_punch(struct mfs_nodes *nodes, struct mfs_file_node *file,
                   enum mfs_charge_from charge_from, uint64_t offset, uint64_t length)
    MFS_REQUIRES(file->node.lock);

/* Exchanges the content for another one and sets the size; `*content` then holds the old one.
 * Nothing is preallocated afterwards.  An observer is told of the ranges that differ. */
void mfs_node_swap_content(struct mfs_nodes *nodes, struct mfs_file_node *file,
                           struct mfs_content *content, uint64_t size)
    MFS_REQUIRES(file->node.lock);

/* Cuts the file to `size` and keeps what is preallocated.  Cannot fail. */
void mfs_node_cut(struct mfs_nodes *nodes, struct mfs_file_node *file, uint64_t size)
    MFS_REQUIRES(file->node.lock);

/*
 * A second content with the file's bytes, and its size: by sharing, or by copying
 * while a handle holds the file private.  Errors: EDQUOT, ENOMEM (copying only).
 */
int mfs_node_clone_content(const struct mfs_nodes *nodes, struct mfs_file_node *file,
                           struct mfs_content *content, uint64_t *size)
    MFS_REQUIRES_SHARED(file->node.lock);

/* What the node costs, without its content and its names. */
uint64_t mfs_node_cost(const struct mfs_nodes *nodes, const struct mfs_node *node);

#endif
