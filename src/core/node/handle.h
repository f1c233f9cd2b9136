/*
 * Open files and open directories, and the lists on which a file system finds them again: to
 * refuse its end while they are open, to close them when the end is forced, and to say what
 * orphans (open files without a name) cost.
 *
 * A handle begins with a magic number, so that a closed handle can be told from an open one as
 * long as its memory has not been used again.
 */
#ifndef MFS_HANDLE_H
#define MFS_HANDLE_H

#include "base/list.h"
#include "node/filelock.h"
#include "node/node.h"

#include <memfs/storage.h>

#include <stdbool.h>

#define MFS_FILE_MAGIC 0x6d66736fu
#define MFS_DIR_MAGIC 0x6d667364u
#define MFS_CLOSED_MAGIC 0x6d667378u

/* For mfs_handle_file(): the handle may have been opened for anything. */
#define MFS_ANY_ACCESS UINT32_MAX

struct mfs_handle_list {
    struct mfs_lock lock; /* guards the lists, and of nodes `handles` and `is_counted` */
    struct mfs_list files, dirs;
};

struct memfs_file {
    uint32_t magic;
    uint32_t flags; /* MEMFS_O_... */
    memfs *fs;
    struct mfs_node *node;
    struct mfs_link link;
    struct mfs_lock lock;        /* guards offset; before the node's lock */
    uint8_t held;                /* enum mfs_held; guarded by the node's gate */
    bool is_lent;                /* the memory is the caller's */
    bool holds_private;          /* guarded by `lock` */
    _Atomic uint8_t reserve_use; /* enum memfs_emergency_use */
    uint64_t offset;
};

/*
 * A directory stream.  It ends at the entries that were there when it began, which is at the first
 * entry read from position 0.
 */
struct memfs_dir {
    uint32_t magic;
    memfs *fs;
    struct mfs_dir_node *node;
    struct mfs_link link;
    struct mfs_lock lock; /* guards position and end; after the namespace lock */
    uint64_t position;    /* the sequence number that comes next */
    uint64_t end;         /* the last sequence number; 0: the stream has not begun */
    bool is_lent;         /* the memory is the caller's */
    bool is_privileged;   /* what is named through the stream may draw on the emergency reserve */
};

static inline struct memfs_file *mfs_handle_of_link(struct mfs_link *link)
{
    return MFS_LIST_ENTRY(link, struct memfs_file, link);
}

static inline struct memfs_dir *mfs_handle_dir_of_link(struct mfs_link *link)
{
    return MFS_LIST_ENTRY(link, struct memfs_dir, link);
}

void mfs_handle_add_file(struct mfs_handle_list *list, struct mfs_lot *lot, struct memfs_file *file)
    MFS_EXCLUDES(list->lock);
void mfs_handle_remove_file(struct mfs_handle_list *list, struct mfs_lot *lot,
                            struct memfs_file *file) MFS_EXCLUDES(list->lock);
void mfs_handle_add_dir(struct mfs_handle_list *list, struct mfs_lot *lot, struct memfs_dir *dir)
    MFS_EXCLUDES(list->lock);
void mfs_handle_remove_dir(struct mfs_handle_list *list, struct mfs_lot *lot, struct memfs_dir *dir)
    MFS_EXCLUDES(list->lock);

/* The file behind a handle that was opened for (any of) `access`.  Errors: EBADF, EISDIR. */
static inline int mfs_handle_file(const struct memfs_file *handle, uint32_t access,
                                  struct mfs_file_node **out)
{
    if (handle == NULL || !mfs_sync_is_marked(handle->magic, MFS_FILE_MAGIC))
        return MEMFS_EBADF;
    struct mfs_file_node *file = mfs_node_as_file(handle->node);
    if (file == NULL)
        return MEMFS_EISDIR;
    if ((handle->flags & access) == 0)
        return MEMFS_EBADF;
    *out = file;
    return 0;
}

/* How a write up to `end` of a file of `size` bytes is charged, by the handle's `reserve_use`. */
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

/*
 * The next entry of a directory stream, which then goes on behind it; null at the end.  `newest`
 * is the highest sequence number given so far.  The caller also holds the namespace lock, shared.
 */
const struct mfs_dirent *mfs_handle_next_entry(struct memfs_dir *dir, uint64_t newest)
    MFS_REQUIRES(dir->lock);

/* The number of files that are open and have no name, and the bytes that stat gives for them. */
void mfs_handle_count_orphans(struct mfs_handle_list *list, const struct mfs_nodes *nodes,
                              uint64_t *count, uint64_t *bytes) MFS_EXCLUDES(list->lock);

#endif
