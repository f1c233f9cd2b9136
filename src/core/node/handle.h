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

/* The handles that some of the threads have opened. */
struct mfs_handle_list {
    struct mfs_lock lock; /* guards the lists */
    struct mfs_list files, dirs;
    _Atomic(struct memfs_file *) spare; /* a closed one, to be used again; or null */
};

/*
 * Each list lies in a cache line of its own, and a thread adds to the list of its number; so
 * threads that open and close files at the same time write no line in common, up to as many as
 * there is room for in an instance of 2 KiB.
 */
#ifdef MEMFS_NO_THREADS
enum { MFS_HANDLE_LISTS = 1, MFS_HANDLE_LIST_BYTES = sizeof(struct mfs_handle_list) };
enum { MFS_HANDLE_ROOM_BYTES = MFS_HANDLE_LIST_BYTES };
#else
enum { MFS_HANDLE_LISTS = 4, MFS_HANDLE_LIST_BYTES = MFS_READERS_LINE_BYTES };
enum { MFS_HANDLE_ROOM_BYTES = (MFS_HANDLE_LISTS + 1) * MFS_HANDLE_LIST_BYTES - 8 };
#endif

_Static_assert(sizeof(struct mfs_handle_list) <= MFS_HANDLE_LIST_BYTES, "a list fits a line");

struct mfs_handles {
    /* The lists begin at the first line in it; all zeros are empty lists. */
    uint64_t room[MFS_HANDLE_ROOM_BYTES / 8];
};

static inline struct mfs_handle_list *mfs_handle_list(struct mfs_handles *handles, unsigned index)
{
    unsigned char *room = (unsigned char *)handles->room;
    if (MFS_HANDLE_LISTS > 1)
        room += -(uintptr_t)room % MFS_HANDLE_LIST_BYTES;
    return (struct mfs_handle_list *)(void *)(room + (size_t)index * MFS_HANDLE_LIST_BYTES);
}

struct memfs_file {
    uint32_t magic;
    uint32_t flags; /* MEMFS_O_... */
    memfs *fs;
    struct mfs_node *node;
    struct mfs_link link;
    struct mfs_lock lock;        /* guards offset; before the node's lock */
    uint8_t held;                /* enum mfs_held; guarded by the node's gate */
    uint8_t is_lent : 1;         /* the memory is the caller's */
    uint8_t list : 2;            /* in which it is */
    uint8_t has_line : 1;        /* its block has room to begin the handle at a cache line */
    uint8_t lead_words : 4;      /* what lies before it in its block, in words of 8 bytes */
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
    uint8_t list;         /* in which it is */
    bool is_lent;         /* the memory is the caller's */
    bool is_privileged;   /* what is named through the stream may draw on the emergency reserve */
};

/*
 * The block that a handle lies in, and its size.  Where threads have met, a handle has a cache line
 * for itself: beside it may be names, which other threads read all the time.
 */
enum { MFS_HANDLE_LEAD_MOST = 56 };

static inline void *mfs_handle_block(struct memfs_file *file)
{
    return (unsigned char *)file - (size_t)file->lead_words * 8;
}

static inline size_t mfs_handle_block_bytes(const struct memfs_file *file)
{
    return sizeof *file + (file->has_line ? MFS_HANDLE_LEAD_MOST : 0u);
}

static inline struct memfs_file *mfs_handle_of_link(struct mfs_link *link)
{
    return MFS_LIST_ENTRY(link, struct memfs_file, link);
}

static inline struct memfs_dir *mfs_handle_dir_of_link(struct mfs_link *link)
{
    return MFS_LIST_ENTRY(link, struct memfs_dir, link);
}

void mfs_handle_add_file(struct mfs_handles *handles, struct mfs_lot *lot, struct memfs_file *file);
void mfs_handle_remove_file(struct mfs_handles *handles, struct mfs_lot *lot,
                            struct memfs_file *file);
void mfs_handle_add_dir(struct mfs_handles *handles, struct mfs_lot *lot, struct memfs_dir *dir);
void mfs_handle_remove_dir(struct mfs_handles *handles, struct mfs_lot *lot, struct memfs_dir *dir);

/* How many files, and directory streams, are open. */
void mfs_handle_count(struct mfs_handles *handles, struct mfs_lot *lot, uint64_t *files,
                      uint64_t *dirs);

/*
 * Spares: where threads have met at a lock, a handle that was closed is kept for the next file that
 * is opened, at most one in each list.  It stays charged, and is given back before a call on any
 * instance of the family is refused, and before figures are told: see mfs_fs_give_spares().
 */
struct memfs_file *mfs_handle_take_spare(struct mfs_handles *handles);
bool mfs_handle_keep_spare(struct mfs_handles *handles, struct memfs_file *file);

/* Adds the spares of all lists to `out`, to be given back when no lock is held. */
void mfs_handle_take_spares(struct mfs_handles *handles, struct mfs_list *out);

/* Gives back what was taken; true if there was one. */
bool mfs_handle_give_spares(struct mfs_list *spares, struct mfs_memory *memory);

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
void mfs_handle_count_orphans(struct mfs_handles *handles, const struct mfs_nodes *nodes,
                              uint64_t *count, uint64_t *bytes);

#endif
