/*
 * What hears of everything that happens in a tree: the fault kit (faults/kit.h), if there is one.
 *
 * The three functions that are told of changes are called while the lock that guards the change is
 * held, so that they hear of changes in the order in which these take effect: `named` under the
 * namespace lock, `written` under the file's.  They may not call into the tree, and cannot refuse.
 * The two that are asked about calls are called without any lock.
 *
 * A tree without an observer pays one comparison with null in each of these places, which a build
 * with MEMFS_NO_FAULTS leaves out.
 */
#ifndef MFS_OBSERVER_H
#define MFS_OBSERVER_H

#include "base/annot.h"

#include <memfs/memfs.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mfs_node;
struct mfs_file_node;
struct mfs_dir_node;

/* A call, as far as an observer is asked about it. */
struct mfs_operation {
    uint32_t what; /* one of MEMFS_OP_... */
    memfs_dir *at, *to_at;
    const char *path, *to; /* null: it is about `node` */
    struct mfs_node *node;
    uint64_t offset, length;
};

/* A name in a directory, and what it leads to now; null: nothing. */
struct mfs_observed_name {
    struct mfs_dir_node *dir;
    const char *name;
    size_t length;
    struct mfs_node *node;
};

struct mfs_observer {
    /* Names lead elsewhere now, all of them in one step. */
    void (*named)(struct mfs_observer *observer, const struct mfs_observed_name *names,
                  size_t count);

    /* `length` bytes of the file from `offset` on may have changed, and so may its size. */
    void (*written)(struct mfs_observer *observer, struct mfs_file_node *file, uint64_t offset,
                    uint64_t length);

    /* The last reference to the node with this number is gone. */
    void (*gone)(struct mfs_observer *observer, uint64_t number);

    /* The node, which the caller has a reference to, is to be synced. */
    void (*synced)(struct mfs_observer *observer, struct mfs_node *node);

    /* The tree ends. */
    void (*end)(struct mfs_observer *observer);

    /* A call begins; an error is what it is to return at once, without having done anything. */
    int (*before)(struct mfs_observer *observer, const struct mfs_operation *operation);

    /* A call has returned `result`, and is to return this instead. */
    int64_t (*after)(struct mfs_observer *observer, const struct mfs_operation *operation,
                     int64_t result);
};

#ifndef MEMFS_NO_FAULTS
#define MFS_OBSERVER_IS(observer) __builtin_expect((observer) != NULL, 0)
#else
#define MFS_OBSERVER_IS(observer) ((void)(observer), false)
#endif

static inline void mfs_observer_named(struct mfs_observer *observer, struct mfs_dir_node *dir,
                                      const char *name, size_t length, struct mfs_node *node)
{
    if (MFS_OBSERVER_IS(observer)) {
        const struct mfs_observed_name one = {dir, name, length, node};
        observer->named(observer, &one, 1);
    }
}

static inline void mfs_observer_written(struct mfs_observer *observer, struct mfs_file_node *file,
                                        uint64_t offset, uint64_t length)
{
    if (MFS_OBSERVER_IS(observer))
        observer->written(observer, file, offset, length);
}

static inline void mfs_observer_gone(struct mfs_observer *observer, uint64_t number)
{
    if (MFS_OBSERVER_IS(observer))
        observer->gone(observer, number);
}

#endif
