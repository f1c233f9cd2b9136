/*
 * Open files and open directories, and the lists on which a file system finds
 * them again: to refuse its end while they are open, to close them when that is
 * forced, and to say what orphans cost.
 *
 * A handle begins with a magic number, so that a handle that was closed can be
 * told from one that is open as long as its memory is still there.
 */
#ifndef MFS_HANDLE_H
#define MFS_HANDLE_H

#include "node/filelock.h"
#include "node/node.h"

#include <memfs/storage.h>

#include <stdbool.h>

#define MFS_FILE_MAGIC 0x6d66736fu
#define MFS_DIR_MAGIC 0x6d667364u
#define MFS_CLOSED_MAGIC 0x6d667378u

struct mfs_handle_list {
    struct mfs_lock lock; /* guards the lists, node->handles and counts_orphan */
    struct memfs_file *files;
    struct memfs_dir *dirs;
    uint64_t open_files, open_dirs;
};

struct memfs_file {
    uint32_t magic;
    uint32_t flags; /* MEMFS_O_... */
    memfs *fs;
    struct mfs_node *node;
    struct memfs_file *previous, *next;
    struct mfs_lock lock;        /* guards offset; before the node's lock */
    uint8_t held;                /* enum mfs_held; guarded by the node's gate */
    bool is_lent;                /* the memory is the caller's */
    bool holds_private;          /* guarded by `lock` */
    _Atomic uint8_t reserve_use; /* enum memfs_emergency_use */
    bool counts_orphan; /* of all handles of one node, this one speaks for it in statistics */
    uint64_t offset;
};

struct memfs_dir {
    uint32_t magic;
    memfs *fs;
    struct mfs_dir_node *node;
    struct memfs_dir *previous, *next;
    struct mfs_lock lock; /* guards position; after the namespace lock */
    uint64_t position;    /* the sequence number that comes next */
};

void mfs_handle_add_file(struct mfs_handle_list *list, struct mfs_lot *lot,
                         struct memfs_file *file);
void mfs_handle_remove_file(struct mfs_handle_list *list, struct mfs_lot *lot,
                            struct memfs_file *file);
void mfs_handle_add_dir(struct mfs_handle_list *list, struct mfs_lot *lot, struct memfs_dir *dir);
void mfs_handle_remove_dir(struct mfs_handle_list *list, struct mfs_lot *lot,
                           struct memfs_dir *dir);

/* The file behind a handle that was opened for (any of) `access`.  Errors: EBADF, EISDIR. */
static inline int mfs_handle_file(const struct memfs_file *handle, uint32_t access,
                                  struct mfs_file_node **out)
{
    if (handle == NULL || handle->magic != MFS_FILE_MAGIC)
        return MEMFS_EBADF;
    struct mfs_file_node *file = mfs_node_as_file(handle->node);
    if (file == NULL)
        return MEMFS_EISDIR;
    if ((handle->flags & access) == 0)
        return MEMFS_EBADF;
    *out = file;
    return 0;
}

/* How a write is charged that goes up to `end` of `size` bytes; by the handle's reserve_use. */
static inline enum mfs_charge_from mfs_handle_charge_of_write(uint8_t reserve_use, uint64_t size,
                                                              uint64_t end)
{
    bool may = reserve_use == MEMFS_EMERGENCY_WRITING ||
               (reserve_use == MEMFS_EMERGENCY_OVERWRITING && end <= size);
    return may ? MFS_CHARGE_RESERVE : MFS_CHARGE_ORDINARY;
}

static inline enum mfs_charge_from mfs_handle_charge_from(const struct memfs_file *handle,
                                                          uint64_t size, uint64_t end)
{
    return mfs_handle_charge_of_write(
        atomic_load_explicit(&handle->reserve_use, memory_order_relaxed), size, end);
}

/* Files that are open and have no name, and the bytes that stat gives for them. */
void mfs_handle_count_orphans(struct mfs_handle_list *list, const struct mfs_nodes *nodes,
                              uint64_t *count, uint64_t *bytes);

#endif
