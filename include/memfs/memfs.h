/*
 * memfs: a file system inside one process, in memory that has a hard limit.
 *
 * A `memfs` is a tree of files, directories and symbolic links with POSIX
 * semantics.  Everything that it holds (data, page tables, nodes, names,
 * handles) counts against one quota, at the allocator's real cost, and the
 * quota is never exceeded, not even for an instant.  Any number of instances
 * live side by side; there are no globals.
 *
 *     #include <memfs/memfs.h>
 *
 *     memfs *fs;
 *     memfs_config config = memfs_config_default();
 *     config.quota_bytes = 16u << 20;
 *     if (memfs_create(&config, &fs) != 0)
 *         return 1;
 *     memfs_write_file(fs, "/greeting", "hello", 5, 0644);
 *     memfs_copy(fs, "/greeting", "/copy", 0);        // shares its pages
 *     memfs_destroy(fs, 0);
 *
 * CONCEPTS
 *
 * Node       A file, directory or symbolic link; it has a number and may have
 *            several names (links).
 * Handle     An open file description (`memfs_file`): node, flags, offset.
 *            A node without names lives, charged, until its last handle
 *            closes; it is then called an orphan.
 * Page       The unit of storage and sharing, 4096 bytes unless configured.
 *            Copies share pages until one side writes.  A page that was never
 *            written is a hole: it reads as zeros and costs nothing.
 * Quota      The limit on the bytes held from the allocator.  "Committed" is
 *            what is held now; "used" is the part of it that lives in objects
 *            (the rest are free pages in slabs, ready for use).
 * Reserve    The last part of the quota, which ordinary data may not fill.  Only
 *            what has asked for it (MEMFS_O_EMERGENCY, memfs_use_emergency_reserve(),
 *            memfs_charged_alloc_emergency()) may: journals, for instance, without
 *            which nothing could be deleted from a database once all is full.
 *            Not to be confused with memfs_preallocate(), the growth of one file.
 *
 * RULES FOR EVERY FUNCTION
 *
 * Errors     0 or a count on success, a negative MEMFS_E... code otherwise.
 *            The codes are Linux's errno numbers, negated.  A null handle is
 *            MEMFS_EBADF; any other null pointer where none is allowed, an
 *            unknown flag, a length above INT64_MAX or an absurd value is
 *            MEMFS_EINVAL (or what the function's comment says).
 *            MEMFS_EDQUOT: the quota says no.  MEMFS_ENOSPC: the node limit
 *            says no.  MEMFS_ENOMEM: the allocator says no.
 * Failure    A call that fails has changed nothing: no byte, no size, no time
 *            stamp, no name.  Out parameters are written on success only.
 *            Writes are all or nothing; there are no short writes.
 * Freeing    Unlink, rmdir, truncating down, close and unlock never allocate
 *            and cannot fail for want of memory.  Overwriting bytes that only
 *            this file owns never allocates.
 * Threads    Any function may be called from any thread at any time, except
 *            that a handle must not be used while or after it is closed, nor
 *            the instance while or after it is destroyed.  No lock is held
 *            while a caller's callback runs (the allocator, clock, lock and
 *            log hooks excepted: they must not call back into memfs).
 * Lifetime   Strings and buffers that are passed in are not kept.
 * Paths      Bytes, '/' between components, names up to MEMFS_NAME_MAX, paths
 *            up to MEMFS_PATH_MAX bytes.  There is no working directory: a
 *            path without a leading '/' starts at the root, or, in the `...at`
 *            functions, at the given directory.  "." and ".." are resolved;
 *            ".." of the root is the root.  The empty path is MEMFS_ENOENT.
 *            Every function that takes a path can return, beyond what it
 *            lists: ENOENT, ENOTDIR (a component is no directory), ELOOP,
 *            ENAMETOOLONG.
 * Times      Nanoseconds since 1970-01-01 UTC, from the clock hook.
 *
 * WAYS TO HURT YOURSELF
 *
 * - Closing a handle that another thread is still using.
 * - Keeping a directory handle, mapping or version past memfs_destroy().
 * - Lending memory to a handle (memfs_open_options.storage) and reusing it
 *   before memfs_close().
 * - Writing through the pointer of a mapping: it is const for a reason, other
 *   files may share the page.
 */
#ifndef MEMFS_MEMFS_H
#define MEMFS_MEMFS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(_WIN32)
#define MEMFS_API
#elif defined(__GNUC__)
#define MEMFS_API __attribute__((visibility("default")))
#else
#define MEMFS_API
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
#define MEMFS_QUOTA_DEFAULT ((uint64_t)256 << 20)

/* ------------------------------------------------------------------- errors */

/* X(name, Linux errno, text): the one table of errors. */
#define MEMFS_ERRORS(X) \
    X(EPERM, 1, "operation not permitted") \
    X(ENOENT, 2, "no such file or directory") \
    X(EIO, 5, "internal inconsistency") \
    X(ENXIO, 6, "no data or hole at or after this offset") \
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
    X(EOPNOTSUPP, 95, "operation not supported") \
    X(ETIMEDOUT, 110, "timed out waiting for a lock") \
    X(EDQUOT, 122, "quota exceeded")

enum memfs_error {
    MEMFS_OK = 0,
#define MEMFS_ERROR_ENUMERATOR(name, number, text) MEMFS_##name = -(number),
    MEMFS_ERRORS(MEMFS_ERROR_ENUMERATOR)
#undef MEMFS_ERROR_ENUMERATOR
        MEMFS_ERROR_END_ = -4096 /* not an error: keeps the enum's range wide */
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
 * The caller's allocator.  `take` returns memory aligned for any type, or null.
 * `give` gets the size that was asked for.  `cost` says what a request of
 * `bytes` really takes from the allocator, its own headers and rounding
 * included; null means `bytes`.  It must be a pure function, at least `bytes`,
 * and must not decrease as `bytes` grows.
 */
typedef struct memfs_allocator {
    void *context;
    void *(*take)(void *context, size_t bytes);
    void (*give)(void *context, void *memory, size_t bytes);
    size_t (*cost)(void *context, size_t bytes);
} memfs_allocator;

/*
 * The caller's mutexes and condition variables, for platforms without POSIX
 * threads.  All of them or none.  The create functions return null on failure
 * (memfs_create() then fails with MEMFS_ENOMEM); they are called at
 * memfs_create() only.  `wait` waits at most `timeout_ms` milliseconds (forever
 * if negative) and may return early.
 */
typedef struct memfs_lock_hooks {
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

enum memfs_log_level { MEMFS_LOG_INFO = 0, MEMFS_LOG_WARNING = 1, MEMFS_LOG_ERROR = 2 };

enum memfs_atime_policy {
    MEMFS_ATIME_RELATIVE = 0, /* if not newer than the last change, or a day old */
    MEMFS_ATIME_OFF = 1,
    MEMFS_ATIME_STRICT = 2 /* at every read */
};

/* What was refused: by which limit (MEMFS_EDQUOT, _ENOSPC, _ENOMEM; 0: none yet), and how many
 * bytes (nodes for ENOSPC) were wanted and were left. */
typedef struct memfs_refusal {
    int error;
    uint64_t wanted;
    uint64_t available;
} memfs_refusal;

#define MEMFS_REFUSED_FAIL 0  /* the call fails */
#define MEMFS_REFUSED_RETRY 1 /* it is run again, if there is more room than before */

/*
 * Called when the quota or the node limit has refused a call (not the allocator), from that
 * call, in its thread, before it returns.  Nothing is half done and no lock is held: raise the
 * limit (memfs_set_quota() ...) or remove something, and answer RETRY; the call is then run again
 * from its beginning, as if it came later.  If it is refused again, this is called again.  An
 * answer of RETRY without more room under the limit than before the callback (whoever made it)
 * counts as FAIL, so there is no endless loop.  `refusal` may be that of another call, if several
 * threads are refused at once.
 *
 * The callback may call everything but memfs_destroy(), and must not close or drop what the refused
 * call works with (its handle, stream or version).  What it calls can be refused as well, and
 * then calls it from within itself; where 32 calls are in it already, further ones fail at once.
 * It may be called by several threads at the same time.
 */
typedef int (*memfs_refused_callback)(void *context, memfs *fs, const memfs_refusal *refusal);

/* memfs_config.flags */
#define MEMFS_CREATE_SINGLE_THREADED 0x1u /* the caller promises that no two calls overlap */
#define MEMFS_CREATE_UNPOOLED \
    0x2u /* all but pages of data straight from the allocator, one by \
                                      one: for memory debuggers, and tests that refuse memory */

/*
 * How to create a file system.  Zero means the default in every field but
 * `quota_bytes`, where zero means unlimited; memfs_config_default() fills in
 * MEMFS_QUOTA_DEFAULT.
 */
typedef struct memfs_config {
    size_t struct_size;   /* sizeof(memfs_config) */
    uint32_t flags;       /* MEMFS_CREATE_... */
    uint32_t page_size;   /* bytes; a power of two, MEMFS_PAGE_SIZE_MIN .. _MAX */
    uint64_t quota_bytes; /* 0: unlimited (with an arena: the arena's size, as the default is) */
    uint64_t node_limit;  /* files, directories and symlinks, the root included; 0: unlimited */
    uint64_t emergency_reserve_bytes; /* of the quota, closed to ordinary data; 0: none */
    void *arena; /* if not null, all memory comes from here and the heap is never called */
    size_t arena_bytes;
    memfs_allocator allocator; /* all null: malloc and free */
    memfs_lock_hooks locks;    /* all null: POSIX threads */
    void *clock_context;
    int64_t (*clock)(void *clock_context); /* nanoseconds; null: the system's clock */
    void *log_context;
    void (*log)(void *log_context, int level, const char *message); /* null: silent */
    void *refused_context;
    memfs_refused_callback refused; /* null: what a limit refuses fails */
    uint32_t atime_policy;          /* enum memfs_atime_policy */
    uint32_t root_mode;             /* permission bits of "/"; 0: 0755 */
    uint32_t uid, gid;              /* owner of "/" and of what is created */
} memfs_config;

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
 * Errors:   EINVAL (a field is absurd: an unknown flag, a page size that is no
 *           power of two in range, half-filled hooks, an arena with an
 *           allocator, a wrong struct_size), EDQUOT (the quota cannot hold an
 *           empty tree), ENOMEM, EOPNOTSUPP (lock hooks in a build without
 *           threads, no arena and no allocator in a build for arenas only).
 */
MEMFS_API int memfs_create(const memfs_config *config, memfs **out);

#define MEMFS_DESTROY_FORCE 0x1u /* close what is open first */

/*
 * Frees the file system and all that it holds.  With handles, directory
 * streams, mappings, versions or charged memory outstanding it refuses with
 * EBUSY, unless forced: then they are all invalid afterwards (lent handle
 * storage and version and mapping structs may simply be forgotten).
 * A null `fs` is fine: nothing happens.
 */
MEMFS_API int memfs_destroy(memfs *fs, unsigned flags);

/*
 * Changes the quota (0: unlimited; with an arena: the arena's size).
 * Errors: EBUSY (more than this is committed), EINVAL (more than the arena).
 */
MEMFS_API int memfs_set_quota(memfs *fs, uint64_t quota_bytes);

/*
 * Changes the reserve (0: none).  It may be of any size: what is in use stays, and ordinary
 * data is refused until less than the quota without the reserve is in use.  A change of the
 * quota leaves it as it is; without a quota it means nothing.
 */
MEMFS_API int memfs_set_emergency_reserve(memfs *fs, uint64_t emergency_reserve_bytes);

/* Changes the node limit (0: unlimited).  Errors: EBUSY (more nodes exist). */
MEMFS_API int memfs_set_node_limit(memfs *fs, uint64_t node_limit);

/*
 * Changes whom to ask when a limit has refused a call (null: nobody).  Calls of the old one that
 * are under way, in other threads, go on.
 */
MEMFS_API int memfs_set_refused(memfs *fs, memfs_refused_callback callback, void *context);

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

/*
 * What is sure to fit.  `available_bytes` counts whole pages that ordinary data can have: free
 * ones, and those of slabs for which the quota leaves room, after the cost of the slabs.  Each of
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
 * a page.  It is sure to fit while quota_bytes - committed_bytes exceeds its size by two pages and
 * 12 KiB; otherwise only if as many free pages lie side by side.  (With MEMFS_CREATE_UNPOOLED,
 * `available_bytes` speaks of pages of data alone.)
 */
typedef struct memfs_statfs_info {
    size_t struct_size;                      /* set by the caller: sizeof(memfs_statfs_info) */
    uint64_t quota_bytes;                    /* 0: unlimited */
    uint64_t committed_bytes;                /* held from the allocator, at its real cost */
    uint64_t used_bytes;                     /* of these, in live objects */
    uint64_t available_bytes;                /* sure to fit, see above; UINT64_MAX if unlimited */
    uint64_t peak_bytes;                     /* the most ever committed */
    uint64_t class_bytes[MEMFS_CLASS_COUNT]; /* used_bytes, divided */
    uint64_t preallocated_bytes; /* room behind the ends of files, see memfs_preallocate() */
    uint64_t
        emergency_reserve_bytes; /* of the quota, closed to ordinary data, see memfs_set_emergency_reserve() */
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
} memfs_statfs_info;

/* Fills `info`.  The figures are read one after another while others work. */
MEMFS_API int memfs_statfs(memfs *fs, memfs_statfs_info *info);

/* The last refusal, of any call. */
MEMFS_API int memfs_last_refusal(memfs *fs, memfs_refusal *out);

/*
 * Recounts from the structures themselves and compares: ledger, nodes by kind,
 * links of directories, references of page tables and pages, reservations.  For tests; other calls must not
 * run meanwhile.  Errors: EIO (a count is wrong; the log hook says which).
 */
MEMFS_API int memfs_audit(memfs *fs);

/* -------------------------------------------------------------------- files */

/* Access: one of three. */
#define MEMFS_O_READ 0x1u
#define MEMFS_O_WRITE 0x2u
#define MEMFS_O_RDWR 0x3u
/* And any of: */
#define MEMFS_O_CREATE 0x10u
#define MEMFS_O_EXCLUSIVE \
    0x20u                      /* with CREATE: EEXIST if the name exists, even a dangling symlink */
#define MEMFS_O_TRUNCATE 0x40u /* to size 0; also on a read-only open, as on Linux */
#define MEMFS_O_APPEND 0x80u   /* every write goes to the end, in one step; implies WRITE */
#define MEMFS_O_DIRECTORY 0x100u /* ENOTDIR if it is none (a directory opens read-only) */
#define MEMFS_O_NOFOLLOW 0x200u  /* ELOOP if the last component is a symlink */
#define MEMFS_O_TMPFILE 0x400u   /* `path` is a directory: an unnamed file; see memfs_link_file() */
#define MEMFS_O_SHARED_LOCK 0x800u     /* take the whole-file lock, shared */
#define MEMFS_O_EXCLUSIVE_LOCK 0x1000u /* or exclusive */
#define MEMFS_O_NOATIME 0x2000u        /* reads leave the access time alone */
#define MEMFS_O_MAKE_PARENTS 0x4000u   /* with CREATE: make missing parent directories, 0755 */
#define MEMFS_O_EMERGENCY \
    0x8000u /* the handle, the node and name that are created, and what is
               written through the handle, may take from the reserve */

/* Room for one handle, in memory that the caller lends. */
typedef struct memfs_file_storage {
    uint64_t opaque[16];
} memfs_file_storage;

typedef struct memfs_open_options {
    size_t struct_size;          /* sizeof(memfs_open_options) */
    uint32_t flags;              /* MEMFS_O_...; 0 means MEMFS_O_READ */
    uint32_t mode;               /* permission bits of a file that is created */
    int64_t lock_timeout_ms;     /* for the lock flags; 0: do not wait, negative: forever */
    memfs_dir *at;               /* where a relative path starts; null: the root */
    memfs_file_storage *storage; /* if not null, the handle lives here and opening an
                                    existing file allocates nothing */
} memfs_open_options;

/*
 * Opens a file.  `mode` counts when the file is created.
 *
 * Errors:   EEXIST, EISDIR (a directory opened for writing), ELOOP (NOFOLLOW),
 *           EAGAIN, ETIMEDOUT (the lock), EDQUOT, ENOSPC, ENOMEM, EINVAL (no
 *           access mode, EXCLUSIVE without CREATE unless with TMPFILE, both
 *           locks, TMPFILE without WRITE), EBUSY (TRUNCATE while another handle
 *           holds the file locked).
 * Failure:  nothing has changed; no file was created.
 * Lifetime: until memfs_close().
 * Source:   POSIX.1-2017 open(); TMPFILE and TRUNCATE|READ as on Linux.
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

/* Closes a handle, with its lock.  Null, or lent storage closed before: EBADF.  Cannot
 * fail otherwise. */
MEMFS_API int memfs_close(memfs_file *file);

/*
 * Reads and writes.  The forms with an offset leave the handle's offset alone.
 * A count below the one asked means the end of the file; 0 at or past it.
 * One call is one step for every other reader and writer of the file.
 * In append mode every write goes to the end, also with an offset given.
 *
 * Errors:   EBADF (not open for this), EISDIR, EINVAL (negative offset, more
 *           than MEMFS_IOV_MAX parts, a null buffer with a length), EFBIG (past
 *           MEMFS_FILE_SIZE_MAX), EDQUOT, ENOMEM.
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
 * Errors: EISDIR, EINVAL (negative), EBADF (not open for writing), EBUSY (by
 * path, while a handle holds the file locked), EDQUOT, ENOMEM (growing only).
 */
MEMFS_API int memfs_truncate(memfs *fs, const char *path, int64_t size);
MEMFS_API int memfs_ftruncate(memfs_file *file, int64_t size);

#define MEMFS_FALLOCATE_KEEP_SIZE 0x1u  /* do not move the end of the file */
#define MEMFS_FALLOCATE_PUNCH_HOLE 0x2u /* free the range (keeps the size, said or not) */
#define MEMFS_FALLOCATE_ZERO_RANGE 0x4u /* make the range read as zeros, allocated */

/*
 * Makes sure that writing to the range later needs no memory: without flags it
 * fills holes with zeroed pages and grows the file to the range's end.
 * Errors: EBADF, EISDIR, EINVAL (negative offset, length <= 0, flags that
 * exclude each other), EFBIG, EDQUOT, ENOMEM.
 * Source: Linux fallocate(2).
 */
MEMFS_API int memfs_fallocate(memfs_file *file, int64_t offset, int64_t length, unsigned flags);

/* Nothing to do, so it succeeds.  Errors: EBADF. */
MEMFS_API int memfs_fsync(memfs_file *file);

/*
 * Whole-file locks, between handles (not threads).  `kind` MEMFS_LOCK_EXCLUSIVE
 * on a shared lock upgrades it, MEMFS_LOCK_SHARED on an exclusive one
 * downgrades it (never waits).  `timeout_ms`: 0 does not wait, negative waits
 * forever.  While a file is locked, removing, renaming or replacing it is EBUSY.
 * Errors: EAGAIN (timeout 0), ETIMEDOUT, EDEADLK (another handle is waiting to
 * upgrade its shared lock too), EINVAL, EISDIR.
 */
enum memfs_lock_kind { MEMFS_LOCK_SHARED = 1, MEMFS_LOCK_EXCLUSIVE = 2 };

MEMFS_API int memfs_lock(memfs_file *file, int kind, int64_t timeout_ms);
MEMFS_API int memfs_unlock(memfs_file *file); /* without a lock: nothing happens */

/*
 * Maps part of one page for reading, without a copy.  The bytes stay where they
 * are, and readable, until memfs_unmap(), whatever happens to the file, its
 * handles included.  A later write to the file shows through, unless the page
 * was copied, punched or cut off in between; so does a write to a copy that had
 * shared the page and is, by then, the only file that has it.  The range must
 * lie inside the file and inside one page.  A hole gets a page first, and a short
 * content a whole one.
 *
 * Errors:   EINVAL (the range crosses a page), ENXIO (it leaves the file), EBADF,
 *           EISDIR, EDQUOT, ENOMEM.
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
MEMFS_API int memfs_unmap(memfs_mapping *mapping); /* EBADF if it was unmapped before */

/*
 * Counts what may make a mapping old: that a page of the file was copied to be written, cut
 * off, punched, or replaced with the whole content.  A mapping that was made after the number
 * was read shows, as long as the number stays the same, what a read would; so it may be kept
 * and used again.  It never waits, and begins anywhere.  No open file: 0.
 */
MEMFS_API uint64_t memfs_mapping_generation(memfs_file *file);

/*
 * Versions: the content of a file at one moment, held by reference, at no cost
 * until the file or the version changes.  Taking, restoring, exchanging and dropping one
 * allocate nothing, cannot fail for want of memory, and take the time of what they free.
 * While a version is held, overwriting the file allocates (a copy of what is
 * overwritten).
 *
 * memfs_content_take()     remembers the content and size.
 * memfs_content_restore()  puts them back, and drops the version.
 * memfs_content_exchange() puts them into the file and the file's into the version, in one
 *                          step for every observer.
 * memfs_content_drop()     forgets them.
 * memfs_content_read()     reads from the version as memfs_pread() would have.
 * memfs_content_map()      maps a page of it that is there, as memfs_map_present() would have; a
 *                          later write to the version may show through, or not.
 * memfs_content_write(), memfs_content_truncate()
 *                          change the version as memfs_pwrite() and memfs_ftruncate() would the
 *                          file.  Nobody else sees it before it is restored or exchanged: so a
 *                          change of many steps becomes one, that can still be dropped.
 * memfs_content_allocate() makes sure that writing to the range later needs no memory, and keeps
 *                          the size; what lies behind that is given back by truncating.
 *
 * Errors:   EBADF, EISDIR, EINVAL (not a version that is held; a negative offset or size; a null
 *           buffer with a length), ENXIO and EINVAL (mapping, as there), EXDEV (put into another file system); writing, and growing:
 *           EFBIG, EDQUOT, ENOMEM.
 * Threads:  a version is its holder's, who must not call two of these at a time on it; reads may
 *           overlap.
 * Lifetime: the struct is the caller's and must stay where it is while the
 *           version is held; it may outlive the handle, not the file system.
 */
typedef struct memfs_content_ref {
    uint64_t size_bytes; /* of the content; read only */
    uint64_t opaque[7];
} memfs_content_ref;

MEMFS_API int memfs_content_take(memfs_file *file, memfs_content_ref *out);
MEMFS_API int memfs_content_restore(memfs_file *file, memfs_content_ref *version);
MEMFS_API int memfs_content_exchange(memfs_file *file, memfs_content_ref *version);
MEMFS_API int memfs_content_drop(memfs_content_ref *version);
MEMFS_API int64_t memfs_content_read(const memfs_content_ref *version, void *buffer, size_t length,
                                     int64_t offset);
MEMFS_API int memfs_content_map(const memfs_content_ref *version, int64_t offset, size_t length,
                                memfs_mapping *out);
MEMFS_API int64_t memfs_content_write(memfs_content_ref *version, const void *buffer, size_t length,
                                      int64_t offset);
MEMFS_API int memfs_content_truncate(memfs_content_ref *version, int64_t size);
MEMFS_API int memfs_content_allocate(memfs_content_ref *version, int64_t offset, int64_t length);

/*
 * Reserves the file's growth: makes room between the file's end and `end`, so
 * that writing there needs no memory, now or later.  Truncating meanwhile keeps
 * what is before `end`.  The reservation belongs to the file, not the handle; it
 * lasts until another call moves it (0: ends it) or the content is replaced as a
 * whole, or ends where a hole is punched or was; what then lies behind both it
 * and the file's end is given back.  All or nothing.  While a version or a
 * copy shares the file's pages, writing to those takes memory all the same.
 *
 * Errors:   EBADF, EISDIR, EINVAL (negative), EDQUOT, ENOMEM (growing only).
 */
MEMFS_API int memfs_preallocate(memfs_file *file, int64_t end);

/*
 * Holding a file private: while a handle does (`on` not 0), copies of the file
 * (memfs_copy(), memfs_copy_tree()) get pages of their own at once, charged at
 * once, instead of sharing the file's.  So no copy that somebody takes meanwhile
 * makes overwriting allocate: what a rollback needs.  Ends with the handle.
 * Versions, which the writer takes himself, still share.
 * Errors: EBADF, EISDIR.
 */
MEMFS_API int memfs_hold_private(memfs_file *file, int on);

/* What a handle may take from the reserve (see memfs_set_emergency_reserve()) while writing. */
enum memfs_emergency_use {
    MEMFS_EMERGENCY_UNUSED = 0,      /* nothing: ordinary data */
    MEMFS_EMERGENCY_OVERWRITING = 1, /* for calls that end at or before the file's end: copies of
                                      what a version or another file shares, and holes */
    MEMFS_EMERGENCY_WRITING = 2      /* for growth too; what MEMFS_O_EMERGENCY begins with */
};

/*
 * Changes what writes, truncations, allocations and reservations of growth through this
 * handle may take from now on; and through versions that are taken through it from now on,
 * until those are dropped.  What was taken before stays.
 * Errors: EBADF, EISDIR, EINVAL (any other value).
 */
MEMFS_API int memfs_use_emergency_reserve(memfs_file *file, int use);

/* --------------------------------------------------------------- attributes */

enum memfs_kind { MEMFS_KIND_FILE = 1, MEMFS_KIND_DIRECTORY = 2, MEMFS_KIND_SYMLINK = 3 };

typedef struct memfs_stat_info {
    size_t struct_size;          /* set by the caller: sizeof(memfs_stat_info) */
    uint64_t number;             /* of the node (inode number); never used again */
    uint64_t size;               /* bytes; of a symlink its target's, of a directory 0 */
    uint64_t allocated_bytes;    /* pages it refers to, shared ones counted whole */
    uint64_t preallocated_bytes; /* room behind the end, see memfs_preallocate() */
    uint64_t generation;         /* counts the changes of content, names and attributes */
    int64_t access_ns, modify_ns, change_ns, birth_ns;
    uint32_t kind; /* enum memfs_kind */
    uint32_t mode; /* permission bits, 07777 */
    uint32_t uid, gid;
    uint32_t links; /* of a directory: 2 and one for each directory in it */
} memfs_stat_info;

#define MEMFS_AT_NOFOLLOW 0x1u  /* of a symlink, itself */
#define MEMFS_AT_REMOVEDIR 0x2u /* memfs_unlinkat(): rmdir */
#define MEMFS_AT_FOLLOW 0x4u    /* memfs_linkat(): link what a symlink leads to */

MEMFS_API int memfs_stat(memfs *fs, const char *path, memfs_stat_info *info);
MEMFS_API int memfs_lstat(memfs *fs, const char *path, memfs_stat_info *info);
MEMFS_API int memfs_statat(memfs *fs, memfs_dir *at, const char *path, memfs_stat_info *info,
                           unsigned flags);
MEMFS_API int memfs_fstat(memfs_file *file, memfs_stat_info *info);

/* The size of an open file, without anything else; never waits. */
MEMFS_API int64_t memfs_file_size(memfs_file *file);

/*
 * Counts the changes of names: an entry that is created, removed, renamed, exchanged
 * or replaced, anywhere in the tree.  While it stays the same, every path leads
 * where it led.  It never waits, and counts a change before the call that makes it
 * returns.  It begins anywhere; creating or removing one name is one step.  A null
 * or destroyed file system: 0.
 */
MEMFS_API uint64_t memfs_name_generation(memfs *fs);

/* 1 or 0, or an error other than ENOENT, ENOTDIR, ELOOP (those are 0).  Links are followed. */
MEMFS_API int memfs_exists(memfs *fs, const char *path);
MEMFS_API int memfs_is_file(memfs *fs, const char *path);
MEMFS_API int memfs_is_dir(memfs *fs, const char *path);

/* Permission bits, 07777; stored and reported, not enforced.  Errors: EINVAL (other bits). */
MEMFS_API int memfs_chmod(memfs *fs, const char *path, uint32_t mode);
MEMFS_API int memfs_chmodat(memfs *fs, memfs_dir *at, const char *path, uint32_t mode,
                            unsigned flags);
MEMFS_API int memfs_fchmod(memfs_file *file, uint32_t mode);

#define MEMFS_ID_KEEP UINT32_MAX /* leave this id as it is */
MEMFS_API int memfs_chown(memfs *fs, const char *path, uint32_t uid, uint32_t gid);
MEMFS_API int memfs_chownat(memfs *fs, memfs_dir *at, const char *path, uint32_t uid, uint32_t gid,
                            unsigned flags);
MEMFS_API int memfs_fchown(memfs_file *file, uint32_t uid, uint32_t gid);

#define MEMFS_TIME_NOW INT64_MAX        /* UTIME_NOW */
#define MEMFS_TIME_OMIT (INT64_MAX - 1) /* UTIME_OMIT */
MEMFS_API int memfs_utimens(memfs *fs, const char *path, int64_t access_ns, int64_t modify_ns);
MEMFS_API int memfs_utimensat(memfs *fs, memfs_dir *at, const char *path, int64_t access_ns,
                              int64_t modify_ns, unsigned flags);
MEMFS_API int memfs_futimens(memfs_file *file, int64_t access_ns, int64_t modify_ns);

/* -------------------------------------------------------------------- names */

/* Makes a directory.  Errors: EEXIST, EMLINK, EDQUOT, ENOSPC, ENOMEM. */
MEMFS_API int memfs_mkdir(memfs *fs, const char *path, uint32_t mode);
MEMFS_API int memfs_mkdirat(memfs *fs, memfs_dir *at, const char *path, uint32_t mode);

/* Makes a directory and its missing parents, all with `mode`; that it exists is
 * no error.  All or nothing.  Errors: EEXIST (it is no directory), as above. */
MEMFS_API int memfs_mkdir_parents(memfs *fs, const char *path, uint32_t mode);

/* Removes an empty directory.  Errors: ENOTEMPTY, EINVAL ("." as last
 * component), ENOTEMPTY (".." as last), EBUSY (the root). */
MEMFS_API int memfs_rmdir(memfs *fs, const char *path);

/* Removes a name.  Errors: EISDIR, EBUSY (locked). */
MEMFS_API int memfs_unlink(memfs *fs, const char *path);
MEMFS_API int memfs_unlinkat(memfs *fs, memfs_dir *at, const char *path, unsigned flags);

/* Removes a file or a directory with all that is in it, in one step for every
 * observer.  Errors: EBUSY (the root; a file in it is locked), EINVAL (a last
 * component "." or ".."). */
MEMFS_API int memfs_remove_tree(memfs *fs, const char *path);

#define MEMFS_RENAME_NOREPLACE 0x1u    /* EEXIST if `to` exists */
#define MEMFS_RENAME_EXCHANGE 0x2u     /* both must exist; they swap */
#define MEMFS_RENAME_MAKE_PARENTS 0x4u /* make the missing parents of `to`, 0755 */

/*
 * Moves the entry `from` to `to`, replacing what is there.
 *
 * A directory replaces only an empty directory, anything else only what is no
 * directory.  Two names of one node: nothing changes.
 *
 * Errors:   ENOENT, ENOTDIR, EISDIR, ENOTEMPTY, EINVAL (`to` lies in `from`; a
 *           last component is "." or ".."; NOREPLACE with EXCHANGE), EEXIST,
 *           EBUSY (the root; a locked file), EDQUOT (the new name does not fit).
 * Threads:  one step for every observer; `to` is never missing meanwhile.
 * Lifetime: open handles and directory streams stay valid.
 * Source:   POSIX.1-2017 rename(), Linux renameat2(2).
 */
MEMFS_API int memfs_rename(memfs *fs, const char *from, const char *to, unsigned flags);
MEMFS_API int memfs_renameat(memfs *fs, memfs_dir *from_at, const char *from, memfs_dir *to_at,
                             const char *to, unsigned flags);

/* Adds a name to a file or symlink (which is not followed).  Errors: EEXIST,
 * EPERM (a directory), EMLINK, EDQUOT, ENOMEM. */
MEMFS_API int memfs_link(memfs *fs, const char *from, const char *to);
MEMFS_API int memfs_linkat(memfs *fs, memfs_dir *from_at, const char *from, memfs_dir *to_at,
                           const char *to, unsigned flags);

/* Gives an open file a (further) name; what makes a TMPFILE permanent.  Errors: ENOENT (its last
 * name was removed, and it was not opened by TMPFILE, or that with EXCLUSIVE). */
MEMFS_API int memfs_link_file(memfs_file *file, memfs_dir *to_at, const char *to);

/* Makes a symbolic link that says `target` (1 to MEMFS_PATH_MAX bytes, not
 * looked at).  Errors: EEXIST, ENOENT (empty target), ENAMETOOLONG. */
MEMFS_API int memfs_symlink(memfs *fs, const char *target, const char *path);
MEMFS_API int memfs_symlinkat(memfs *fs, const char *target, memfs_dir *at, const char *path);

/* The target of a symlink, cut to `size` bytes, without a NUL; returns the
 * count stored.  Errors: EINVAL (no symlink).  Source: POSIX readlink(). */
MEMFS_API int64_t memfs_readlink(memfs *fs, const char *path, char *buffer, size_t size);
MEMFS_API int64_t memfs_readlinkat(memfs *fs, memfs_dir *at, const char *path, char *buffer,
                                   size_t size);

/* The absolute path without links, "." and "..", and its length; NUL-terminated.
 * Everything but the last component must exist.  Errors: ERANGE (does not fit). */
MEMFS_API int64_t memfs_realpath(memfs *fs, const char *path, char *buffer, size_t size);

/* ------------------------------------------------------------ whole files */

/*
 * Reads a whole file into new memory of class MEMFS_CLASS_CHARGED, with a NUL
 * after the last byte; give it back with memfs_free().
 * Errors: EFBIG (larger than `limit`), EISDIR, EDQUOT, ENOMEM.
 */
MEMFS_API int memfs_read_file(memfs *fs, const char *path, size_t limit, void **data, size_t *size);

/*
 * Creates the file or replaces its content, in one step: a reader sees the old
 * bytes or the new ones, and a refusal leaves the old ones.
 * Errors: EISDIR, EBUSY (locked), EDQUOT, ENOSPC, ENOMEM.
 */
MEMFS_API int memfs_write_file(memfs *fs, const char *path, const void *data, size_t size,
                               uint32_t mode);

/* -------------------------------------------------------------------- trees */

#define MEMFS_COPY_NOREPLACE 0x1u  /* EEXIST if `to` exists */
#define MEMFS_COPY_ATTRIBUTES 0x2u /* keep access and modification time, mode, uid and gid */

/*
 * Copies a file, sharing its pages: constant time and memory whatever the size.
 * An existing file `to` keeps its node and names and gets the content.  Onto
 * itself: nothing changes.  Links are followed.  Errors: EISDIR (either), EEXIST,
 * EBUSY (`to` is locked), EDQUOT, ENOSPC, ENOMEM.
 */
MEMFS_API int memfs_copy(memfs *fs, const char *from, const char *to, unsigned flags);

/*
 * Copies a directory and all that is in it (or a file, or a symlink as such) to
 * the new name `to`.  Files share pages; hard links within the tree stay links;
 * all or nothing; published in one step.  Errors: EEXIST (always exclusive),
 * EINVAL (`to` lies in `from`), EDQUOT, ENOSPC, ENOMEM.
 */
MEMFS_API int memfs_copy_tree(memfs *fs, const char *from, const char *to, unsigned flags);

typedef struct memfs_tree_info {
    size_t struct_size;                    /* set by the caller: sizeof(memfs_tree_info) */
    uint64_t files, directories, symlinks; /* nodes, each once, `path` included */
    uint64_t size_bytes;                   /* sum of the files' sizes */
    uint64_t allocated_bytes;              /* sum of their allocated_bytes */
    uint64_t usage_bytes; /* that, with page tables, nodes and names: what a tree costs alone */
} memfs_tree_info;

/* Adds up a tree; a node with several names in it counts once. */
MEMFS_API int memfs_tree_usage(memfs *fs, const char *path, memfs_tree_info *info);

/* ---------------------------------------------------------------- snapshots */

/*
 * Snapshots: the whole tree at one instant, kept in the instance under a name.
 *
 *     memfs_snapshot_take(fs, "clean");
 *     ...                                // tests that leave no stone unturned
 *     memfs_snapshot_restore(fs, "clean");        // as often as wanted
 *
 * A snapshot costs nodes and names, whatever the sizes: files share their pages with the
 * live ones until those are written.  It is no part of the tree and cannot be changed.
 * What is not in the tree is not in it: files that are open but have no name, locks,
 * room that was reserved.  Destroying the instance drops its snapshots.
 *
 * What it costs is charged: nodes and names to MEMFS_CLASS_SNAPSHOTS, pages to the
 * classes of what is live, as if they were.  The node limit counts live nodes only.
 *
 * Names     1 to MEMFS_NAME_MAX bytes without '/', not "." nor "..": else EINVAL,
 *           ENAMETOOLONG.
 * Errors    ENOENT: no snapshot has the name.
 */

/*
 * Takes a snapshot: everything as it is at one instant, across all files, whatever
 * others write meanwhile.  Of two writes that one thread has made one after the other
 * it never has the second without the first, so a program finds in it what a disk would
 * have after the plug was pulled, with no write lost.
 *
 * Errors:   EEXIST, EMLINK (MEMFS_LINK_MAX - 2 snapshots are kept), EDQUOT, ENOMEM.
 * Quota:    nodes and names; of files that are held private (memfs_hold_private()), their
 *           pages, too.
 * Threads:  names stand still meanwhile; a write waits while the contents are taken, which is
 *           one reference a file, and copying where a file is held private.
 */
MEMFS_API int memfs_snapshot_take(memfs *fs, const char *name);

/*
 * Puts the whole tree back, in one step for every observer.  All is as it was: contents
 * and holes, links, attributes, all times, the order of listing.  The nodes are new ones,
 * but for the root.  The snapshot stays.
 *
 * Errors:   EBUSY (a file in the tree is locked), EDQUOT, ENOSPC, ENOMEM.
 * Quota:    for a moment both trees are there, and count.
 * Lifetime: open handles and directory streams stay good, and lead to what was there before,
 *           now without a name; streams of the root list what was put back.
 */
MEMFS_API int memfs_snapshot_restore(memfs *fs, const char *name);

/* Drops a snapshot, and what only it still has. */
MEMFS_API int memfs_snapshot_remove(memfs *fs, const char *name);

/*
 * Copies what is at `from` in the snapshot ("/": all of it) to the new name `to` in the
 * tree, as memfs_copy_tree() would, all attributes kept.  Absolute symlinks in `from` are
 * resolved in the snapshot.  Errors: EEXIST, ENOENT (`from` too), EDQUOT, ENOSPC, ENOMEM.
 */
MEMFS_API int memfs_snapshot_extract(memfs *fs, const char *name, const char *from, const char *to);

typedef struct memfs_snapshot_info {
    size_t struct_size;   /* set by the caller: sizeof(memfs_snapshot_info) */
    int64_t taken_ns;     /* when */
    uint64_t own_bytes;   /* its nodes and names: what it costs while nothing changes */
    memfs_tree_info tree; /* what is in it, as memfs_tree_usage() of "/" would have said */
} memfs_snapshot_info;

MEMFS_API int memfs_snapshot_stat(memfs *fs, const char *name, memfs_snapshot_info *info);

/* -------------------------------------------------------------- directories */

typedef struct memfs_dirent {
    uint64_t number; /* of the node */
    uint64_t cookie; /* where the entry after this one starts: for memfs_seekdir() */
    uint32_t kind;   /* enum memfs_kind */
    uint32_t name_length;
    char name[MEMFS_NAME_MAX + 1];
} memfs_dirent;

/*
 * Directory streams.  Entries come in order of creation, without "." and "..".
 * An entry that stays while others come and go is seen exactly once.  One
 * stream may be shared by threads; each entry goes to one of them.
 *
 * memfs_readdir() returns 1 and an entry, or 0 at the end.
 * memfs_telldir() returns a cookie that stays good whatever is added or removed;
 * 0 is the beginning.
 */
MEMFS_API int memfs_opendir(memfs *fs, const char *path, memfs_dir **out);
MEMFS_API int memfs_opendirat(memfs *fs, memfs_dir *at, const char *path, memfs_dir **out);
MEMFS_API int memfs_readdir(memfs_dir *dir, memfs_dirent *entry);
MEMFS_API int64_t memfs_telldir(memfs_dir *dir);
MEMFS_API int memfs_seekdir(memfs_dir *dir, int64_t cookie); /* EINVAL: negative */
MEMFS_API int memfs_rewinddir(memfs_dir *dir);
MEMFS_API int memfs_closedir(memfs_dir *dir);

/* Names or paths, sorted by bytes; charged, and keeping memfs_destroy() from working,
 * until memfs_list_free(). */
typedef struct memfs_list {
    size_t count;
    const char *const *names; /* names[count] is null */
    void *opaque;
} memfs_list;

MEMFS_API int memfs_list_dir(memfs *fs, const char *path, memfs_list *out);

/* The names of all snapshots.  Errors: EDQUOT, ENOMEM. */
MEMFS_API int memfs_list_snapshots(memfs *fs, memfs_list *out);
MEMFS_API void memfs_list_free(memfs *fs, memfs_list *list);

/*
 * The paths that match `pattern`, sorted.  `*` and `?` match within a component
 * (a leading dot too), `**` as a whole component matches any number of them,
 * `[a-z]` and `[!a]` one byte, `\` takes the next byte as it is.  A trailing
 * '/' restricts to directories.  Symlinks are followed only before the first
 * component with a wildcard or a backslash.  Paths above MEMFS_PATH_MAX are left out.  No match:
 * an empty list.
 * Errors: EINVAL (an unclosed bracket, a trailing backslash), EDQUOT, ENOMEM.
 */
MEMFS_API int memfs_glob(memfs *fs, const char *pattern, memfs_list *out);

enum memfs_walk_event {
    MEMFS_WALK_ENTRY = 1, /* a file or symlink */
    MEMFS_WALK_ENTER = 2, /* a directory, before what is in it */
    MEMFS_WALK_LEAVE = 3  /* and after */
};

typedef struct memfs_walk_entry {
    int event;        /* enum memfs_walk_event */
    uint32_t depth;   /* 0: the path that the walk was given */
    const char *path; /* the path given and the names below it; NUL-terminated */
    const char *name; /* the last component in `path` */
    memfs_stat_info stat;
} memfs_walk_entry;

/* What a walk's callback returns; a negative value ends the walk with that error. */
#define MEMFS_WALK_CONTINUE 0
#define MEMFS_WALK_PRUNE 1 /* on ENTER: not into this directory (LEAVE follows all the same) */
#define MEMFS_WALK_STOP 2  /* end the walk; memfs_walk() returns MEMFS_WALK_STOP */

typedef int (*memfs_walk_callback)(void *context, const memfs_walk_entry *entry);

/*
 * Visits a tree, depth first, in order of creation.  The callback runs without
 * locks and may change the tree; what vanishes before its turn is skipped.
 * Symlinks are not followed below `path`.  Memory grows with the depth only.
 */
MEMFS_API int memfs_walk(memfs *fs, const char *path, memfs_walk_callback callback, void *context);

/* ----------------------------------------------------------- charged memory */

/*
 * Memory that counts against the quota (class SHARED), zeroed, aligned for any
 * type, at a fixed address until freed.  Errors: EDQUOT, ENOMEM, EINVAL (size 0).
 */
MEMFS_API int memfs_charged_alloc(memfs *fs, size_t size, void **out);

/* The same for memory without which work would be stuck: it may come from the reserve. */
MEMFS_API int memfs_charged_alloc_emergency(memfs *fs, size_t size, void **out);

/* Null is fine.  Memory that memfs_charged_alloc() did not hand out: EINVAL where it can be told. */
MEMFS_API int memfs_free(memfs *fs, void *memory);

#ifdef __cplusplus
}
#endif

#endif
