/*
 * memfs/archive.h: tar, zip and cpio archives, in and out of a memfs.
 *
 * Loading unpacks an archive into a new directory of the tree, all of it or nothing, and within the
 * quota.  Saving packs a directory, a file or a link of the tree.  Archives are read and written by
 * libarchive.  Needs a host with POSIX files.
 *
 *     #include <memfs/archive.h>
 *     #include <stdio.h>
 *
 *     int main(void)
 *     {
 *         memfs *fs;
 *         static memfs_archive_result result = {.struct_size = sizeof result};
 *         memfs_archive_where file = {.struct_size = sizeof file, .path = "project.tar.gz"};
 *         memfs_archive_options over = {.struct_size = sizeof over,
 *                                       .flags = MEMFS_ARCHIVE_REPLACE};
 *         if (memfs_create(NULL, &fs) != 0)
 *             return 1;
 *         memfs_write_file(fs, "/project/notes", "hi\n", 3, 0644, MEMFS_WRITE_MAKE_PARENTS);
 *         int error = memfs_archive_save(fs, "/project", &file, &over, &result); // to the host
 *         if (error == 0)
 *             error = memfs_archive_load(fs, &file, "/again", NULL, &result);
 *         if (error != 0)
 *             fprintf(stderr, "%s %s\n", memfs_error_text(error), result.message);
 *         return memfs_destroy(fs, 0) != 0 || error != 0;
 *     }
 *
 * CONCEPTS
 *
 * Entry      What an archive says of one name: a file, directory, symbolic link or hard link.
 * Relative   The path of an entry below the directory that is loaded or saved, without a leading
 *  path      slash; the directory's own is "".  Patterns and progress name entries by it.
 * Survey     A first pass over the headers of an archive that can be read twice.  All names are
 *            checked then, and the sizes are added up.
 * Stage      The directory "/.memfs-load-<number>" in the tree, in which an archive is unpacked. It
 *            is then renamed to the destination in one step, or removed.
 *
 * WHAT IS KEPT
 *
 *                        pax       gnutar, ustar   cpio (newc)   zip
 *     modes              yes       yes             yes           yes
 *     modification time  ns        s               s             s
 *     access time        ns        no              no            s
 *     owners (numbers)   yes       yes             yes           yes
 *     symbolic links     yes       yes             yes           yes
 *     hard links         yes       yes             yes           no: the file is copied
 *     holes              yes       read only       no            no
 *     names              bytes     bytes           bytes         UTF-8, composed (NFC)
 *
 * Of a time before 1970 that is no whole second, libarchive writes and reads the fraction in a way
 * of its own: other programs see another fraction.
 *
 * Other formats that libarchive reads (7-Zip, RAR, ISO 9660, cab, ar, lha, xar, WARC) keep what
 * they have.  mtree is not read, since it makes libarchive open files of the host; nor is anything
 * for which libarchive would start a program.  Extended attributes, ACLs and flags are dropped.
 * Devices, sockets and pipes are left out and counted.
 *
 * ALL OR NOTHING
 *
 * Load       Nothing is at the destination until all is there; after a failure nothing is left.
 *            With MEMFS_ARCHIVE_REPLACE the quota must have room for the old tree and the new one.
 * Save       A file of the host is written under the name ".memfs-save-<process>-<number>" beside
 *            its place and then renamed; one of the tree has no name until it is complete.  What a
 *            descriptor or a callback was given before a failure stays there.
 *
 * HOSTILE ARCHIVES
 *
 * The survey and the unpacking refuse, with nothing left:
 *
 *     EXDEV         a name that is absolute or has "..", a hard link to one; a symbolic link that
 *                   may lead out of the directory (unless MEMFS_ARCHIVE_OUTER_LINKS): an absolute
 *                   target, more ".." than directories above it, or a ".." behind a name
 *     ELOOP         a name that leads through a symbolic link of the archive
 *     ENOTDIR       a name that leads through a file; a directory where another entry is
 *     EISDIR        another entry where a directory is
 *     EEXIST        two entries of one name that are not both directories (unless
 *                   MEMFS_ARCHIVE_LAST_COUNTS)
 *     ENOENT        a hard link to what the archive has not had before
 *     EPERM         a hard link to a directory
 *     ENAMETOOLONG  a name, a path or a depth above the limits
 *     EOVERFLOW     more entries than max_entries
 *     EFBIG         more bytes than max_bytes
 *     EDQUOT        sizes that do not fit the quota: in the survey, or when a write is refused
 *     EIO           what is damaged, cut short or encrypted, of a format that is not known, or
 *                   whose data is longer or shorter than the archive says
 *
 * Names may have any bytes but NUL and '/', control characters too.  `result->path` has them as
 * they are: print it with care.  `result->message` has printable ASCII only.
 *
 * RULES FOR BOTH FUNCTIONS
 *
 * Errors     0, or a negative MEMFS_E... code.  Where the host refused, it is MEMFS_EIO and
 *            `result->host_errno` says why.  `result->message` has what libarchive said, if it did.
 *            EINVAL: a null pointer, an unknown flag or one of the other function, a place that is
 *            not described as its kind wants, a bad pattern, a `struct_size` that is too small.
 *            E2BIG: a struct larger than this library's, with something in the rest.
 *            EOPNOTSUPP: this libarchive lacks the format or the compression.
 *            EDQUOT, ENOSPC, ENOMEM: as everywhere.
 * Memory     What memfs needs is charged to the file system: a buffer of 64 KiB, the paths of
 *            directories that get their times last, or of files with several names.  What
 *            libarchive needs is on the heap and not charged: some hundred KiB, for xz and zstd
 *            up to what the archive asks for (a window; 128 MiB are common at the most), and for
 *            zip, 7-Zip and ISO 9660 the list of all members, before the first one is seen.  Where
 *            archives come from strangers, `format` keeps these formats out, and `max_bytes_read`
 *            bounds the list.
 * Threads    Both may run in several threads at a time.  They hold no lock while they work.
 * Locale     The program's locale is neither needed nor changed.  Inside libarchive the calling
 *            thread has another one (uselocale()); callbacks run in the thread's own.
 * Callbacks  Run in the caller's thread, with no lock held, and may use the file system.
 */
#ifndef MEMFS_ARCHIVE_H
#define MEMFS_ARCHIVE_H

#include <memfs/memfs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -------------------------------------------------------------------- places */

/* What a memfs_archive_where is. */
enum memfs_archive_place {
    MEMFS_ARCHIVE_HOST_FILE = 0,  /* `path`, a regular file of the host */
    MEMFS_ARCHIVE_TREE_FILE = 1,  /* `path`, a file of the tree */
    MEMFS_ARCHIVE_BUFFER = 2,     /* `buffer` of `buffer_bytes` */
    MEMFS_ARCHIVE_DESCRIPTOR = 3, /* `descriptor` of the host, which stays open */
    MEMFS_ARCHIVE_CALLBACKS = 4   /* `read` and maybe `seek`, or `write`, with `context` */
};

/* Returns how many bytes were stored, at most `size`; 0 at the end; or a negative MEMFS_E... */
typedef int64_t (*memfs_archive_read)(void *context, void *buffer, size_t size);

/* Moves to this offset from the beginning of the archive, and returns 0; or a negative
 * MEMFS_E... */
typedef int (*memfs_archive_seek)(void *context, int64_t offset);

/* Takes all of the bytes, and returns 0; or a negative MEMFS_E... */
typedef int (*memfs_archive_write)(void *context, const void *bytes, size_t size);

/*
 * Where an archive is, or is to go.  What its kind does not use is left zero.
 *
 * An archive can be read twice, which the survey needs, from a file, a buffer, a descriptor of a
 * regular file, and from callbacks with `seek` and `size`.  A descriptor is read from its offset,
 * which does not move in a regular file.  What comes otherwise is unpacked as it comes; only a zip,
 * or another format with a list of its members, is first copied to a file without a name in the
 * tree, for which the quota must have room.
 */
typedef struct memfs_archive_where {
    size_t struct_size; /* sizeof(memfs_archive_where) */
    uint32_t kind;      /* enum memfs_archive_place */
    int descriptor;
    const char *path;
    void *buffer; /* load: not written to; save: null with size 0: the archive is only measured */
    size_t buffer_bytes;
    void *context;
    memfs_archive_read read;
    memfs_archive_seek seek; /* may be null */
    int64_t size;            /* of the archive, with `seek` */
    memfs_archive_write write;
} memfs_archive_where;

/* ------------------------------------------------------------------- options */

enum memfs_archive_format {
    MEMFS_ARCHIVE_ANY = 0, /* load: what it is; save: by the ending of `path`, else pax */
    MEMFS_ARCHIVE_PAX = 1, /* load: for these three, any tar */
    MEMFS_ARCHIVE_USTAR = 2,
    MEMFS_ARCHIVE_GNUTAR = 3,
    MEMFS_ARCHIVE_ZIP = 4,
    MEMFS_ARCHIVE_CPIO = 5 /* save: newc; load: any cpio */
};

/* Of what is saved; loading finds out by itself. */
enum memfs_archive_compression {
    MEMFS_ARCHIVE_USUAL = 0, /* by the ending of `path`; else deflate in zip, none otherwise */
    MEMFS_ARCHIVE_NONE = 1,
    MEMFS_ARCHIVE_GZIP = 2, /* this and the others: not with zip */
    MEMFS_ARCHIVE_BZIP2 = 3,
    MEMFS_ARCHIVE_XZ = 4,
    MEMFS_ARCHIVE_ZSTD = 5,
    MEMFS_ARCHIVE_LZ4 = 6
};

/* memfs_archive_options.flags, for both functions: */
#define MEMFS_ARCHIVE_REPLACE 0x1u /* what is at the destination is replaced, whatever it is */
/* load: */
#define MEMFS_ARCHIVE_OUTER_LINKS 0x10u  /* take symbolic links that may lead out, too */
#define MEMFS_ARCHIVE_LAST_COUNTS 0x20u  /* of several files or links of one name the last stays */
#define MEMFS_ARCHIVE_SPECIAL_BITS 0x40u /* setuid, setgid and sticky bits too */
#define MEMFS_ARCHIVE_OWNERS 0x80u       /* the numbers of users and groups too */
#define MEMFS_ARCHIVE_NO_SURVEY 0x100u   /* read once, also where it could be read twice */
/* save: */
#define MEMFS_ARCHIVE_AT_ONCE \
    0x1000u /* everything as it is at one instant: of a copy, which costs nodes and names */
#define MEMFS_ARCHIVE_DETERMINISTIC \
    0x2000u /* equal trees give equal bytes: sorted by name, all times `fixed_time_ns`, owners 0;
               costs the memory for a list of all paths */

typedef struct memfs_archive_progress {
    const char *path;                     /* of the entry at work, relative */
    uint64_t entries_done, entries_total; /* total 0: not known (load without a survey) */
    uint64_t bytes_done, bytes_total;     /* of the files' contents */
} memfs_archive_progress;

/* While a survey runs, nothing is done and the totals grow.
 * A return of 0 goes on; a negative value cancels with that error, any other with EINVAL. */
typedef int (*memfs_archive_watch)(void *context, const memfs_archive_progress *progress);

/* For callbacks that have no error of their own to return: Linux's ECANCELED, negated. */
#define MEMFS_ARCHIVE_CANCEL (-125)

#define MEMFS_ARCHIVE_ENTRIES_DEFAULT 1000000u

/* Zero means the default in every field; null means all defaults. */
typedef struct memfs_archive_options {
    size_t struct_size;         /* sizeof(memfs_archive_options) */
    uint32_t flags;             /* MEMFS_ARCHIVE_... */
    uint32_t format;            /* enum memfs_archive_format; load: refuse all others (EIO) */
    uint32_t compression;       /* save: enum memfs_archive_compression */
    uint32_t level;             /* save: of the compression, from 1; 0: its own default */
    int64_t fixed_time_ns;      /* save: for MEMFS_ARCHIVE_DETERMINISTIC */
    uint64_t max_entries;       /* 0: MEMFS_ARCHIVE_ENTRIES_DEFAULT; UINT64_MAX: no limit */
    uint64_t max_bytes;         /* of the files' contents together; 0: only the quota */
    uint64_t max_bytes_read;    /* load: of the archive itself; 0: no limit */
    uint32_t max_path_bytes;    /* load: of relative paths; 0: MEMFS_PATH_MAX, which is the most */
    uint32_t max_depth;         /* load: components of relative paths; 0: no limit */
    uint32_t strip;             /* load: leave out so many leading components of each name; what has
                                no more than these is left out */
    const char *const *include; /* patterns (see memfs_glob()), a null pointer behind the last:
                                   files and links that match none are left out; null: all match */
    const char *const *exclude; /* what matches one is left out, a directory with all in it */
    void *watch_context;
    memfs_archive_watch watch; /* called before each entry, after each piece, and at the end */
} memfs_archive_options;

/* How it went.  Filled after success and failure alike, but for an EINVAL of the arguments. */
typedef struct memfs_archive_result {
    size_t struct_size;                    /* set by the caller: sizeof(memfs_archive_result) */
    int error;                             /* what the function returned */
    int host_errno;                        /* not 0: the host refused, `error` is MEMFS_EIO */
    uint64_t files, directories, symlinks; /* entries; a hard link counts as a file */
    uint64_t links;         /* of these files, further names of one that came before */
    uint64_t bytes;         /* of content that was copied; holes are not */
    uint64_t filtered;      /* left out by the options */
    uint64_t special;       /* left out: devices, sockets, pipes */
    uint64_t archive_bytes; /* of the archive: how far it was read, or written */
    char message[256];      /* libarchive's words, or ""; other than printable ASCII is '?' */
    char path[MEMFS_PATH_MAX + 1]; /* the entry where it failed, relative, its bytes as they are (of
                                      a longer one the beginning); "" if it was none */
} memfs_archive_result;

/* ----------------------------------------------------------------- functions */

/*
 * Unpacks an archive into the directory `path`, which is new.  Its missing parents are made, 0755;
 * so are parents that the archive does not mention.  An entry "." gives `path` its mode and times.
 *
 * Modes are those of the archive, of 0777 unless MEMFS_ARCHIVE_SPECIAL_BITS; times too.  Data takes
 * room also where it is all zeros; only the holes of a sparse tar are holes.
 *
 * If the archive can be read twice, the survey comes first: what declares more data than the quota
 * could ever take is refused before anything is made.  The survey of a compressed archive
 * decompresses it, so that loading takes up to twice the time; MEMFS_ARCHIVE_NO_SURVEY saves that.
 *
 * A tar without the two blocks of zeros that end it counts as cut short.
 *
 * Errors:   EEXIST (`path` is there), EBUSY (what is replaced is locked, or is the root of the
 *           tree), and those of "Hostile archives".  Of the archive: ENOENT, EISDIR (in the tree),
 *           EOPNOTSUPP (a directory, device or pipe of the host; for a pipe use a descriptor), and
 *           what a callback returned.
 * Failure:  nothing has changed, but for the times of the tree's root, in which the stage was.
 * Threads:  one step for every observer of `path`; the stage is visible in the tree's root.
 */
MEMFS_API int memfs_archive_load(memfs *fs, const memfs_archive_where *from, const char *path,
                                 const memfs_archive_options *options,
                                 memfs_archive_result *result);

/*
 * Packs what is at `path`: a directory with all that is in it, the names relative to it, or a
 * single file, under its name.  Symlinks in `path` are followed, those below are packed as such.
 *
 * A file that is written meanwhile may be packed as a mixture of old and new bytes, of the size
 * that it had at first, and what vanishes before its turn is left out, unless
 * MEMFS_ARCHIVE_AT_ONCE: that copies the tree first, which takes the room of its nodes and names,
 * and of files that are held private.
 *
 * A file of the host must be regular to be replaced; links are not followed.  It gets the mode 0666
 * less the process's umask.  In the tree missing parents are made, 0755.
 *
 * Errors:   ENOENT, EEXIST (the destination is there, without MEMFS_ARCHIVE_REPLACE; or is no
 *           regular file), EISDIR, EBUSY (the destination is locked), ERANGE (the buffer is too
 *           small), EOPNOTSUPP (the format cannot hold an entry: its name, its size), ENAMETOOLONG
 *           (a path below `path` is longer than MEMFS_PATH_MAX), EDQUOT, ENOSPC, ENOMEM, and what a
 *           callback returned.
 * Failure:  a destination that is a file is as it was; in a buffer the bytes are unspecified.
 */
MEMFS_API int memfs_archive_save(memfs *fs, const char *path, const memfs_archive_where *to,
                                 const memfs_archive_options *options,
                                 memfs_archive_result *result);

#ifdef __cplusplus
}
#endif

#endif
