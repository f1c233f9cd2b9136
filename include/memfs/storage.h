/*
 * memfs/storage.h: what builders of storage need beyond files.
 *
 * A database engine, a cache or a virtual disk that keeps its data in a memfs asks for more than
 * reading and writing: to read pages where they lie, to keep or exchange the content of a file in
 * one step, to have memory set aside before it is needed, and to go on when everything else is
 * full.  This header has that; the SQLite VFS of memfs is built on it.  A program that just wants
 * files needs memfs/memfs.h alone.
 *
 *     #include <memfs/storage.h>
 *
 *     int main(void)
 *     {
 *         memfs *fs;
 *         memfs_file *file;
 *         memfs_content_ref next;
 *         memfs_mapping page;
 *         if (memfs_create(NULL, &fs) != 0 ||
 *             memfs_open(fs, "/records", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file) != 0)
 *             return 1;
 *         memfs_pwrite(file, "old", 3, 0);
 *
 *         // A change of two steps that others see as one.
 *         memfs_content_take(file, &next);
 *         memfs_content_write(&next, "new", 3, 0);
 *         memfs_content_write(&next, "!", 1, 3);
 *         memfs_content_restore(file, &next);
 *
 *         // The result, read where it lies.
 *         if (memfs_map(file, 0, 4, &page) != 0 || memcmp(page.data, "new!", 4) != 0)
 *             return 1;
 *         memfs_unmap(&page);
 *         memfs_close(file);
 *         return memfs_destroy(fs, 0) != 0;
 *     }
 *
 * CONCEPTS
 *
 * Page       The unit of storage, of sharing and of mapping (memfs_config.page_size).  A page that
 *            several contents share is copied before one of them writes to it.  A file of less
 *            than a page may have a short block instead.
 * Mapping    A pointer to bytes inside one page, which stay readable until they are unmapped.
 * Content    The bytes and the size of a file at one moment.  A held content (memfs_content_ref)
 *            refers to the file's pages; it costs nothing until one of the two changes.
 * Preallocation
 *            Memory set aside for the growth of one file, behind its end.
 * Private hold
 *            A promise of the file system that no copy will share a file's pages while it lasts,
 *            so that overwriting the file needs no memory.
 * Emergency reserve
 *            The part of the quota that ordinary data may not fill (see memfs.h): here a handle
 *            gets leave to use it.
 * Generation A counter to be compared for equality: what was derived while it had the same value
 *            is still good.
 *
 * RULES
 *
 * The rules of memfs.h on errors, failure, threads and lifetime hold here too.  Besides:
 *
 * - The structs of this header are the caller's memory and have a fixed size.  They must stay
 *   where they are while they hold something.
 * - A held content belongs to its holder: two calls that change it must not overlap.
 * - A mapping or a held content may outlive the handle that it came from, not the file system.
 * - The bytes of a mapping must not be written, since other files may share the page.
 */
#ifndef MEMFS_STORAGE_H
#define MEMFS_STORAGE_H

#include <memfs/memfs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ----------------------------------------------------------------- mappings */

/*
 * Maps part of one page for reading, without a copy.  The bytes stay where they are, and readable,
 * until memfs_unmap(), whatever happens to the file, its handles included.  A later write to the
 * file shows in the mapping, unless the page was copied, punched or cut off in between; so does a
 * write to a copy that had shared the page and is, by then, the only file that has it.  The range
 * must lie inside the file and inside one page.  A hole gets a page first, and a short content a
 * whole one.
 *
 * Errors:   EINVAL (the range crosses a page), ENXIO (it leaves the file), EBADF, EISDIR, EDQUOT,
 *           ENOMEM.
 * Lifetime: the struct is the caller's; the file system must outlive it.
 */
typedef struct memfs_mapping {
    const void *data;
    size_t length;
    void *opaque[2];
} memfs_mapping;

MEMFS_API int memfs_map(memfs_file *file, int64_t offset, size_t length, memfs_mapping *out);

/*
 * The same, but only of a page that is there: it takes no memory.
 * Errors: EINVAL, EBADF, EISDIR as above; ENXIO also for a hole and in a short content.
 */
MEMFS_API int memfs_map_present(memfs_file *file, int64_t offset, size_t length,
                                memfs_mapping *out);
MEMFS_API int memfs_unmap(memfs_mapping *mapping); /* EBADF: it was unmapped before */

/*
 * Counts what can make a mapping out of date: a page of the file was copied to be written, cut
 * off, punched, or replaced with the whole content.  As long as the number is the one read before
 * memfs_map(), the mapping shows what a read would, so a caller can keep and reuse it.
 *
 * Never blocks.  The initial value is unspecified; compare for equality only.  A handle that is
 * not open, or is a directory's: 0.
 */
MEMFS_API uint64_t memfs_mapping_generation(memfs_file *file);

/* ----------------------------------------------------------------- contents */

/*
 * Held contents.  Taking, restoring, exchanging and dropping one allocate nothing, cannot fail for
 * want of memory, and take the time of what they free.  While a content is held, overwriting the
 * file allocates a copy of each page that is overwritten, and so does writing to the held content.
 *
 * memfs_content_take()     remembers the file's content and size.
 * memfs_content_restore()  makes them the file's again, and drops the held content.
 * memfs_content_exchange() swaps the held content and the file's, in one step for every observer.
 * memfs_content_drop()     forgets the held content.
 * memfs_content_read()     reads from it as memfs_pread() reads from a file.
 * memfs_content_map()      maps a page of it that is there, as memfs_map_present() does.  Whether
 *                          later writes to the held content show in the mapping is unspecified.
 * memfs_content_write(), memfs_content_truncate()
 *                          change it as memfs_pwrite() and memfs_ftruncate() change a file.  No
 *                          other caller sees the change before the content is restored or
 *                          exchanged, so many steps become one, or are dropped together.
 * memfs_content_allocate() makes sure that writing to the range later needs no memory, and keeps
 *                          the size.  Truncating gives back what lies behind the size.
 * memfs_content_punch()    makes the range a hole: frees its whole pages, and keeps the size.
 * memfs_content_seek()     returns the next offset with data (MEMFS_SEEK_DATA) or in a hole
 *                          (MEMFS_SEEK_HOLE), as memfs_seek() does.
 * memfs_content_compare()  finds the next range, at or after an offset, in which the bytes of two
 *                          held contents may differ: 1, and the range from `*start` to the byte
 *                          before `*end`; or 0, if from there on they are the same.  It compares
 *                          pages by reference and reads none, so it takes time for what was
 *                          changed, not for what the contents share; a page that was written
 *                          differs though the same bytes were written.  What lies behind the
 *                          smaller of the two sizes differs.
 *
 * Errors:   EBADF, EISDIR, EINVAL (the struct holds nothing; a negative offset or size; a null
 *           buffer with a length; a null result; another whence), ENXIO and EINVAL as
 *           memfs_map_present() and memfs_seek(), EXDEV (restored into another file system, or
 *           compared with a content of one that is no clone of it); writing, growing and punching:
 *           EFBIG, EDQUOT, ENOMEM.
 * Threads:  calls that only read a held content may overlap each other, not a call that changes or
 *           drops it.
 */
typedef struct memfs_content_ref {
    uint64_t size_bytes; /* of the content; read only */
    uint64_t opaque[7];
} memfs_content_ref;

MEMFS_API int memfs_content_take(memfs_file *file, memfs_content_ref *out);
MEMFS_API int memfs_content_restore(memfs_file *file, memfs_content_ref *content);
MEMFS_API int memfs_content_exchange(memfs_file *file, memfs_content_ref *content);
MEMFS_API int memfs_content_drop(memfs_content_ref *content);
MEMFS_API int64_t memfs_content_read(const memfs_content_ref *content, void *buffer, size_t length,
                                     int64_t offset);
MEMFS_API int memfs_content_map(const memfs_content_ref *content, int64_t offset, size_t length,
                                memfs_mapping *out);
MEMFS_API int64_t memfs_content_write(memfs_content_ref *content, const void *buffer, size_t length,
                                      int64_t offset);
MEMFS_API int memfs_content_truncate(memfs_content_ref *content, int64_t size);
MEMFS_API int memfs_content_allocate(memfs_content_ref *content, int64_t offset, int64_t length);
MEMFS_API int memfs_content_punch(memfs_content_ref *content, int64_t offset, int64_t length);
MEMFS_API int64_t memfs_content_seek(const memfs_content_ref *content, int64_t offset, int whence);
MEMFS_API int memfs_content_compare(const memfs_content_ref *one, const memfs_content_ref *other,
                                    int64_t offset, int64_t *start, int64_t *end);

/* ------------------------------------------------------------ preallocation */

/*
 * Sets memory aside between the file's end and `end`, so that writing there needs no memory, now
 * or later.  Truncating keeps what lies before `end`.
 *
 * The preallocation belongs to the file, not to the handle.  It lasts until another call moves it
 * (0: ends it), until the whole content is replaced, and up to the first hole that is punched or
 * was there.  What then lies behind both it and the file's end is given back.  While a held
 * content or a copy shares the file's pages, writing to those pages takes memory all the same.
 *
 * Errors:   EBADF, EISDIR, EINVAL (negative), EDQUOT, ENOMEM (growing only).
 */
MEMFS_API int memfs_preallocate(memfs_file *file, int64_t end);

/* ------------------------------------------------------------- private hold */

/*
 * Holds a file private (`on` not 0), or ends that (0).  While a handle holds a file private,
 * copies of the file (memfs_copy(), memfs_copy_tree(), memfs_snapshot_take()) get pages of their
 * own at once, charged at once, instead of sharing the file's.  So no copy that another caller
 * takes meanwhile makes overwriting allocate, which is what a rollback needs.  Closing the handle
 * ends the hold.  Contents that are taken with memfs_content_take() still share.
 *
 * Errors:   EBADF, EISDIR.
 */
MEMFS_API int memfs_hold_private(memfs_file *file, int on);

/* -------------------------------------------------------- emergency reserve */

/* What a handle may take from the emergency reserve while it writes. */
enum memfs_emergency_use {
    MEMFS_EMERGENCY_UNUSED = 0,      /* nothing: ordinary data */
    MEMFS_EMERGENCY_OVERWRITING = 1, /* for calls that end at or before the file's end: copies of
                                        pages that are shared, and pages for holes */
    MEMFS_EMERGENCY_WRITING = 2      /* for growth too; what MEMFS_O_EMERGENCY begins with */
};

/*
 * Changes what writes, truncations, allocations and preallocations through this handle may take
 * from now on, and those through contents that are taken through it from now on, until these are
 * dropped.  What was taken before stays.
 *
 * Errors:   EBADF, EISDIR, EINVAL (any other value).
 */
MEMFS_API int memfs_use_emergency_reserve(memfs_file *file, int use);

/* ------------------------------------------------- whole-file locks, in line */

/*
 * Whole-file locks (memfs_lock()) without a thread that waits.  A ticket is the caller's memory.
 *
 * memfs_lock_queue()   takes the lock if it can be had now (0), or puts the ticket in line (1).
 * memfs_lock_unqueue() takes the ticket out of line: `granted` will not be called.  Never blocks.
 *
 * `granted` is called once, when the handle has the lock: by the call of memfs that has let it go,
 * before that returns, in its thread, with no lock of memfs held.  It may call memfs, reuse or free
 * the ticket, and close the handle; but the call that it delays may be any thread's memfs_unlock()
 * or memfs_close(), so it should be short.  `context` is the caller's.
 *
 * At that moment a call that removes or replaces a name of the file, and that began before, may
 * still be at work.  memfs_lock() by the same handle and with the same kind, which succeeds at
 * once, waits for such calls.
 *
 * Tickets of one file get the lock in the order in which they were queued, before threads that wait
 * in memfs_lock(); one that upgrades a shared lock goes first.  A call of memfs_lock() that finds
 * the lock free may come before them all.
 *
 * Errors:   those of memfs_lock() but EAGAIN and ETIMEDOUT; queueing also EBUSY (the handle has a
 *           ticket in line), EINVAL (no ticket, no `granted`); taking out EBUSY (the ticket is not
 *           in line: it was granted, and `granted` was or will be called).
 * Lifetime: the ticket stays where it is, and the handle open, while the ticket is in line.  A
 *           forced memfs_destroy() forgets it.
 */
typedef struct memfs_lock_ticket {
    void (*granted)(struct memfs_lock_ticket *ticket);
    void *context;
    uint64_t opaque[5];
} memfs_lock_ticket;

MEMFS_API int memfs_lock_queue(memfs_file *file, int kind, memfs_lock_ticket *ticket);
MEMFS_API int memfs_lock_unqueue(memfs_file *file, memfs_lock_ticket *ticket);

/* -------------------------------------------------------------------- names */

/*
 * Counts the changes of names: an entry that is created, removed, renamed, exchanged or replaced,
 * anywhere in the tree.  As long as the number stays the same, every path leads where it led, so a
 * caller can cache the look-up of a path.
 *
 * Never blocks.  A change is counted before the call that makes it returns; creating or removing
 * one name adds one.  The initial value is unspecified; compare for equality only.  A null or
 * destroyed file system: 0.
 */
MEMFS_API uint64_t memfs_name_generation(memfs *fs);

/*
 * What the quota, less the reserves, still allows to be taken from the allocator, in bytes;
 * UINT64_MAX without a quota.  At most as much as memfs_statfs_info.available_bytes, which has the
 * free pages too and takes longer: some loads do here, so that a caller can look at each step
 * whether there is plenty.  Never blocks.  A null or destroyed file system: 0.
 */
MEMFS_API uint64_t memfs_uncommitted_bytes(memfs *fs);

/* ----------------------------------------------------------- charged memory */

/*
 * Memory that counts against the quota (class MEMFS_CLASS_CHARGED), zeroed, aligned for any type,
 * at a fixed address until memfs_free() gives it back.
 *
 * Errors:   EDQUOT, ENOMEM, EINVAL (size 0).
 */
MEMFS_API int memfs_charged_alloc(memfs *fs, size_t size, void **out);

/* The same for memory without which work would be stuck: the emergency reserve may be used. */
MEMFS_API int memfs_charged_alloc_emergency(memfs *fs, size_t size, void **out);

#ifdef __cplusplus
}
#endif

#endif
