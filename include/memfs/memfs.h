/*
 * memfs: a file system inside one process, in memory that has a hard limit.
 *
 * A `memfs` is a tree of files, directories and symbolic links with POSIX semantics.  Everything
 * that it holds (data, page tables, nodes, names, handles) counts against one quota, at the
 * allocator's real cost, and the quota is never exceeded, not even for an instant.  Any number of
 * instances live side by side; they share no state.  include/README.md lists all functions by task.
 *
 *     #include <memfs/memfs.h>
 *     #include <stdio.h>
 *
 *     int main(void)
 *     {
 *         memfs *fs;
 *         void *text;
 *         size_t size;
 *         memfs_config config = memfs_config_default();
 *         config.quota_bytes = 16u << 20;
 *         if (memfs_create(&config, &fs) != 0)
 *             return 1;
 *         memfs_write_file(fs, "/notes/today", "hello", 5, 0644, MEMFS_WRITE_MAKE_PARENTS);
 *         memfs_copy(fs, "/notes/today", "/copy", 0); // shares the pages of the original
 *         if (memfs_read_file(fs, "/copy", 1u << 20, &text, &size) != 0)
 *             return 1;
 *         printf("%.*s\n", (int)size, (const char *)text);
 *         memfs_free(fs, text);
 *         return memfs_destroy(fs, 0) != 0;
 *     }
 *
 * CONCEPTS
 *
 * Node       A file, directory or symbolic link; it has a number and may have several names
 *            (links).
 * Handle     An open file description (`memfs_file`): a node, flags and an offset.  A node without
 *            names lives, charged, until its last handle closes; it is then called an orphan.
 * Page       The unit of storage and sharing, 4096 bytes unless configured.  Copies share pages
 *            until one side writes to them (copy-on-write).  A page that was never written is a
 *            hole: it reads as zeros and costs nothing.
 * Quota      The limit on the bytes that the instance holds from its allocator.  "Committed" is
 *            what it holds now; "used" is the part of it that lives in objects (the rest are free
 *            pages in slabs, ready for use).
 * Emergency reserve
 *            The last part of the quota, which ordinary data may not fill.  Files that are opened
 *            with MEMFS_O_EMERGENCY may: journals, for instance, without which nothing could be
 *            deleted from a database once everything else is full.
 * Looking reserve
 *            The very last part of the quota: a 32nd of it, 64 KiB at most, which only the memory
 *            of handles, directory streams, walks and lists may fill, where there is no other room.
 *            So a full tree can be looked at (and emptied: freeing needs nothing); see "Looking".
 *            It is a limit, not memory: an empty instance takes nothing for it.
 * Snapshot   The whole tree at one instant, kept in the instance under a name.
 *
 * What builders of storage need (mappings, held contents, preallocation ...) is in
 * memfs/storage.h.
 *
 * RULES FOR EVERY FUNCTION
 *
 * Errors     A function returns 0 or a count on success, and a negative MEMFS_E... code otherwise.
 *            The codes are Linux's errno numbers, negated.  A null or closed handle is
 *            MEMFS_EBADF.  Any other null pointer where none is allowed, an unknown flag, a length
 *            above INT64_MAX or an absurd value is MEMFS_EINVAL (or what the function's comment
 *            says).  A function that may need memory can return three refusals:
 *            MEMFS_EDQUOT: the quota does not allow it.  MEMFS_ENOSPC: the node limit does not
 *            allow it.  MEMFS_ENOMEM: the allocator returned null.
 * Failure    A call that fails has changed nothing: no byte, no size, no time stamp, no name.  Out
 *            parameters are written on success only.  Writes are all or nothing; there are no
 *            short writes.
 * Freeing    Unlink, rmdir, truncating down, close and unlock never allocate and cannot fail for
 *            want of memory.  Overwriting bytes that only this file owns never allocates.
 * Looking    Never fails for want of quota: reading, opening what exists, listing, walking, asking.
 *            - Nothing is needed by memfs_stat() and its like, memfs_statfs(), memfs_tree_usage(),
 *              memfs_read_file_into(), reading by a handle or a stream, what works in lent memory
 *              (memfs_open_options.storage, memfs_dir_storage, memfs_walker_storage), and
 *              memfs_walk() as far as memfs_walker_storage would go.
 *            - Where nothing else is left, the looking reserve (memfs_statfs_info) pays for
 *              handles, streams, walkers and lists, until they are closed or freed: some 100 bytes
 *              for a handle or stream; 900 for a walker, and 20 for each level of depth from the
 *              15th on; 400 for a list, and 15 for each name beside its bytes.  What the reserve
 *              cannot hold is MEMFS_EDQUOT: hundreds of handles at once, or a list of thousands of
 *              names, where a stream or a walk serves instead.  From a quota of 2 MiB on, one walk
 *              reaches the bottom of every tree that a path can name.
 *            - If the quota is set to less than what is in use and the reserve, only what is left
 *              between the two is there for looking.
 *            - A rename within one directory to a name that is no longer needs nothing either.
 * Threads    Any function may be called from any thread at any time, except that a handle must not
 *            be used while or after it is closed, nor the instance while or after it is destroyed.
 *            No function may be called from a signal handler: it could wait for a lock that the
 *            interrupted code holds.  No function is a cancellation point (pthread_cancel()),
 *            unless a hook of the caller is one; asynchronous cancellation is not allowed.
 * Fork       In the child of fork() an instance counts as destroyed, and what belongs to it as
 *            closed: MEMFS_EINVAL and MEMFS_EBADF, whatever other threads were doing; its memory
 *            stays until the child ends.  Mappings can still be read.  The child can create
 *            instances of its own.  An instance with MEMFS_CREATE_SINGLE_THREADED stays usable, as
 *            a copy: for its promise, fork() counts as a call.  The parent notices nothing.
 * Blocking   Only memfs_lock() and opening with a lock flag and a timeout wait for another caller
 *            to do something; they hold no lock meanwhile.  Every other call waits at most for
 *            calls that are under way in other threads, on the same file or on the names of the
 *            tree, and these end by themselves.  The functions that "never block" wait for
 *            nothing.
 * Hooks      The allocator, clock, lock and log hooks are called while locks of memfs are held.
 *            They must not call memfs, and must not wait for anything that a caller of memfs may
 *            hold.  The refusal callback and the callback of a walk are called with no lock held,
 *            and may call memfs.
 * Lifetime   Strings and buffers that are passed in are not kept after the call.
 * Paths      Bytes, '/' between components, names up to MEMFS_NAME_MAX, paths up to MEMFS_PATH_MAX
 *            bytes.  There is no working directory: a path without a leading '/' starts at the
 *            root, or, in the `...at` functions, at the given directory stream (null: the root).
 *            "." and ".." are resolved; ".." of the root is the root.  The empty path is
 *            MEMFS_ENOENT.  Every function that takes a path can return, beyond what it lists:
 *            ENOENT, ENOTDIR (a component is no directory), ELOOP, ENAMETOOLONG; an `...at`
 *            function also EBADF and EXDEV (the stream is closed, or another file system's).
 * Times      Nanoseconds since 1970-01-01 UTC, from the clock hook.
 * Timeouts   Milliseconds.  0 does not wait; a negative one (MEMFS_WAIT_FOREVER) has no end.
 * Structs    A struct that begins with `struct_size` may grow in later versions.  The caller sets
 *            struct_size to sizeof the struct, so that programs and libraries of different
 *            versions work together:
 *            - a smaller struct, of an older program, is accepted: its missing fields have their
 *              defaults, and of what a function fills in, only what fits is written;
 *            - a larger one, of a newer program, is accepted if everything in it that this library
 *              does not know is zero, and is MEMFS_E2BIG otherwise; in a struct that a function
 *              fills in, the rest is set to zero;
 *            - a struct_size that is too small for the fields that a function needs (0, for
 *              instance) is MEMFS_EINVAL, one above MEMFS_STRUCT_SIZE_MAX is MEMFS_E2BIG.
 *            Structs without struct_size keep their size in all versions.
 *
 * WAYS TO HURT YOURSELF
 *
 * - Closing a handle that another thread is still using.
 * - Keeping a handle or a directory stream past memfs_destroy().
 * - Lending memory to a handle (memfs_open_options.storage) and reusing it before memfs_close().
 * - Forgetting to set struct_size.
 */
#ifndef MEMFS_MEMFS_H
#define MEMFS_MEMFS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * On Windows a function of a shared library is declared otherwise where the library is built than
 * where it is used, and otherwise again in a static library: programs that link memfs statically
 * define MEMFS_STATIC (CMake and pkg-config do so for them).  MEMFS_BUILDING is for memfs alone.
 * The headers of optional parts have a macro of their own, since each part is a library.
 */
#if defined(_WIN32) && !defined(MEMFS_STATIC)
#define MEMFS_EXPORT __declspec(dllexport)
#define MEMFS_IMPORT __declspec(dllimport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define MEMFS_EXPORT __attribute__((visibility("default")))
#define MEMFS_IMPORT MEMFS_EXPORT
#else
#define MEMFS_EXPORT
#define MEMFS_IMPORT
#endif
#ifdef MEMFS_BUILDING
#define MEMFS_API MEMFS_EXPORT
#else
#define MEMFS_API MEMFS_IMPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ version */

#define MEMFS_VERSION_MAJOR 0
#define MEMFS_VERSION_MINOR 1
#define MEMFS_VERSION_PATCH 0
#define MEMFS_VERSION "0.1.0"

/* The version of the library that is linked, as MEMFS_VERSION. */
MEMFS_API const char *memfs_version(void);

/* ------------------------------------------------------------------- limits */

#define MEMFS_NAME_MAX 255u
#define MEMFS_PATH_MAX 4096u
#define MEMFS_SYMLINK_DEPTH_MAX 40u
#define MEMFS_IOV_MAX 1024u
#define MEMFS_FILE_SIZE_MAX INT64_MAX
#define MEMFS_LINK_MAX 65535u /* names of one file; directories within one directory, plus two */
#define MEMFS_PAGE_SIZE_MIN 256u
#define MEMFS_PAGE_SIZE_MAX 65536u
#define MEMFS_PAGE_SIZE_DEFAULT 4096u
#define MEMFS_UNLIMITED 0u /* as a quota or a node limit: none */
#define MEMFS_QUOTA_DEFAULT ((uint64_t)256 << 20)
#define MEMFS_STRUCT_SIZE_MAX 4096u

/* ------------------------------------------------------------------- errors */

/* X(name, Linux errno, text): the one table of errors. */
#define MEMFS_ERRORS(X) \
    X(EPERM, 1, "operation not permitted") \
    X(ENOENT, 2, "no such file or directory") \
    X(EIO, 5, "internal inconsistency") \
    X(ENXIO, 6, "no data or hole at or after this offset") \
    X(E2BIG, 7, "struct uses fields that this version does not know") \
    X(EBADF, 9, "handle is closed or was not opened for this") \
    X(EAGAIN, 11, "lock is held by another handle") \
    X(ENOMEM, 12, "the allocator refused memory") \
    X(EBUSY, 16, "in use") \
    X(EEXIST, 17, "name exists") \
    X(EXDEV, 18, "belongs to another file system") \
    X(ENOTDIR, 20, "not a directory") \
    X(EISDIR, 21, "is a directory") \
    X(EINVAL, 22, "invalid argument") \
    X(EFBIG, 27, "file too large") \
    X(ENOSPC, 28, "node limit reached") \
    X(EMLINK, 31, "too many links") \
    X(ERANGE, 34, "result does not fit") \
    X(EDEADLK, 35, "lock upgrade would deadlock") \
    X(ENAMETOOLONG, 36, "name or path too long") \
    X(ENOTEMPTY, 39, "directory not empty") \
    X(ELOOP, 40, "too many symbolic links") \
    X(EOVERFLOW, 75, "value too large") \
    X(EILSEQ, 84, "not a character of the encoding") \
    X(EOPNOTSUPP, 95, "operation not supported") \
    X(ETIMEDOUT, 110, "timed out waiting for a lock") \
    X(EDQUOT, 122, "quota exceeded") \
    X(ECANCELED, 125, "canceled")

enum memfs_error {
    MEMFS_OK = 0,
#define MEMFS_ERROR_ENUMERATOR(name, number, text) MEMFS_##name = -(number),
    MEMFS_ERRORS(MEMFS_ERROR_ENUMERATOR)
#undef MEMFS_ERROR_ENUMERATOR
        MEMFS_ERROR_END_ = -4096 /* no error: makes the enum's type wide enough for the codes of
                                    later versions */
};

/* "MEMFS_ENOENT" for MEMFS_ENOENT, "MEMFS_OK" for 0, "MEMFS_E?" for what is no code. */
MEMFS_API const char *memfs_error_name(int error);

/* A short English sentence fragment for the code; never null. */
MEMFS_API const char *memfs_error_text(int error);

/* ------------------------------------------------------------ configuration */

typedef struct memfs memfs;
typedef struct memfs_file memfs_file;
typedef struct memfs_dir memfs_dir;

/*
 * The caller's allocator.  `take` returns memory aligned for any type, or null.  `give` gets the
 * size that was asked for.  `cost` says what a request of `bytes` really takes from the allocator,
 * its own headers and rounding included; null means `bytes`.  It must be a pure function, return at
 * least `bytes`, and not decrease as `bytes` grows.  See "Hooks" above.
 */
typedef struct memfs_allocator {
    size_t struct_size; /* sizeof(memfs_allocator) */
    void *context;
    void *(*take)(void *context, size_t bytes);
    void (*give)(void *context, void *memory, size_t bytes);
    size_t (*cost)(void *context, size_t bytes);
} memfs_allocator;

/*
 * The caller's mutexes and condition variables, for platforms without POSIX threads.  All of them
 * must be there.  The create functions are called by memfs_create() only; where one returns null,
 * memfs_create() fails with MEMFS_ENOMEM.  `condition_wait` waits at most `timeout_ms` milliseconds
 * (negative: without end) and may return early.
 */
typedef struct memfs_lock_hooks {
    size_t struct_size; /* sizeof(memfs_lock_hooks) */
    void *context;
    void *(*mutex_create)(void *context);
    void (*mutex_destroy)(void *context, void *mutex);
    void (*mutex_lock)(void *context, void *mutex);
    void (*mutex_unlock)(void *context, void *mutex);
    void *(*condition_create)(void *context);
    void (*condition_destroy)(void *context, void *condition);
    void (*condition_wait)(void *context, void *condition, void *mutex, int64_t timeout_ms);
    void (*condition_broadcast)(void *context, void *condition);
} memfs_lock_hooks;

/* memfs_guard.when */
#define MEMFS_GUARD_AT_CREATION 0x1u   /* is the quota more than there is? */
#define MEMFS_GUARD_BEFORE_GROWTH 0x2u /* is what is about to be taken more than there is? */

enum memfs_guard_action {
    MEMFS_GUARD_REFUSE = 0, /* MEMFS_ENOMEM, before anything is taken */
    MEMFS_GUARD_WARN = 1    /* a warning through the log hook, once in an interval, and go on */
};

/*
 * The memory guard.  A quota bounds what the file system holds, but says nothing about what there
 * is: where the system lends more memory than it has, a process that takes too much is killed and
 * not refused.  The guard compares with what this process can really have, and acts before.
 *
 * On Linux that is the least of MemAvailable in /proc/meminfo and what is left of the limits of the
 * process's control group and all groups above it, v2 and v1, without the cache of files that would
 * be dropped.  On other systems, or for another rule, set `probe`, which stores the number of bytes
 * that may still be taken and returns 0, or anything else if it does not know; then nothing is
 * refused.  It is a hook that is called with locks held; see "Hooks" above.
 *
 * Looking takes some ten system calls, so a figure is good for an interval, in which what the file
 * system takes is subtracted.  Memory is taken from the allocator in slabs, so most writes do not
 * come to it; a growth within the interval costs a reading of the clock hook.
 */
typedef struct memfs_guard {
    size_t struct_size;      /* sizeof(memfs_guard) */
    uint32_t when;           /* MEMFS_GUARD_...; 0: never */
    uint32_t action;         /* enum memfs_guard_action */
    uint64_t headroom_bytes; /* to be left for others; 0: none */
    int64_t interval_ms;     /* how long a figure is good; 0: 100 */
    void *context;
    int (*probe)(void *context, uint64_t *available_bytes); /* null: the system's figures */
} memfs_guard;

enum memfs_log_level { MEMFS_LOG_INFO = 0, MEMFS_LOG_WARNING = 1, MEMFS_LOG_ERROR = 2 };

enum memfs_atime_policy {
    MEMFS_ATIME_RELATIVE = 0, /* if not newer than the last change, or a day old */
    MEMFS_ATIME_OFF = 1,
    MEMFS_ATIME_STRICT = 2 /* at every read */
};

/*
 * Why a call was refused.  The figures are bytes, or nodes for MEMFS_ENOSPC, and are those of the
 * call: of all that it needed up to the step that was refused, which for a write is all of it.
 * Where a limit was in the way, wanted > available, and `limit` - `available` is what the call
 * could not have: what is in use, and what is reserved for others.
 *
 *     "limit %llu, used %llu, requested %llu": limit, limit - available, wanted
 */
typedef struct memfs_refusal {
    size_t struct_size; /* set by the caller of memfs_last_refusal(): sizeof(memfs_refusal) */
    int error;          /* MEMFS_EDQUOT, _ENOSPC or _ENOMEM; 0: nothing was refused so far */
    uint64_t wanted;    /* by the call; the cost of slabs and page tables counts */
    uint64_t available; /* to the call, when it began */
    uint64_t limit;     /* the quota, or for MEMFS_ENOSPC the node limit; 0: none is set */
} memfs_refusal;

#define MEMFS_REFUSED_FAIL 0  /* the call fails */
#define MEMFS_REFUSED_RETRY 1 /* it is run again, if there is more room than before */

/*
 * The refusal callback.  The quota or the node limit has refused a call; the callback is called
 * from that call, in its thread, before it returns.  It runs last: no lock is held and nothing is
 * half done.  The callback may raise the limit (memfs_set_quota() ...) or remove something, and
 * return MEMFS_REFUSED_RETRY; the call is then run again from its beginning, as if it came later.
 * If it is refused again, the callback is called again.  MEMFS_REFUSED_RETRY counts as
 * MEMFS_REFUSED_FAIL if there is no more room under the limit than before the callback, whichever
 * thread made the room, so there is no endless loop.  `refusal` describes the call, and is good
 * until the callback returns.
 *
 * The callback may call every function but memfs_destroy(), and must not close or drop what the
 * refused call works with (its handle, stream or held content).  The calls that it makes can be
 * refused as well, and then call it again; where 32 calls of it are under way, further refusals
 * fail at once.  Several threads may run it at the same time.
 */
typedef int (*memfs_refused_callback)(void *context, memfs *fs, const memfs_refusal *refusal);

/* `level` is one of enum memfs_log_level; `message` is good until the callback returns. */
typedef void (*memfs_log_callback)(void *context, int level, const char *message);

/* memfs_config.flags */
#define MEMFS_CREATE_SINGLE_THREADED 0x1u /* the caller promises that no two calls overlap */
/* All but pages of data comes straight from the allocator, one by one: for memory debuggers, and
 * for tests that refuse memory. */
#define MEMFS_CREATE_UNPOOLED 0x2u

/*
 * How to create a file system.  Zero means the default in every field but `quota_bytes`, where zero
 * (MEMFS_UNLIMITED) means no limit; memfs_config_default() fills in MEMFS_QUOTA_DEFAULT.
 */
typedef struct memfs_config {
    size_t struct_size;   /* sizeof(memfs_config) */
    uint32_t flags;       /* MEMFS_CREATE_... */
    uint32_t page_size;   /* bytes; a power of two, MEMFS_PAGE_SIZE_MIN .. _MAX */
    uint64_t quota_bytes; /* MEMFS_UNLIMITED (0), or the limit */
    uint64_t node_limit;  /* files, directories and symlinks, the root included; 0: unlimited */
    uint64_t emergency_reserve_bytes; /* of the quota, closed to ordinary data; 0: none */
    void *arena; /* if not null, all memory comes from here and the heap is never called; the
                    limit is then the smaller of the quota and what the arena can hold */
    size_t arena_bytes;
    const memfs_allocator *allocator; /* copied; null: malloc and free */
    const memfs_lock_hooks *locks;    /* copied; null: POSIX threads */
    void *clock_context;
    int64_t (*clock)(void *clock_context); /* nanoseconds; null: the system's clock */
    void *log_context;
    memfs_log_callback log; /* null: silent */
    void *refused_context;
    memfs_refused_callback refused; /* null: what a limit refuses fails */
    uint32_t atime_policy;          /* enum memfs_atime_policy */
    uint32_t root_mode;             /* permission bits of "/"; 0: 0755 */
    uint32_t uid, gid;              /* owner of "/" and of what is created */
    const memfs_guard *guard;       /* copied; null: none */
} memfs_config;

/*
 * Fills in the default configuration, as memfs_config_default() does: for bindings to other
 * languages, which cannot call an inline function.  `struct_size` is the size of the caller's
 * struct.  Errors: EINVAL, E2BIG (see "Structs").
 */
MEMFS_API int memfs_config_init(memfs_config *config, size_t struct_size);

static inline memfs_config memfs_config_default(void)
{
    memfs_config config;
    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    config.quota_bytes = MEMFS_QUOTA_DEFAULT;
    return config;
}

/* ----------------------------------------------------------------- instance */

/*
 * Creates a file system with an empty root directory.  A null `config` means
 * memfs_config_default().  The instance itself is charged.
 *
 * Errors:   EINVAL (a field is absurd: an unknown flag, a page size that is no power of two in
 *           range, hooks that are not whole, an arena beside an allocator or a guard, a
 *           struct_size that is too small), E2BIG, EDQUOT (the quota or the arena cannot hold an
 *           empty tree), ENOMEM (the guard's refusal too),
 *           EOPNOTSUPP (lock hooks in a build without threads; neither an arena nor an allocator in
 *           a build for arenas only; a guard without a probe where the system cannot be asked).
 */
MEMFS_API int memfs_create(const memfs_config *config, memfs **out);

/*
 * Creates an instance with a copy of the whole tree, as memfs_snapshot_restore() would put back a
 * snapshot of this instant: contents and holes, links, attributes, all times, the order of listing.
 * It takes the time and memory of the entries, whatever the sizes, since files share their pages.
 * Snapshots, handles, locks and files without names stay with the original.
 *
 * From then on the two are separate trees, for separate threads, that draw on one memory: quota,
 * emergency reserve and allocator are common, so that changing them in one changes them for all,
 * and memfs_statfs() says for each what all of them hold.  The node limit, the callbacks, the
 * clock, the owner and the access-time policy are the original's when it is cloned, and then the
 * clone's own.
 * A clone can be cloned.  For tests that run in parallel, each on a state that was built once.
 *
 * Errors:   EINVAL, EDQUOT, ENOSPC (more nodes than the limit), ENOMEM.
 * Quota:    nodes and names, 1 KiB for the instance; of files that are held private
 *           (memfs_hold_private()), their pages too.
 * Threads:  as memfs_snapshot_take().
 * Lifetime: until memfs_destroy(), which has to come before that of the first instance of all.
 */
MEMFS_API int memfs_clone_instance(memfs *fs, memfs **out);

#define MEMFS_DESTROY_FORCE 0x1u /* close what is open first */

/*
 * Frees the file system and everything in it.  With handles, directory streams, walkers, lists,
 * mappings, held contents, charged memory or clones outstanding it refuses with EBUSY, unless
 * forced: then they are all invalid afterwards (storage that was lent to handles, and the structs
 * of mappings and held contents, may simply be forgotten).  A null `fs`: nothing happens.
 *
 * Errors:   EBUSY, EINVAL.
 * Threads:  no other call on this instance may be under way, nor on a clone that it ends by force.
 */
MEMFS_API int memfs_destroy(memfs *fs, unsigned flags);

/*
 * Changes the quota (0: unlimited), and with it the looking reserve.  With an arena, the smaller of
 * the quota and what the arena can hold is in force; memfs_statfs() tells which.
 * Errors: EBUSY (more than this is committed).
 */
MEMFS_API int memfs_set_quota(memfs *fs, uint64_t quota_bytes);

/*
 * Changes the emergency reserve (0: none).  It may be of any size: what is in use stays, and
 * ordinary data is refused until less than the quota without the reserve is in use.  A change of
 * the quota leaves it as it is; without a quota it has no effect.
 */
MEMFS_API int memfs_set_emergency_reserve(memfs *fs, uint64_t emergency_reserve_bytes);

/* Changes the node limit (0: unlimited).  Errors: EBUSY (more nodes exist). */
MEMFS_API int memfs_set_node_limit(memfs *fs, uint64_t node_limit);

/*
 * Changes the refusal callback (null: none).  Calls of the old one that are under way, in other
 * threads, go on.
 */
MEMFS_API int memfs_set_refused(memfs *fs, memfs_refused_callback callback, void *context);

/* Changes the log hook (null: silent); otherwise as memfs_set_refused(). */
MEMFS_API int memfs_set_log(memfs *fs, memfs_log_callback callback, void *context);

/* Changes when reading sets access times, from the next read on.  Errors: EINVAL (no policy). */
MEMFS_API int memfs_set_atime_policy(memfs *fs, uint32_t policy);

/* What memory is used for. */
enum memfs_class {
    MEMFS_CLASS_DATA = 0,      /* pages and short contents of files */
    MEMFS_CLASS_TABLES = 1,    /* page tables */
    MEMFS_CLASS_NODES = 2,     /* nodes, symlink targets, the instance itself */
    MEMFS_CLASS_NAMES = 3,     /* directory entries and indexes */
    MEMFS_CLASS_HANDLES = 4,   /* open files and directories, lists, walks */
    MEMFS_CLASS_CHARGED = 5,   /* memory that memfs_charged_alloc() handed out */
    MEMFS_CLASS_SNAPSHOTS = 6, /* nodes and names of snapshots */
    MEMFS_CLASS_COUNT = 7
};

/* Places for classes in memfs_statfs_info, so that new classes do not move what follows. */
#define MEMFS_CLASS_SLOTS 16

/*
 * What is sure to fit.  `available_bytes` counts whole pages that ordinary data can have: free
 * ones, and those of slabs for which the quota, less the two reserves, leaves room, after the cost
 * of the slabs.  Each of
 * the available_bytes / page_size pages can become
 *
 *  - a page of data (a page table takes 8 bytes a page beside, see below), or
 *  - objects that are smaller: nodes, names, page tables, beginnings of files up to half a page,
 *    handles, charged memory.  An object of b bytes takes c = b + 8 bytes, rounded up to a multiple
 *    of 8, 24 at least; from 512 on it may be an eighth more.  A page holds at least
 *    (page_size - 8) / c of them, and one that takes no more than page_size - 8.
 *
 * Any mixture that needs no more pages than that fits, in whatever order, whatever was deleted
 * before and in whatever pattern.  More may fit, since pages that are partly in use do not count.
 * An empty file with a name of 8 bytes takes at most 224 bytes, its directory included; charged
 * memory takes 40 bytes beside what was asked for.
 *
 * What takes more than a page in one piece needs adjacent pages: charged memory and the results of
 * memfs_read_file() above page_size - 56 bytes, names and targets of symlinks that do not fit into
 * a page.  It is sure to fit while quota_bytes, less the two reserves and committed_bytes, exceeds
 * its size by two pages and 12 KiB; otherwise only if as many free pages lie side by side.  (With
 * MEMFS_CREATE_UNPOOLED, `available_bytes` speaks of pages of data alone.)
 *
 * `looking_reserve_bytes` is a 32nd of the quota; at least 2 KiB, or an eighth of a quota below 16
 * KiB; at most 64 KiB; 0 without a quota.
 */
typedef struct memfs_statfs_info {
    size_t struct_size;                      /* set by the caller: sizeof(memfs_statfs_info) */
    uint64_t quota_bytes;                    /* 0: unlimited */
    uint64_t committed_bytes;                /* held from the allocator, at its real cost */
    uint64_t used_bytes;                     /* of these, in live objects */
    uint64_t available_bytes;                /* sure to fit, see above; UINT64_MAX if unlimited */
    uint64_t peak_bytes;                     /* the most ever committed */
    uint64_t class_bytes[MEMFS_CLASS_SLOTS]; /* used_bytes, divided, by enum memfs_class */
    uint64_t preallocated_bytes;      /* set aside behind the ends of files: memfs_preallocate() */
    uint64_t emergency_reserve_bytes; /* of the quota, closed to ordinary data */
    uint64_t emergency_reserve_left_bytes; /* of these, what could be taken now */
    uint64_t orphan_bytes; /* data of nodes that have no name but are open, as stat counts it */
    uint64_t orphans;      /* their number */
    uint64_t files, directories, symlinks; /* nodes by kind, the root and orphans included */
    uint64_t node_limit;                   /* 0: unlimited */
    uint64_t pages_used, pages_free;       /* pages of data, and free pages in slabs */
    uint64_t open_files, open_directories;
    uint64_t quota_refusals, node_refusals, allocator_refusals;
    uint32_t page_size;
    uint32_t name_max, path_max;
    uint32_t class_count;           /* of the slots in class_bytes, how many have a class */
    uint64_t looking_reserve_bytes; /* of the quota, for looking at what is there */
} memfs_statfs_info;

/* Fills `info`.  The figures are read one after another while others work. */
MEMFS_API int memfs_statfs(memfs *fs, memfs_statfs_info *info);

/*
 * What a memory guard without a probe compares with: the bytes that this process could still have
 * from the system, see memfs_guard.  To choose a quota by, for instance.
 * Errors: EINVAL, EOPNOTSUPP (the system cannot be asked).
 */
MEMFS_API int memfs_system_memory(uint64_t *available_bytes);

/*
 * The last call in this thread that the file system has refused.  A thread remembers it for each of
 * the four file systems that refused it last; for others `error` is 0, as if nothing was refused.
 * What the refusal callback was refused while it ran does not count, if the call then failed.
 */
MEMFS_API int memfs_last_refusal(memfs *fs, memfs_refusal *out);

/*
 * Recounts from the structures themselves and compares: the ledger, nodes by kind, links of
 * directories, references of page tables and pages, preallocations.  For tests.
 *
 * Errors:   EIO (a count is wrong; the log hook is told which).
 * Threads:  no other call may be under way.
 */
MEMFS_API int memfs_audit(memfs *fs);

/* -------------------------------------------------------------------- files */

#define MEMFS_WAIT_FOREVER (-1) /* as a timeout: without end */

/* Access: one of three.  Flags that are 0 as a whole mean MEMFS_O_READ. */
#define MEMFS_O_READ 0x1u
#define MEMFS_O_WRITE 0x2u
#define MEMFS_O_RDWR 0x3u
/* And any of: */
#define MEMFS_O_CREATE 0x10u       /* make the file if the name is free */
#define MEMFS_O_EXCLUSIVE 0x20u    /* with CREATE: EEXIST if the name exists, even as a symlink */
#define MEMFS_O_TRUNCATE 0x40u     /* to size 0; also on a read-only open, as on Linux */
#define MEMFS_O_APPEND 0x80u       /* each write goes to the end, in one step; implies WRITE */
#define MEMFS_O_DIRECTORY 0x100u   /* ENOTDIR for anything else; a directory opens read-only */
#define MEMFS_O_NOFOLLOW 0x200u    /* ELOOP if the last component is a symlink */
#define MEMFS_O_TMPFILE 0x400u     /* `path` is a directory: an unnamed file; memfs_link_file() */
#define MEMFS_O_SHARED_LOCK 0x800u /* take the whole-file lock, shared */
#define MEMFS_O_EXCLUSIVE_LOCK 0x1000u /* take the whole-file lock, exclusive */
#define MEMFS_O_NOATIME 0x2000u        /* reads leave the access time alone */
#define MEMFS_O_MAKE_PARENTS 0x4000u   /* with CREATE: make missing parent directories, 0755 */
#define MEMFS_O_EMERGENCY \
    0x8000u /* the emergency reserve may pay for the handle, for the node
                                         and name that are created, and for what is written */

/* Memory for one handle, which the caller lends. */
typedef struct memfs_file_storage {
    uint64_t opaque[16];
} memfs_file_storage;

typedef struct memfs_open_options {
    size_t struct_size;          /* sizeof(memfs_open_options) */
    uint32_t flags;              /* MEMFS_O_...; 0 means MEMFS_O_READ */
    uint32_t mode;               /* permission bits of a file that is created */
    int64_t lock_timeout_ms;     /* for the lock flags; 0: do not wait; or MEMFS_WAIT_FOREVER */
    memfs_dir *at;               /* where a relative path starts; null: the root */
    memfs_file_storage *storage; /* if not null, the handle lives here and opening an
                                    existing file allocates nothing */
} memfs_open_options;

/*
 * Opens a file.  `mode` gives the permission bits of a file that is created.
 *
 * Errors:   EEXIST, EISDIR (a directory opened for writing), ELOOP (NOFOLLOW), EAGAIN and ETIMEDOUT
 *           (the lock), EDQUOT, ENOSPC, ENOMEM, EBUSY (TRUNCATE while another handle holds the file
 *           locked), EINVAL (no access mode, EXCLUSIVE without CREATE or TMPFILE, both locks,
 *           TMPFILE without WRITE, MAKE_PARENTS without CREATE, CREATE with DIRECTORY or TMPFILE).
 * Failure:  nothing has changed; no file was created.
 * Blocking: with a lock flag, until the lock is free or the timeout ends.
 * Lifetime: until memfs_close().
 * Source:   POSIX.1-2017 open(); TMPFILE and TRUNCATE with READ as on Linux.
 */
MEMFS_API int memfs_open(memfs *fs, const char *path, uint32_t flags, uint32_t mode,
                         memfs_file **out);
MEMFS_API int memfs_openat(memfs *fs, memfs_dir *at, const char *path, uint32_t flags,
                           uint32_t mode, memfs_file **out);
MEMFS_API int memfs_open_with(memfs *fs, const char *path, const memfs_open_options *options,
                              memfs_file **out);

/*
 * Opens by an fopen() mode: 'r', 'w', 'a' or 'x' first ('x': create, fail if it
 * exists, write), then any of '+', 'b', 't', 'e' and, after 'w', 'x', each at
 * most once.  Created files get 0666.  Errors: EINVAL (any other string), and
 * those of memfs_open().
 */
MEMFS_API int memfs_open_mode(memfs *fs, const char *path, const char *mode, memfs_file **out);

/*
 * Closes a handle; its lock and its private hold end.  A null handle, or lent storage that was
 * closed before, is EBADF; otherwise it cannot fail.
 */
MEMFS_API int memfs_close(memfs_file *file);

/* The instance that a handle belongs to; null for what is no open handle.  Never blocks. */
MEMFS_API memfs *memfs_file_instance(memfs_file *file);

/*
 * Reads and writes.  The forms with an offset leave the handle's offset alone.  Reading returns a
 * count below the one asked for at the end of the file, and 0 behind it.  One call is one step for
 * every other reader and writer of the file.  In append mode every write goes to the end, also
 * where an offset is given.
 *
 * Errors:   EBADF (not open for this), EISDIR, EINVAL (negative offset, more than MEMFS_IOV_MAX
 *           parts, a null buffer with a length), EFBIG (past MEMFS_FILE_SIZE_MAX), EDQUOT, ENOMEM.
 * Failure:  nothing has changed, the offset included.
 * Source:   POSIX.1-2017 read(), write(), pread(), pwrite(), readv(), writev().
 */
typedef struct memfs_iovec {
    void *data; /* not written through by the write functions */
    size_t length;
} memfs_iovec;

MEMFS_API int64_t memfs_read(memfs_file *file, void *buffer, size_t length);
MEMFS_API int64_t memfs_write(memfs_file *file, const void *buffer, size_t length);
MEMFS_API int64_t memfs_pread(memfs_file *file, void *buffer, size_t length, int64_t offset);
MEMFS_API int64_t memfs_pwrite(memfs_file *file, const void *buffer, size_t length, int64_t offset);
MEMFS_API int64_t memfs_readv(memfs_file *file, const memfs_iovec *parts, size_t count);
MEMFS_API int64_t memfs_writev(memfs_file *file, const memfs_iovec *parts, size_t count);
MEMFS_API int64_t memfs_preadv(memfs_file *file, const memfs_iovec *parts, size_t count,
                               int64_t offset);
MEMFS_API int64_t memfs_pwritev(memfs_file *file, const memfs_iovec *parts, size_t count,
                                int64_t offset);

enum memfs_whence {
    MEMFS_SEEK_SET = 0,
    MEMFS_SEEK_CUR = 1,
    MEMFS_SEEK_END = 2,
    MEMFS_SEEK_DATA = 3, /* the next offset that is not in a hole */
    MEMFS_SEEK_HOLE = 4  /* the next offset in a hole; the end of the file is one */
};

/*
 * Moves the handle's offset and returns it.  Past the end is allowed.
 * Errors: EINVAL (negative result, unknown whence), EOVERFLOW, ENXIO (DATA and
 * HOLE: the offset is at or past the end, or only a hole follows), EISDIR.
 */
MEMFS_API int64_t memfs_seek(memfs_file *file, int64_t offset, int whence);
MEMFS_API int64_t memfs_tell(memfs_file *file);

/*
 * Sets the size.  Growing is sparse.  Shrinking never allocates.
 *
 * Errors:   EISDIR, EINVAL (negative), EBADF (not open for writing), EBUSY (by path, while a handle
 *           holds the file locked); growing only: EDQUOT, ENOMEM.
 */
MEMFS_API int memfs_truncate(memfs *fs, const char *path, int64_t size);
MEMFS_API int memfs_truncateat(memfs *fs, memfs_dir *at, const char *path, int64_t size);
MEMFS_API int memfs_ftruncate(memfs_file *file, int64_t size);

#define MEMFS_FALLOCATE_KEEP_SIZE 0x1u  /* do not move the end of the file */
#define MEMFS_FALLOCATE_PUNCH_HOLE 0x2u /* free the range (keeps the size, said or not) */
#define MEMFS_FALLOCATE_ZERO_RANGE 0x4u /* make the range read as zeros, allocated */

/*
 * Makes sure that writing to the range later needs no memory: without flags it
 * fills holes with zeroed pages and grows the file to the range's end.  A range
 * that cannot fit the quota is refused before anything is taken.
 * Errors: EBADF, EISDIR, EINVAL (negative offset, length <= 0, flags that
 * exclude each other), EFBIG, EDQUOT, ENOMEM.
 * Source: Linux fallocate(2).
 */
MEMFS_API int memfs_fallocate(memfs_file *file, int64_t offset, int64_t length, unsigned flags);

/*
 * Syncs a file's content; memfs_fdatasync() without attributes that nobody needs to read it.  There
 * is no storage to flush to, so these only check their arguments, unless a test asked for it:
 * memfs/fault.h.  memfs_sync() does it to what `path` leads to; of a directory, to the names in it.
 * Errors: EBADF; by path, those of finding it.  Source: POSIX.1-2017 fsync(), fdatasync().
 */
MEMFS_API int memfs_fsync(memfs_file *file);
MEMFS_API int memfs_fdatasync(memfs_file *file);
MEMFS_API int memfs_sync(memfs *fs, const char *path);
MEMFS_API int memfs_syncat(memfs *fs, memfs_dir *at, const char *path);

/*
 * Whole-file locks, between handles (not threads).  MEMFS_LOCK_EXCLUSIVE on a shared lock upgrades
 * it; MEMFS_LOCK_SHARED on an exclusive lock downgrades it, which never waits.  While a file is
 * locked, its names stay what they are: removing, renaming or replacing one of them is EBUSY, also
 * as a part of memfs_remove_tree() or memfs_snapshot_restore().  The directories above are not
 * locked; one of them can be renamed, and the file goes with it.  memfs_unlock() without a lock
 * does nothing.
 *
 * A program that must not wait can queue for a lock: memfs_lock_queue() in memfs/storage.h.
 *
 * Errors:   EAGAIN (timeout 0), ETIMEDOUT, EDEADLK (another handle is waiting to upgrade its shared
 *           lock too), EINVAL, EISDIR.
 * Blocking: until the lock is free or the timeout ends.
 */
enum memfs_lock_kind { MEMFS_LOCK_SHARED = 1, MEMFS_LOCK_EXCLUSIVE = 2 };

MEMFS_API int memfs_lock(memfs_file *file, int kind, int64_t timeout_ms);
MEMFS_API int memfs_unlock(memfs_file *file);

/* --------------------------------------------------------------- attributes */

enum memfs_kind { MEMFS_KIND_FILE = 1, MEMFS_KIND_DIRECTORY = 2, MEMFS_KIND_SYMLINK = 3 };

typedef struct memfs_stat_info {
    size_t struct_size;          /* set by the caller: sizeof(memfs_stat_info) */
    uint64_t number;             /* of the node (inode number); never used again */
    uint64_t size_bytes;         /* of a symlink its target's, of a directory 0 */
    uint64_t allocated_bytes;    /* pages it refers to, shared ones counted whole */
    uint64_t preallocated_bytes; /* room behind the end, see memfs_preallocate() */
    uint64_t generation;         /* counts the changes of content, names and attributes */
    int64_t access_ns, modify_ns, change_ns, birth_ns;
    uint32_t kind; /* enum memfs_kind */
    uint32_t mode; /* permission bits, 07777 */
    uint32_t uid, gid;
    uint32_t links;     /* of a directory: 2 and one for each directory in it */
    uint32_t page_size; /* of the file system: the unit in which reading and writing is cheapest */
    uint32_t open_handles; /* open files of the node; 0 for a directory */
    int32_t lock_state; /* of the whole-file lock: -1: exclusive; n: shared by n handles; 0: free */
} memfs_stat_info;

#define MEMFS_AT_NOFOLLOW 0x1u  /* of a symlink, itself */
#define MEMFS_AT_REMOVEDIR 0x2u /* memfs_unlinkat(): rmdir */
#define MEMFS_AT_FOLLOW 0x4u    /* memfs_linkat(): link what a symlink leads to */

/*
 * Describes a node.  memfs_stat() follows symlinks, memfs_lstat() does not follow the last one.
 *
 * Errors:   EINVAL and E2BIG (struct_size, see "Structs"; an unknown flag), EBADF (by handle or
 *           stream).
 * Threads:  the figures of one node belong together; times and attributes may be changing.
 */
MEMFS_API int memfs_stat(memfs *fs, const char *path, memfs_stat_info *info);
MEMFS_API int memfs_lstat(memfs *fs, const char *path, memfs_stat_info *info);
MEMFS_API int memfs_statat(memfs *fs, memfs_dir *at, const char *path, memfs_stat_info *info,
                           unsigned flags);
MEMFS_API int memfs_fstat(memfs_file *file, memfs_stat_info *info);
MEMFS_API int memfs_statdir(memfs_dir *dir, memfs_stat_info *info);

/* The size of an open file, without anything else.  Never blocks.  Errors: EBADF, EISDIR. */
MEMFS_API int64_t memfs_file_size(memfs_file *file);

/*
 * Whether something is there, and of which kind: 1 or 0, never an error.  Where the path cannot be
 * looked up, for whatever reason, the answer is 0; memfs_stat() says why.  Symlinks are followed,
 * except by memfs_is_symlink() as the last component.
 */
MEMFS_API int memfs_exists(memfs *fs, const char *path);
MEMFS_API int memfs_is_file(memfs *fs, const char *path);
MEMFS_API int memfs_is_dir(memfs *fs, const char *path);
MEMFS_API int memfs_is_symlink(memfs *fs, const char *path);

/*
 * Sets the permission bits, 07777; they are stored and reported, not enforced.
 * Errors: EINVAL (other bits, an unknown flag), EOPNOTSUPP (a symlink itself).
 */
MEMFS_API int memfs_chmod(memfs *fs, const char *path, uint32_t mode);
MEMFS_API int memfs_chmodat(memfs *fs, memfs_dir *at, const char *path, uint32_t mode,
                            unsigned flags);
MEMFS_API int memfs_fchmod(memfs_file *file, uint32_t mode);

#define MEMFS_ID_KEEP UINT32_MAX /* leave this id as it is */

/* Sets the owner's ids, which are stored and reported, not enforced.  Errors: EINVAL (an unknown
 * flag). */
MEMFS_API int memfs_chown(memfs *fs, const char *path, uint32_t uid, uint32_t gid);
MEMFS_API int memfs_chownat(memfs *fs, memfs_dir *at, const char *path, uint32_t uid, uint32_t gid,
                            unsigned flags);
MEMFS_API int memfs_fchown(memfs_file *file, uint32_t uid, uint32_t gid);

#define MEMFS_TIME_NOW INT64_MAX        /* UTIME_NOW */
#define MEMFS_TIME_OMIT (INT64_MAX - 1) /* UTIME_OMIT */

/*
 * Sets the access and the modification time; the change time becomes now, unless both are
 * MEMFS_TIME_OMIT.  Any other value is taken as it is, negative ones included.
 * Errors: EINVAL (an unknown flag).
 */
MEMFS_API int memfs_utimens(memfs *fs, const char *path, int64_t access_ns, int64_t modify_ns);
MEMFS_API int memfs_utimensat(memfs *fs, memfs_dir *at, const char *path, int64_t access_ns,
                              int64_t modify_ns, unsigned flags);
MEMFS_API int memfs_futimens(memfs_file *file, int64_t access_ns, int64_t modify_ns);

/* -------------------------------------------------------------------- names */

/* Makes a directory.  Errors: EEXIST, EMLINK, EDQUOT, ENOSPC, ENOMEM. */
MEMFS_API int memfs_mkdir(memfs *fs, const char *path, uint32_t mode);
MEMFS_API int memfs_mkdirat(memfs *fs, memfs_dir *at, const char *path, uint32_t mode);

/* Makes a directory and its missing parents, all with `mode`, or nothing.  Succeeds if the
 * directory exists.  Errors: EEXIST (it is no directory), as above. */
MEMFS_API int memfs_mkdir_parents(memfs *fs, const char *path, uint32_t mode);

/* Removes an empty directory.  Errors: ENOTEMPTY (also for ".." as last component), EINVAL ("." as
 * last component), EBUSY (the root). */
MEMFS_API int memfs_rmdir(memfs *fs, const char *path);

/* Removes a name of what is no directory.  Errors: EISDIR, EBUSY (locked). */
MEMFS_API int memfs_unlink(memfs *fs, const char *path);
MEMFS_API int memfs_unlinkat(memfs *fs, memfs_dir *at, const char *path, unsigned flags);

/* Removes a name, whatever it is: as memfs_rmdir() for a directory, which must be empty, and as
 * memfs_unlink() for anything else. */
MEMFS_API int memfs_remove(memfs *fs, const char *path);

/*
 * Removes a file, or a directory with everything in it, in one step for every observer.
 * Errors: EBUSY (the root; a file in it is locked), EINVAL ("." or ".." as last component).
 */
MEMFS_API int memfs_remove_tree(memfs *fs, const char *path);
MEMFS_API int memfs_remove_treeat(memfs *fs, memfs_dir *at, const char *path);

#define MEMFS_RENAME_NOREPLACE 0x1u    /* EEXIST if `to` exists */
#define MEMFS_RENAME_EXCHANGE 0x2u     /* both must exist; they swap */
#define MEMFS_RENAME_MAKE_PARENTS 0x4u /* make the missing parents of `to`, 0755 */
#define MEMFS_RENAME_REPLACE_TREE 0x8u /* replace whatever `to` is, with all that is in it */

/*
 * Moves the entry `from` to `to`, replacing what is there.
 *
 * A directory can replace only an empty directory; anything else can replace only what is no
 * directory.  With REPLACE_TREE anything replaces anything; what was at `to` is removed as
 * memfs_remove_tree() would.  If both are names of one node, nothing changes.
 *
 * Errors:   ENOENT, ENOTDIR, EISDIR, ENOTEMPTY, EINVAL (`to` lies in `from`, or `from` in what
 *           EXCHANGE and REPLACE_TREE move away; a last component is "." or ".."; two of
 *           NOREPLACE, EXCHANGE and REPLACE_TREE), EEXIST, EBUSY (the root; a locked file, for
 *           REPLACE_TREE anywhere in `to`), EDQUOT (the new name does not fit).
 * Threads:  one step for every observer; `to` is never missing meanwhile.
 * Lifetime: open handles and directory streams stay valid.
 * Source:   POSIX.1-2017 rename(), Linux renameat2(2).
 */
MEMFS_API int memfs_rename(memfs *fs, const char *from, const char *to, unsigned flags);
MEMFS_API int memfs_renameat(memfs *fs, memfs_dir *from_at, const char *from, memfs_dir *to_at,
                             const char *to, unsigned flags);

/* Adds a name to a file or a symlink (which is not followed).  Errors: EEXIST, EPERM (a directory),
 * EMLINK, EDQUOT, ENOMEM. */
MEMFS_API int memfs_link(memfs *fs, const char *from, const char *to);
MEMFS_API int memfs_linkat(memfs *fs, memfs_dir *from_at, const char *from, memfs_dir *to_at,
                           const char *to, unsigned flags);

/*
 * Gives an open file a name, or one more; this makes a file permanent that was opened by TMPFILE.
 * Errors: those of memfs_link(); ENOENT (its last name was removed, and it was not opened by
 * TMPFILE, or by TMPFILE with EXCLUSIVE).
 */
MEMFS_API int memfs_link_file(memfs_file *file, memfs_dir *to_at, const char *to);

#define MEMFS_SYMLINK_MAKE_PARENTS 0x4u /* make the missing parents of `path`, 0755 */

/*
 * Makes a symbolic link with the given target, 1 to MEMFS_PATH_MAX bytes, which is not looked up.
 * Errors: EEXIST, ENOENT (empty target), ENAMETOOLONG, EDQUOT, ENOSPC, ENOMEM.
 */
MEMFS_API int memfs_symlink(memfs *fs, const char *target, const char *path, unsigned flags);
MEMFS_API int memfs_symlinkat(memfs *fs, const char *target, memfs_dir *at, const char *path,
                              unsigned flags);

/*
 * Stores the target of a symlink and returns the count of bytes stored.  As POSIX has it, there is
 * no NUL behind them, and a target that is longer than `size` is cut without an error: a count of
 * `size` may mean that.  A buffer of MEMFS_PATH_MAX bytes is always enough.
 * Errors: EINVAL (no symlink).  Source: POSIX.1-2017 readlink().
 */
MEMFS_API int64_t memfs_readlink(memfs *fs, const char *path, char *buffer, size_t size);
MEMFS_API int64_t memfs_readlinkat(memfs *fs, memfs_dir *at, const char *path, char *buffer,
                                   size_t size);

/*
 * Stores the absolute path without symlinks, "." and "..", with a NUL behind it, and returns its
 * length.  Unlike memfs_readlink() it never cuts: a path that does not fit is ERANGE, and the
 * buffer is as it was.  Everything but the last component must exist.  The result may be longer
 * than MEMFS_PATH_MAX, since a tree may be deeper than a path can say.
 * Errors: ERANGE, ENOENT (also: `at` was removed).
 */
MEMFS_API int64_t memfs_realpath(memfs *fs, const char *path, char *buffer, size_t size);
MEMFS_API int64_t memfs_realpathat(memfs *fs, memfs_dir *at, const char *path, char *buffer,
                                   size_t size);

/* ------------------------------------------------------------ whole files */

/*
 * Reads a whole file into new memory of class MEMFS_CLASS_CHARGED, with a NUL
 * after the last byte; give it back with memfs_free().
 * Errors: EFBIG (larger than `limit`), EISDIR, EDQUOT, ENOMEM.
 */
MEMFS_API int memfs_read_file(memfs *fs, const char *path, size_t limit, void **data, size_t *size);

/*
 * Reads a whole file into the caller's memory, as it is at one instant, and returns its size.  It
 * takes no memory, so it works in a full file system.
 * Errors: EFBIG (larger than `size`; nothing was stored), EISDIR.
 */
MEMFS_API int64_t memfs_read_file_into(memfs *fs, const char *path, void *buffer, size_t size);

/*
 * Gives back memory that memfs_read_file(), memfs_charged_alloc() or another function of memfs
 * handed out.  Null: nothing happens.  Errors: EINVAL (another file system's, or given back
 * before, where that can be told; a pointer of any other origin is undefined behaviour).
 */
MEMFS_API int memfs_free(memfs *fs, void *memory);

#define MEMFS_WRITE_NOREPLACE 0x1u    /* EEXIST if `path` exists */
#define MEMFS_WRITE_MAKE_PARENTS 0x4u /* make the missing parents of `path`, 0755 */

/*
 * Creates the file, with `mode`, or replaces its content, in one step: a reader sees the old bytes
 * or the new ones, and a refusal leaves the old ones.  Symlinks are followed, unless NOREPLACE is
 * given.
 * Errors: EISDIR, EEXIST, EBUSY (locked), EDQUOT, ENOSPC, ENOMEM.
 */
MEMFS_API int memfs_write_file(memfs *fs, const char *path, const void *data, size_t size,
                               uint32_t mode, unsigned flags);

/*
 * Creates the file, with `mode`, or writes at its end, in one step.  The only flag is
 * MEMFS_WRITE_MAKE_PARENTS.
 * Errors: EISDIR, EBUSY (locked), EFBIG, EDQUOT, ENOSPC, ENOMEM.
 */
MEMFS_API int memfs_append_file(memfs *fs, const char *path, const void *data, size_t size,
                                uint32_t mode, unsigned flags);

/* -------------------------------------------------------------------- trees */

#define MEMFS_COPY_NOREPLACE 0x1u    /* EEXIST if `to` exists */
#define MEMFS_COPY_ATTRIBUTES 0x2u   /* keep access and modification time, mode, uid and gid */
#define MEMFS_COPY_MAKE_PARENTS 0x4u /* make the missing parents of `to`, 0755 */

/*
 * Copies a file, sharing its pages: constant time and memory whatever the size.  An existing file
 * `to` keeps its node and names and gets the content.  A copy onto itself changes nothing.
 * Symlinks are followed.
 * Errors: EISDIR (either), EEXIST, EBUSY (`to` is locked), EDQUOT, ENOSPC, ENOMEM.
 */
MEMFS_API int memfs_copy(memfs *fs, const char *from, const char *to, unsigned flags);
MEMFS_API int memfs_copyat(memfs *fs, memfs_dir *from_at, const char *from, memfs_dir *to_at,
                           const char *to, unsigned flags);

/*
 * Copies a directory and everything in it (or a file, or a symlink as such) to the new name `to`,
 * in one step for every observer.  Files share pages; hard links within the tree stay links.  An
 * existing `to` is never replaced.
 * Errors: EEXIST, EINVAL (`to` lies in `from`), EDQUOT, ENOSPC, ENOMEM.
 */
MEMFS_API int memfs_copy_tree(memfs *fs, const char *from, const char *to, unsigned flags);

typedef struct memfs_import_entry {
    size_t struct_size; /* sizeof(memfs_import_entry), the same in all entries of an array */
    const char *path;
    const void *data;  /* the bytes of a file, or the target of a symlink; null if `size` is 0 */
    size_t size;       /* of them, in bytes */
    uint32_t kind;     /* enum memfs_kind; 0: a file */
    uint32_t mode;     /* permission bits of a file or a directory */
    int64_t modify_ns; /* modification time; 0: now */
} memfs_import_entry;

#define MEMFS_IMPORT_REPLACE 0x1u /* files and symlinks that are there give way; else EEXIST */

/*
 * Makes all entries of the array, with their missing parents (0755), in one step for every
 * observer: all of them or none.  Paths may lead anywhere in the tree, in any order.
 *
 * An entry that replaces a file or a symlink takes over the name, as a rename would: handles and
 * other names of what was there keep it.  A symlink as last component is replaced itself; those
 * before it are followed, unless they are entries of the same call.  A directory that is there
 * stays as it is, and one that other entries need may be listed before or behind them.  Of any
 * other name that occurs twice, the second is EEXIST.
 *
 *     memfs_import_entry files[] = {
 *         {sizeof files[0], "/etc/app.conf", conf, conf_size, 0, 0644, 0},
 *         {sizeof files[0], "/var/lib/app/seed", seed, seed_size, 0, 0600, 0}};
 *     size_t failed;
 *     int error = memfs_import(fs, files, 2, MEMFS_IMPORT_REPLACE, &failed);
 *
 * Errors:   EEXIST, EISDIR (a directory is there, or a slash follows the name of what is none),
 *           ENOTDIR, ENOENT (an empty target; ".." behind a missing directory), EBUSY (a locked
 *           file would be replaced), EINVAL (an unknown kind, mode or flag, entries of different
 *           sizes), E2BIG, EFBIG, EMLINK, EDQUOT, ENOSPC, ENOMEM.
 * Failure:  nothing has changed; `*failed` (which may be null) is the index of the entry, or
 *           `count` where no single entry is at fault.  It is not written on success.
 * Quota:    a node, a name and the bytes of each entry, beside what they replace, which is there
 *           until all is certain; and for a moment 24 to 64 bytes for each name, and 400 for each
 *           directory of the tree that gets some.  The node limit must allow for replaced files
 *           and their successors at the same time.
 * Threads:  the bytes are copied while no lock is held; names cannot be looked up while the
 *           entries get their places.
 */
MEMFS_API int memfs_import(memfs *fs, const memfs_import_entry *entries, size_t count,
                           unsigned flags, size_t *failed);

typedef struct memfs_tree_info {
    size_t struct_size;                    /* set by the caller: sizeof(memfs_tree_info) */
    uint64_t files, directories, symlinks; /* nodes, each once, `path` included */
    uint64_t size_bytes;                   /* sum of the files' sizes */
    uint64_t allocated_bytes;              /* sum of their allocated_bytes */
    uint64_t usage_bytes; /* that, with page tables, nodes and names: what a tree costs alone */
} memfs_tree_info;

/* Adds up a tree; a node with several names in it counts once.  Takes no memory. */
MEMFS_API int memfs_tree_usage(memfs *fs, const char *path, memfs_tree_info *info);

typedef struct memfs_sharing_info {
    size_t struct_size;    /* set by the caller: sizeof(memfs_sharing_info) */
    uint64_t own_bytes;    /* of allocated_bytes: what nothing else refers to */
    uint64_t shared_bytes; /* and what another file, a snapshot or a held content has, too */
} memfs_sharing_info;

/*
 * Divides what a file's stat, or the memfs_tree_usage() of a tree, calls allocated_bytes.  A page
 * that two files share counts as shared in both, also if both are in the tree.  Looks at each page
 * that is not shared with all that is around it.
 *
 * Errors:   EINVAL, E2BIG (struct_size).  It takes no memory.
 * Threads:  the figures of one file belong together.
 */
MEMFS_API int memfs_tree_sharing(memfs *fs, const char *path, memfs_sharing_info *info);

/* ---------------------------------------------------------------- snapshots */

/*
 * Snapshots: the whole tree at one instant, kept in the instance under a name.
 *
 *     memfs_snapshot_take(fs, "clean");
 *     ...                                // tests that modify the tree
 *     memfs_snapshot_restore(fs, "clean");        // as often as wanted
 *
 * A snapshot costs nodes and names, whatever the sizes: files share their pages with the live ones
 * until those are written.  It is no part of the tree and cannot be changed.  What is not in the
 * tree is not in the snapshot: open files without a name, locks, preallocated memory.  Destroying
 * the instance drops its snapshots.
 *
 * Its files can be read where they are, and two snapshots can be compared: see below.
 *
 * What a snapshot costs is charged: nodes and names to MEMFS_CLASS_SNAPSHOTS, pages as those of
 * live files.  The node limit counts live nodes only.
 *
 * Names     1 to MEMFS_NAME_MAX bytes without '/', not "." nor "..": else EINVAL, ENAMETOOLONG.
 * Errors    ENOENT: no snapshot has the name.
 */

/*
 * Takes a snapshot: everything as it is at one instant, across all files, whatever other threads
 * write meanwhile.  Of two writes that one thread made one after the other, a snapshot never has
 * the second without the first.  So a program finds in it what a disk would have after the plug was
 * pulled, with no write lost.
 *
 * Errors:   EEXIST, EMLINK (MEMFS_LINK_MAX - 2 snapshots are kept), EDQUOT, ENOMEM.
 * Quota:    nodes and names; of files that are held private (memfs_hold_private()), their pages
 *           too.
 * Threads:  meanwhile names cannot be changed; a write waits while the contents are taken, which is
 *           one reference a file, and a copy of each file that is held private.
 */
MEMFS_API int memfs_snapshot_take(memfs *fs, const char *name);

/*
 * Puts the whole tree back, in one step for every observer.  Everything is as it was: contents and
 * holes, links, attributes, all times, the order of listing.  The nodes are new ones, except for
 * the root.  The snapshot stays.
 *
 * Errors:   EBUSY (a file in the tree is locked), EDQUOT, ENOSPC, ENOMEM.
 * Quota:    for a moment both trees are there, and count.
 * Lifetime: open handles and directory streams stay valid, and lead to what was there before, which
 *           now has no name; streams of the root list what was put back.
 */
MEMFS_API int memfs_snapshot_restore(memfs *fs, const char *name);

/* Drops a snapshot, and what only it still holds. */
MEMFS_API int memfs_snapshot_remove(memfs *fs, const char *name);

/* Gives a snapshot another name.  Errors: EEXIST, EDQUOT, ENOMEM (for a longer name). */
MEMFS_API int memfs_snapshot_rename(memfs *fs, const char *name, const char *new_name);

/* 1 if there is a snapshot of this name, 0 if not, or if it cannot be one; never an error. */
MEMFS_API int memfs_snapshot_exists(memfs *fs, const char *name);

#define MEMFS_EXTRACT_MAKE_PARENTS 0x4u /* make the missing parents of `to`, 0755 */

/*
 * Copies what is at `from` in the snapshot ("/": all of it) to the new name `to` in the tree, as
 * memfs_copy_tree() would, with all attributes.  Absolute symlinks in `from` are resolved in the
 * snapshot.  Errors: EEXIST, ENOENT (`from` too), EDQUOT, ENOSPC, ENOMEM.
 */
MEMFS_API int memfs_snapshot_extract(memfs *fs, const char *name, const char *from, const char *to,
                                     unsigned flags);

typedef struct memfs_snapshot_info {
    size_t struct_size; /* set by the caller: sizeof(memfs_snapshot_info) */
    int64_t taken_ns;   /* when; of two snapshots of an instance the later one's is greater */
    uint64_t own_bytes; /* its nodes and names: what it costs while nothing changes */
    /* What is in it, as memfs_tree_usage() of "/" would have said. */
    uint64_t files, directories, symlinks;
    uint64_t size_bytes;
    uint64_t allocated_bytes;
    uint64_t usage_bytes;
} memfs_snapshot_info;

/* Describes a snapshot.  Errors: EINVAL, E2BIG (struct_size). */
MEMFS_API int memfs_snapshot_stat(memfs *fs, const char *name, memfs_snapshot_info *info);

/* -------------------------------------------------------------- directories */

typedef struct memfs_dirent {
    size_t struct_size; /* set by the caller: sizeof(memfs_dirent) */
    uint64_t number;    /* of the node */
    int64_t cookie;     /* where the entry after this one starts: for memfs_seekdir() */
    uint32_t kind;      /* enum memfs_kind */
    uint32_t name_length;
    char name[MEMFS_NAME_MAX + 1];
} memfs_dirent;

/* Memory for one directory stream, which the caller lends. */
typedef struct memfs_dir_storage {
    uint64_t opaque[16];
} memfs_dir_storage;

/*
 * Directory streams.  Entries come in order of creation, without "." and "..".  An entry that stays
 * while others come and go is seen exactly once.  A stream ends at what was there when it began; an
 * entry that is added later may be left out.  Threads may share a stream; each entry goes to one of
 * them.
 *
 * memfs_opendirat_in() opens a stream that lives in `storage`, if that is not null, and then takes
 * no memory.  `flags` are 0 or MEMFS_O_EMERGENCY: the emergency reserve may pay for the stream, and
 * for what gets a name through it: the names, nodes and missing parents that memfs_mkdirat(),
 * memfs_symlinkat(), memfs_linkat(), memfs_link_file(), memfs_renameat() (`to_at`) and
 * memfs_openat() make at paths that start at it.  (What is written needs a handle that may.)
 *
 *     memfs_dir *root;
 *     if (memfs_opendirat_in(fs, NULL, "/", MEMFS_O_EMERGENCY, NULL, &root) == 0)
 *         memfs_mkdirat(fs, root, "rescue", 0755);
 *
 * memfs_readdir() returns 1 and an entry, or 0 at the end.
 * memfs_telldir() returns a cookie that stays valid whatever is added or removed; 0 is the
 * beginning.
 * memfs_seekdir() goes to a cookie.  memfs_rewinddir() goes to the beginning.
 *
 * Errors:   opening: ENOTDIR, EINVAL (another flag), EDQUOT, ENOMEM; EBADF (no open stream), EINVAL
 *           (a negative cookie).
 * Lifetime: until memfs_closedir(), also if the directory is removed; it is then empty.
 */
MEMFS_API int memfs_opendir(memfs *fs, const char *path, memfs_dir **out);
MEMFS_API int memfs_opendirat(memfs *fs, memfs_dir *at, const char *path, memfs_dir **out);
MEMFS_API int memfs_opendirat_in(memfs *fs, memfs_dir *at, const char *path, unsigned flags,
                                 memfs_dir_storage *storage, memfs_dir **out);
MEMFS_API int memfs_readdir(memfs_dir *dir, memfs_dirent *entry);
MEMFS_API int64_t memfs_telldir(memfs_dir *dir);
MEMFS_API int memfs_seekdir(memfs_dir *dir, int64_t cookie);
MEMFS_API int memfs_rewinddir(memfs_dir *dir);
MEMFS_API int memfs_closedir(memfs_dir *dir);

/* The instance that a stream belongs to; null for what is no open stream.  Never blocks. */
MEMFS_API memfs *memfs_dir_instance(memfs_dir *dir);

/* Names or paths, sorted by bytes.  They are charged, and memfs_destroy() refuses, until
 * memfs_list_free(). */
typedef struct memfs_list {
    size_t struct_size; /* set by the caller: sizeof(memfs_list) */
    size_t count;
    const char *const *names; /* names[count] is null */
    void *opaque;
} memfs_list;

/* The names in a directory, as they are at one instant.  Errors: ENOTDIR, EINVAL, E2BIG
 * (struct_size), EDQUOT (also: more names than the looking reserve holds; see
 * "Looking"), ENOMEM. */
MEMFS_API int memfs_list_dir(memfs *fs, const char *path, memfs_list *out);

/* The names of all snapshots.  Errors: EINVAL, E2BIG (struct_size), EDQUOT, ENOMEM. */
MEMFS_API int memfs_snapshot_list(memfs *fs, memfs_list *out);

/* Frees what a list holds; the list is then empty and can be filled again.  An empty or null list:
 * nothing happens. */
MEMFS_API void memfs_list_free(memfs *fs, memfs_list *list);

/*
 * The paths that match `pattern`, sorted.  `*` and `?` match within a component (a leading dot
 * too), `**` as a whole component matches any number of them, `[a-z]` one byte that is listed,
 * `[!a]` and `[^a]` one that is not, `\` takes the next byte as it is.  A trailing '/' restricts to
 * directories.  Symlinks are followed only before the first component with a wildcard or a
 * backslash.  Paths above MEMFS_PATH_MAX are left out.  No match: an empty list.
 * Errors: EINVAL (an unclosed bracket, a trailing backslash), EDQUOT, ENOMEM.
 */
MEMFS_API int memfs_glob(memfs *fs, const char *pattern, memfs_list *out);

/*
 * Sets `*matches` to 1 if `path` matches `pattern` as memfs_glob() understands it, else to 0;
 * nothing is looked up.  Both begin with a slash, or neither.  Errors: EINVAL (an unclosed bracket,
 * a trailing backslash).
 */
MEMFS_API int memfs_glob_match(const char *pattern, const char *path, int *matches);

enum memfs_walk_event {
    MEMFS_WALK_ENTRY = 1, /* a file or symlink */
    MEMFS_WALK_ENTER = 2, /* a directory, before what is in it */
    MEMFS_WALK_LEAVE = 3  /* and after */
};

typedef struct memfs_walk_entry {
    size_t struct_size;          /* set by memfs */
    int event;                   /* enum memfs_walk_event */
    uint32_t depth;              /* 0: the path that the walk was given */
    const char *path;            /* the path given and the names below it; NUL-terminated */
    const char *name;            /* the last component in `path` */
    const memfs_stat_info *stat; /* good until the next step, as `path` and `name` are */
} memfs_walk_entry;

/* What a walk's callback returns; a negative value ends the walk with that error. */
#define MEMFS_WALK_CONTINUE 0
#define MEMFS_WALK_PRUNE 1 /* on ENTER: not into this directory (LEAVE follows all the same) */
#define MEMFS_WALK_STOP 2  /* end the walk; memfs_walk() returns MEMFS_WALK_STOP */

typedef int (*memfs_walk_callback)(void *context, const memfs_walk_entry *entry);

/*
 * Visits a tree, depth first, in order of creation.  The callback runs without locks and may change
 * the tree; an entry that vanishes before its turn is skipped.  Symlinks are not followed below
 * `path`.  The memory that a walk needs grows with the depth only, and begins at the 15th level or
 * a path of 256 bytes.
 *
 * Errors:   what the callback returns, if it is negative; EINVAL (it returned another positive
 *           value than those above), EDQUOT, ENOMEM.
 */
MEMFS_API int memfs_walk(memfs *fs, const char *path, memfs_walk_callback callback, void *context);

#define MEMFS_WALK_NOFOLLOW 0x1u   /* `path` may be a symlink, which is then the only entry */
#define MEMFS_WALK_REAL_PATHS 0x2u /* the entries' paths are absolute, and no link is in them */
#define MEMFS_WALK_NOATIME 0x4u    /* directories and links keep their access times */

typedef struct memfs_walker memfs_walker;

/* Memory for a walker, which the caller lends. */
typedef struct memfs_walker_storage {
    uint64_t opaque[136];
} memfs_walker_storage;

/*
 * The same walk, a step a call:
 *
 *     memfs_walker *walker;
 *     const memfs_walk_entry *entry;
 *     int result = memfs_walk_open(fs, "/var", 0, &walker);
 *     if (result == 0) {
 *         while ((result = memfs_walk_next(walker, &entry)) == 1)
 *             ... entry->path, entry->stat->size_bytes
 *         memfs_walk_close(walker);       // result < 0: an error
 *     }
 *
 * memfs_walk_open()      starts at `path`; nothing is visited yet.
 * memfs_walk_open_in()   the same; if `storage` is not null, the walker lives there, and takes
 *                        memory only where it goes more than 14 directories deep or meets a path of
 *                        more than 255 bytes.
 * memfs_walk_next()      goes to the next entry: returns 1, or 0 at the end, where it stays.  A
 *                        directory that is entered has been read: its access time follows.
 * memfs_walk_prune()     on ENTER, and after a step that was refused there: not into this directory
 *                        (LEAVE follows all the same).
 * memfs_walk_open_file() opens the file that the walker stands on, even if another entry has its
 *                        name by now.  `flags` are those of memfs_open(), except CREATE, EXCLUSIVE
 *                        and TMPFILE.
 * memfs_walk_readlink()  reads the symlink that the walker stands on, as memfs_readlink().
 * memfs_walk_close()     ends the walk, wherever it is.
 *
 * Errors:   opening: EINVAL, EDQUOT, ENOMEM.  A step: EDQUOT, ENOMEM; the walker then stands on no
 *           entry, and the next call tries again (the path of the entry before stays readable).
 *           Pruning: EINVAL (anywhere else).  Opening a file: ENOENT (its last name was removed),
 *           EISDIR, ELOOP (a symlink), and those of memfs_open().
 *           Reading a link: EINVAL (no symlink).  Any of them: EBADF (null, or closed).
 * Quota:    MEMFS_CLASS_HANDLES: the walker, the longest path and the deepest stack of directories
 *           that it has met.
 * Threads:  no lock is held between two calls.  A walker must not be used by two threads at a time.
 * Lifetime: the entry, its path and its stat are good until the next call with the walker.
 *           memfs_destroy() refuses while a walker is open.
 */
MEMFS_API int memfs_walk_open(memfs *fs, const char *path, unsigned flags, memfs_walker **out);
MEMFS_API int memfs_walk_open_in(memfs *fs, const char *path, unsigned flags,
                                 memfs_walker_storage *storage, memfs_walker **out);
MEMFS_API int memfs_walk_next(memfs_walker *walker, const memfs_walk_entry **entry);
MEMFS_API int memfs_walk_prune(memfs_walker *walker);
MEMFS_API int memfs_walk_open_file(memfs_walker *walker, uint32_t flags, memfs_file **out);
MEMFS_API int64_t memfs_walk_readlink(memfs_walker *walker, char *buffer, size_t size);
MEMFS_API int memfs_walk_close(memfs_walker *walker);

/* ------------------------------------------------------ looking into snapshots */

/*
 * Files of a snapshot, read where they are.
 *
 * memfs_snapshot_open()      opens a file to be read.  `flags` are 0 or MEMFS_O_READ,
 *                            MEMFS_O_NOFOLLOW and MEMFS_O_NOATIME.
 * memfs_snapshot_stat_path() describes what is at `path`; the only flag is MEMFS_AT_NOFOLLOW.
 * memfs_snapshot_walk()      walks below `path` ("/": everything), as memfs_walk_open(); the flags
 *                            are MEMFS_WALK_NOFOLLOW and MEMFS_WALK_NOATIME, which holds anyway.
 *
 * So a whole tree can be saved as it is at one instant, each byte read once: take a snapshot, walk
 * it, and open its files on the way.
 *
 * Paths begin at the root of the snapshot, and symlinks lead to what is in the snapshot.  The
 * number of a node is the one that it had in the tree.  The root's birth_ns is when the snapshot
 * was taken: a caller that finds it unchanged after having looked at several paths knows that the
 * name has not come to stand for another snapshot in between.
 *
 * A handle is to a file of its own that shares the pages of the snapshot's: it has another number,
 * counts against the node limit, and what is done with it (locks, mode, times) reaches neither the
 * snapshot nor another handle.  It stays good when the snapshot is removed; what it reads is then
 * held by it.  A walk in a snapshot that is removed comes to its end.
 *
 * Errors:   ENOENT (no snapshot, or nothing there), EINVAL (other flags), EISDIR, ELOOP (NOFOLLOW),
 *           ENAMETOOLONG; E2BIG (struct_size); opening and walking: EDQUOT, ENOSPC, ENOMEM.
 * Quota:    opening: a handle and a node.
 */
MEMFS_API int memfs_snapshot_open(memfs *fs, const char *name, const char *path, uint32_t flags,
                                  memfs_file **out);
MEMFS_API int memfs_snapshot_stat_path(memfs *fs, const char *name, const char *path,
                                       memfs_stat_info *info, unsigned flags);
MEMFS_API int memfs_snapshot_walk(memfs *fs, const char *name, const char *path, unsigned flags,
                                  memfs_walker **out);

#define MEMFS_CHANGE_ADDED 0x1u       /* only `after` has it */
#define MEMFS_CHANGE_REMOVED 0x2u     /* only `before` has it */
#define MEMFS_CHANGE_RENAMED 0x4u     /* it was at `old_path` */
#define MEMFS_CHANGE_CONTENT 0x8u     /* the bytes, or the target of a symlink */
#define MEMFS_CHANGE_ATTRIBUTES 0x10u /* mode or owner */
#define MEMFS_CHANGE_TIMES 0x20u      /* the modification time; not of directories */

typedef struct memfs_change {
    size_t struct_size;          /* set by memfs */
    const char *path;            /* in `after`; of what was removed, in `before` */
    const char *old_path;        /* in `before`, of what was renamed; else null */
    const char *target;          /* of a symlink; else null */
    const memfs_stat_info *stat; /* of what is, or was, at `path` */
    uint64_t what;               /* one or more of MEMFS_CHANGE_... */
} memfs_change;

typedef struct memfs_comparison memfs_comparison;

/*
 * Compares two snapshots, or one with the live tree, and gives the differences, one a call:
 *
 *     memfs_comparison *comparison;
 *     const memfs_change *change;
 *     int result = memfs_compare_open(fs, "monday", NULL, &comparison);
 *     if (result == 0) {
 *         while ((result = memfs_compare_next(comparison, &change)) == 1)
 *             ... change->what, change->path
 *         memfs_compare_close(comparison);
 *     }
 *
 * memfs_compare_open()      compares the snapshot `before` with the snapshot `after`.  One of them
 *                           may be null: the live tree, as a snapshot taken now would have it.
 * memfs_compare_next()      goes to the next difference: returns 1, or 0 at the end.
 * memfs_compare_open_file() opens the file that was given last, as memfs_snapshot_open() does: as
 *                           it is in `after`, or was in `before` if it was removed.
 * memfs_compare_close()     ends the comparison.
 *
 * So a snapshot is a mark, and what has changed since can be saved alone: after an import, or after
 * the last time that changes were saved.
 *
 * No bytes are read.  The content of a file is the same if both refer to the same pages; files that
 * do not are told apart even where the bytes are equal, after a write of what was there, for
 * instance.  A file that is held private (memfs_hold_private()) is copied for a snapshot, and is
 * other than before each time.
 *
 * What has the same name is compared, if it is of one kind.  A directory, or a file or symlink with
 * one name, is known again by its number at another path: it was renamed.  What was in a directory
 * that was renamed is not, unless it was moved besides.  memfs_snapshot_restore() makes new nodes,
 * so renamings from before it are an addition and a removal.
 *
 * What was removed comes first, what is in a directory before it.  The rest comes in the order of a
 * walk through `after`, directories before what is in them, with everything in what was added.
 *
 * Errors:   opening: ENOENT (no snapshot), EINVAL (both null; a name that cannot be one),
 *           ENAMETOOLONG, EDQUOT, ENOMEM.  Opening a file: EINVAL (no change was given), EISDIR,
 *           ELOOP (a symlink), EDQUOT, ENOSPC, ENOMEM.  Any of them: EBADF (null, or closed).
 * Quota:    meanwhile: the differences, with their paths, and while it is opened about 64 bytes for
 *           each node; for the live tree, what a snapshot takes.
 * Threads:  opening is one step for every observer; no lock is held between two calls.  A
 *           comparison must not be used by two threads at a time.
 * Lifetime: a change, with what it points to, is good until memfs_compare_close(), whatever becomes
 *           of the snapshots.  memfs_destroy() refuses while a comparison is open.
 */
MEMFS_API int memfs_compare_open(memfs *fs, const char *before, const char *after,
                                 memfs_comparison **out);
MEMFS_API int memfs_compare_next(memfs_comparison *comparison, const memfs_change **change);
MEMFS_API int memfs_compare_open_file(memfs_comparison *comparison, memfs_file **out);
MEMFS_API int memfs_compare_close(memfs_comparison *comparison);

#ifdef __cplusplus
}
#endif

#endif
