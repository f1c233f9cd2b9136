/*
 * memfs/hostdir.h: whole trees between a memfs and the host's file system.
 *
 * Import copies a file or directory of the host into the tree, export copies one of the tree to
 * the host: contents with their holes, modes, times to the nanosecond, symbolic links as such,
 * hard links within the tree as links.  Needs a host with POSIX files.
 *
 *     #include <memfs/hostdir.h>
 *     #include <stdio.h>
 *
 *     int main(void)
 *     {
 *         memfs *fs;
 *         static memfs_hostdir_result result = {.struct_size = sizeof result};
 *         const char *const left_out[] = {"build", ".git", "*.o", NULL};
 *         memfs_hostdir_options options = {.struct_size = sizeof options, .exclude = left_out};
 *         if (memfs_create(NULL, &fs) != 0)
 *             return 1;
 *         int error = memfs_hostdir_import(fs, ".", "/project", &options, &result);
 *         printf("%llu files\n", (unsigned long long)result.files);
 *         if (error != 0)
 *             fprintf(stderr, "%s: %s\n", result.path,
 *                     result.host_errno != 0 ? strerror(result.host_errno)
 *                                            : memfs_error_text(error));
 *         return memfs_destroy(fs, 0) != 0 || error != 0;
 *     }
 *
 * CONCEPTS
 *
 * Root       The file or directory that is copied, and what it becomes at the destination.  The
 *            path of a root is the caller's: symbolic links in it are followed, ".." in it leads
 *            up.  Below the root no link is followed, on either side, at any time.
 * Relative   Patterns, filters and progress name an entry by its path from the root, without a
 *  path      leading slash; the root's is "".
 * Stage      A directory (for a file: a file) that is filled under a name of its own and then
 *            renamed to the destination in one step, or removed.
 *
 * ALL OR NOTHING
 *
 * Import     The stage is "/.memfs-import-<number>" in the tree.  Nothing is at the destination
 *            until all is there; after a failure nothing is left.  With MEMFS_HOSTDIR_REPLACE the
 *            quota must have room for the old tree and the new one at the same time.
 * Export     The stage is ".memfs-export-<process>-<number>", beside the destination.  A new tree,
 *            a file, and a tree that replaces another (MEMFS_HOSTDIR_REPLACE) are published by
 *            a rename.  Linux exchanges the old tree and the new one in one step; elsewhere, and
 *            on file systems that cannot, the destination is missing for the moment between two
 *            renames.  If the old tree cannot be removed afterwards, that is the error, and the
 *            rest of it is under the stage's name.
 *            MEMFS_HOSTDIR_MERGE and MEMFS_HOSTDIR_CHANGED are not all or nothing: each file
 *            and link is replaced in one step, and those that are done stay after a failure.
 *
 * RULES FOR BOTH FUNCTIONS
 *
 * Errors     0, or a negative MEMFS_E... code.  Where the host refused, it is MEMFS_EIO and
 *            `result->host_errno` says why; `result->path` says where in any case.
 *            EINVAL: a null pointer, an unknown flag or one of the other function, flags that
 *            exclude each other, a bad pattern, a `struct_size` that is too small.
 *            E2BIG: options larger than this library's, with something in the rest.
 *            EXDEV: a link that may lead out, with MEMFS_HOSTDIR_INNER_LINKS.
 *            EDQUOT, ENOSPC, ENOMEM: as everywhere.
 * Memory     All that is held is charged to the file system: a buffer of 64 KiB, a table of the
 *            files with several names, the longest path, a stack of directories.  An import also
 *            keeps the names of the subdirectories that it has not entered yet, and an open file
 *            for each file of which it has not met all names.  (The one directory of the host that
 *            is being read is held by the C library.)
 *            At most some forty descriptors of the host are open, however deep a tree is.
 * Threads    Both may run in several threads at a time, also with the same roots.  They hold no
 *            lock while they work.  A file that is written meanwhile may be copied as a mixture
 *            of old and new bytes; what vanishes before its turn is left out.
 * Callbacks  Run in the caller's thread, with no lock held, and may use the file system.
 * Left out   Devices, sockets and pipes: they are counted, and never opened.
 */
#ifndef MEMFS_HOSTDIR_H
#define MEMFS_HOSTDIR_H

#include <memfs/memfs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* memfs_hostdir_options.flags, for both directions: */
#define MEMFS_HOSTDIR_REPLACE 0x1u /* what is at the destination is replaced, whatever it is */
#define MEMFS_HOSTDIR_COUNT 0x2u   /* count first, so that progress knows the totals */
#define MEMFS_HOSTDIR_INNER_LINKS \
    0x4u /* refuse symlinks that may lead out of the root: an absolute target, or more ".."
            than directories above it, or a ".." behind a name */
/* import: */
#define MEMFS_HOSTDIR_SKIP_UNREADABLE 0x10u /* leave out, and count, what the host refuses */
#define MEMFS_HOSTDIR_ONE_FILE_SYSTEM 0x20u /* leave out directories on others than the root's */
/* export: */
#define MEMFS_HOSTDIR_MERGE 0x100u /* into the directory that is there, beside what is in it */
#define MEMFS_HOSTDIR_CHANGED \
    0x200u /* MERGE, and leave alone what is the same already: files by size, mode and time of
              modification, links by target */
#define MEMFS_HOSTDIR_SPECIAL_BITS 0x400u /* setuid, setgid and sticky bits too */

/* What a filter is asked about. */
typedef struct memfs_hostdir_entry {
    const char *path; /* relative */
    const char *name;
    uint32_t depth; /* 1: in the root */
    uint32_t kind;  /* enum memfs_kind */
    uint32_t mode;
    uint64_t size_bytes; /* of a file */
    int64_t modify_ns;
} memfs_hostdir_entry;

#define MEMFS_HOSTDIR_TAKE 0
#define MEMFS_HOSTDIR_LEAVE 1 /* leave it out, of a directory all that is in it */

/*
 * Answers TAKE or LEAVE; a negative value ends the copy with that error, any other with EINVAL.
 * With MEMFS_HOSTDIR_COUNT it is asked about each entry twice.
 */
typedef int (*memfs_hostdir_filter)(void *context, const memfs_hostdir_entry *entry);

typedef struct memfs_hostdir_progress {
    const char *path;                     /* of the entry at work, relative */
    uint64_t entries_done, entries_total; /* total 0: not counted */
    uint64_t bytes_done, bytes_total;     /* holes count as bytes done */
} memfs_hostdir_progress;

/* A return of 0 goes on; a negative value cancels with that error, any other with EINVAL. */
typedef int (*memfs_hostdir_watch)(void *context, const memfs_hostdir_progress *progress);

/* For callbacks that have no error of their own to return. */
#define MEMFS_HOSTDIR_CANCEL MEMFS_ECANCELED

/* Zero means the default in every field; null means all defaults. */
typedef struct memfs_hostdir_options {
    size_t struct_size;         /* sizeof(memfs_hostdir_options) */
    uint32_t flags;             /* MEMFS_HOSTDIR_... */
    uint32_t max_depth;         /* levels below the root; directories on the last are made, and stay
                                empty; 0: no limit */
    uint64_t max_file_bytes;    /* larger files are left out; 0: no limit */
    const char *const *include; /* patterns (see memfs_glob()), a null pointer behind the last:
                                   files and links that match none are left out; null: all match */
    const char *const *exclude; /* what matches one is left out, a directory with all in it */
    void *filter_context;
    memfs_hostdir_filter filter; /* asked last, about what has passed the others */
    void *watch_context;
    memfs_hostdir_watch watch; /* called before each entry, after each 64 KiB, and at the end */
} memfs_hostdir_options;

/* How it went.  Filled after success and failure alike, but for an EINVAL of the arguments. */
typedef struct memfs_hostdir_result {
    size_t struct_size;                    /* set by the caller: sizeof(memfs_hostdir_result) */
    int error;                             /* what the function returned */
    int host_errno;                        /* not 0: the host refused, `error` is MEMFS_EIO */
    uint64_t files, directories, symlinks; /* that were copied; a hard link counts as a file */
    uint64_t links;      /* of these files, further names of one that was copied before */
    uint64_t bytes;      /* of content that was copied; holes are not */
    uint64_t unchanged;  /* with MEMFS_HOSTDIR_CHANGED: files and links that were left alone */
    uint64_t filtered;   /* left out by the options */
    uint64_t special;    /* left out: devices, sockets, pipes */
    uint64_t unreadable; /* left out: the host refused (MEMFS_HOSTDIR_SKIP_UNREADABLE) */
    uint64_t elsewhere;  /* left out: on another file system (MEMFS_HOSTDIR_ONE_FILE_SYSTEM) */
    char path[MEMFS_PATH_MAX + 1]; /* where it failed, on the side that refused; "" if it did not.
                                      Of a longer path its end, with "..." in front */
} memfs_hostdir_result;

/*
 * Copies the file or directory `host_path` of the host to `path` in the tree.  Missing parents of
 * `path` are made, 0755.
 *
 * A file replaces a file or symlink; a directory replaces nothing, unless MEMFS_HOSTDIR_REPLACE.
 *
 * Errors:   EEXIST, EISDIR (a file, and `path` is a directory), EBUSY (what is replaced is locked,
 *           or is the root of the tree), EOPNOTSUPP (`host_path` is neither a file nor a directory;
 *           or something became a device or pipe after it had been looked at).
 * Failure:  nothing has changed, but for the times of the tree's root, in which the stage was.
 * Threads:  one step for every observer of `path`; the stage is visible in the tree's root.
 */
MEMFS_API int memfs_hostdir_import(memfs *fs, const char *host_path, const char *path,
                                   const memfs_hostdir_options *options,
                                   memfs_hostdir_result *result);

/*
 * Copies the file or directory `path` of the tree to `host_path` on the host.  Its parent must
 * exist.  Owners are not kept; of a mode 0777, unless MEMFS_HOSTDIR_SPECIAL_BITS.  Where the host
 * refuses a hard link, the file is copied once more.
 *
 * A file replaces a regular file; a directory replaces nothing, unless one of the flags says so.
 * With MERGE and CHANGED, directories get the modes and times of the tree's, files and links
 * replace files and links, and where a directory meets something else the copy ends.
 *
 * Nothing is written outside of the directory that `host_path` names, whatever links are in it or
 * are put there meanwhile: every directory is opened from its parent by a single name that may be
 * no link, and every file is created under a name that nothing has.  A directory that is moved
 * away while the export is in it ends the export (host_errno ESTALE).
 *
 * Errors:   EEXIST (a file, and `host_path` is there and is no regular file), ENOENT, EINVAL
 *           (`host_path` ends in "." or ".." or is the host's root, without MERGE).
 *           Of the host: EEXIST (a directory, and `host_path` is there), ENOTDIR, ELOOP, ENOSPC ...
 * Failure:  nothing is left, unless MERGE or CHANGED.
 */
MEMFS_API int memfs_hostdir_export(memfs *fs, const char *path, const char *host_path,
                                   const memfs_hostdir_options *options,
                                   memfs_hostdir_result *result);

#ifdef __cplusplus
}
#endif

#endif
