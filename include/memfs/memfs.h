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
 * Emergency reserve
 *            The last part of the quota, which ordinary data may not fill.  Files that are opened
 *            with MEMFS_O_EMERGENCY may: journals, for instance, without which nothing could be
 *            deleted from a database once everything else is full.
 *
 * What builders of storage need (mappings, held contents, preallocation ...) is in
 * memfs/storage.h.
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
 * Structs    A struct that begins with `struct_size` may grow in later versions.  The caller sets
 *            struct_size to sizeof the struct, so that programs and libraries of different
 *            versions work together:
 *            - a smaller struct, of an older program, is accepted: its missing fields have their
 *              defaults, and of what a function fills in, only what fits is written;
 *            - a larger one, of a newer program, is accepted if all that this library does not
 *              know is zero, and is MEMFS_E2BIG otherwise; in a struct that a function fills in,
 *              the rest is set to zero;
 *            - a struct_size that is too small for the fields that a function needs (0, for
 *              instance) is MEMFS_EINVAL, one above MEMFS_STRUCT_SIZE_MAX is MEMFS_E2BIG.
 *            Structs without struct_size keep their size for ever.
 *
 * WAYS TO HURT YOURSELF
 *
 * - Closing a handle that another thread is still using.
 * - Keeping a handle or directory stream past memfs_destroy().
 * - Lending memory to a handle (memfs_open_options.storage) and reusing it
 *   before memfs_close().
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
    X(EOPNOTSUPP, 95, "operation not supported") \
    X(ETIMEDOUT, 110, "timed out waiting for a lock") \
    X(EDQUOT, 122, "quota exceeded")

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
 * The caller's allocator.  `take` returns memory aligned for any type, or null.
 * `give` gets the size that was asked for.  `cost` says what a request of
 * `bytes` really takes from the allocator, its own headers and rounding
 * included; null means `bytes`.  It must be a pure function, at least `bytes`,
 * and must not decrease as `bytes` grows.
 */
typedef struct memfs_allocator {
    size_t struct_size; /* sizeof(memfs_allocator) */
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

enum memfs_log_level { MEMFS_LOG_INFO = 0, MEMFS_LOG_WARNING = 1, MEMFS_LOG_ERROR = 2 };

enum memfs_atime_policy {
    MEMFS_ATIME_RELATIVE = 0, /* if not newer than the last change, or a day old */
    MEMFS_ATIME_OFF = 1,
    MEMFS_ATIME_STRICT = 2 /* at every read */
};

/* What was refused: by which limit (MEMFS_EDQUOT, _ENOSPC, _ENOMEM; 0: none yet), and how many
 * bytes (nodes for ENOSPC) were wanted and were left. */
typedef struct memfs_refusal {
    size_t struct_size; /* set by the caller of memfs_last_refusal(): sizeof(memfs_refusal) */
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

/*
 * How to create a file system.  Zero means the default in every field but
 * `quota_bytes`, where zero means unlimited; memfs_config_default() fills in
 * MEMFS_QUOTA_DEFAULT.
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
    void (*log)(void *log_context, int level, const char *message); /* null: silent */
    void *refused_context;
    memfs_refused_callback refused; /* null: what a limit refuses fails */
    uint32_t atime_policy;          /* enum memfs_atime_policy */
    uint32_t root_mode;             /* permission bits of "/"; 0: 0755 */
    uint32_t uid, gid;              /* owner of "/" and of what is created */
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
 * Errors:   EINVAL (a field is absurd: an unknown flag, a page size that is no
 *           power of two in range, half-filled hooks, an arena with an
 *           allocator, a wrong struct_size), E2BIG, EDQUOT (the quota cannot
 *           hold an empty tree), ENOMEM, EOPNOTSUPP (lock hooks in a build
 *           without threads, no arena and no allocator in a build for arenas
 *           only).
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
 * Changes the quota (0: unlimited).  With an arena, the smaller of the quota and what the arena
 * can hold is in force; memfs_statfs() tells which.
 * Errors: EBUSY (more than this is committed).
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

/* Places for classes in memfs_statfs_info, so that new classes do not move what follows. */
#define MEMFS_CLASS_SLOTS 16

typedef struct memfs_statfs_info {
    size_t struct_size;       /* set by the caller: sizeof(memfs_statfs_info) */
    uint64_t quota_bytes;     /* 0: unlimited */
    uint64_t committed_bytes; /* held from the allocator, at its real cost */
    uint64_t used_bytes;      /* of these, in live objects */
    uint64_t available_bytes; /* what new ordinary data could take; UINT64_MAX if unlimited */
    uint64_t peak_bytes;      /* the most ever committed */
    uint64_t class_bytes[MEMFS_CLASS_SLOTS]; /* used_bytes, divided, by enum memfs_class */
    uint64_t preallocated_bytes; /* room behind the ends of files, see memfs_preallocate() */
    uint64_t
        emergency_reserve_bytes; /* of the quota, closed to ordinary data, see memfs_set_emergency_reserve() */
    uint64_t emergency_reserve_left_bytes; /* of these, what could be taken now */
    uint64_t orphan_bytes; /* data of nodes that have no name but are open, as stat counts it */
    uint64_t orphans;      /* their number */
    uint64_t files, directories, symlinks; /* nodes by kind, the root and orphans included */
    uint64_t node_limit;                   /* 0: unlimited */
    uint64_t pages_used, pages_free;       /* pages in live contents, and ready in slabs */
    uint64_t open_files, open_directories;
    uint64_t quota_refusals, node_refusals, allocator_refusals;
    uint32_t page_size;
    uint32_t name_max, path_max;
    uint32_t class_count; /* of the slots in class_bytes, how many have a class */
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

/* Timeouts are in milliseconds.  0 does not wait; a negative one waits for ever. */
#define MEMFS_WAIT_FOREVER (-1)

/* Access: one of three; flags that are 0 as a whole mean MEMFS_O_READ. */
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
    int64_t lock_timeout_ms;     /* for the lock flags; 0: do not wait; or MEMFS_WAIT_FOREVER */
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
 * fills holes with zeroed pages and grows the file to the range's end.  A range
 * that cannot fit the quota is refused before anything is taken.
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
 * downgrades it (never waits).  While a file is locked, removing, renaming or replacing it is EBUSY.
 * Errors: EAGAIN (timeout 0), ETIMEDOUT, EDEADLK (another handle is waiting to
 * upgrade its shared lock too), EINVAL, EISDIR.
 */
enum memfs_lock_kind { MEMFS_LOCK_SHARED = 1, MEMFS_LOCK_EXCLUSIVE = 2 };

MEMFS_API int memfs_lock(memfs_file *file, int kind, int64_t timeout_ms);
MEMFS_API int memfs_unlock(memfs_file *file); /* without a lock: nothing happens */

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
 * Whether something is there, and of which kind: 1 or 0, never an error.  Where the path cannot be
 * looked up, for whatever reason, the answer is 0; memfs_stat() says why.  Symlinks are followed,
 * except by memfs_is_symlink() as the last component.
 */
MEMFS_API int memfs_exists(memfs *fs, const char *path);
MEMFS_API int memfs_is_file(memfs *fs, const char *path);
MEMFS_API int memfs_is_dir(memfs *fs, const char *path);
MEMFS_API int memfs_is_symlink(memfs *fs, const char *path);

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
 * than MEMFS_PATH_MAX, as a tree may be deeper.
 */
MEMFS_API int64_t memfs_realpath(memfs *fs, const char *path, char *buffer, size_t size);

/* ------------------------------------------------------------ whole files */

/*
 * Reads a whole file into new memory of class MEMFS_CLASS_CHARGED, with a NUL
 * after the last byte; give it back with memfs_free().
 * Errors: EFBIG (larger than `limit`), EISDIR, EDQUOT, ENOMEM.
 */
MEMFS_API int memfs_read_file(memfs *fs, const char *path, size_t limit, void **data, size_t *size);

/*
 * Gives back memory that memfs_read_file(), memfs_charged_alloc() or another function of memfs
 * handed out.  Null: nothing happens.  Errors: EINVAL (another file system's, or given back
 * before, where that can be told; a pointer of any other origin is undefined behaviour).
 */
MEMFS_API int memfs_free(memfs *fs, void *memory);

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
    size_t struct_size; /* set by the caller: sizeof(memfs_snapshot_info) */
    int64_t taken_ns;   /* when */
    uint64_t own_bytes; /* its nodes and names: what it costs while nothing changes */
    /* What is in it, as memfs_tree_usage() of "/" would have said. */
    uint64_t files, directories, symlinks;
    uint64_t size_bytes;
    uint64_t allocated_bytes;
    uint64_t usage_bytes;
} memfs_snapshot_info;

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
    size_t struct_size; /* set by the caller: sizeof(memfs_list) */
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
    size_t struct_size; /* set by memfs */
    int event;          /* enum memfs_walk_event */
    uint32_t depth;     /* 0: the path that the walk was given */
    const char *path;   /* the path given and the names below it; NUL-terminated */
    const char *name;   /* the last component in `path` */
    const memfs_stat_info *stat;
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

#ifdef __cplusplus
}
#endif

#endif
