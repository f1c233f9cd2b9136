/*
 * memfs/print.h: a tree, printed for people.
 *
 *     #include <memfs/print.h>
 *
 *     int main(void)
 *     {
 *         memfs *fs;
 *         if (memfs_create(NULL, &fs) != 0)
 *             return 1;
 *         memfs_write_file(fs, "/etc/motd", "hello\n", 6, 0644, MEMFS_WRITE_MAKE_PARENTS);
 *         memfs_symlink(fs, "motd", "/etc/issue", 0);
 *         memfs_print_tree_to(fs, "/", NULL, stdout);
 *         return memfs_destroy(fs, 0) != 0;
 *     }
 *
 * prints
 *
 *     drwxr-xr-x        6 B  /
 *     drwxr-xr-x        6 B  `-- etc
 *     -rw-r--r--        6 B      |-- motd
 *     lrwxrwxrwx                 `-- issue -> motd
 *
 *     1 file, 2 directories, 1 link; 6 B in files
 *     [#-----------------------------] 19.4 KiB of 256.0 MiB held (0 %), the most ever 19.4 KiB
 *
 * (with MEMFS_PRINT_ASCII; otherwise the lines are Unicode's).
 *
 * A line has the mode, the size, the name, and what is remarkable: bytes that copies or snapshots
 * share, further names, open handles, a lock.  The size of a directory is that of all files in it.
 * Sizes have binary units (1 KiB is 1024 bytes).  Entries come in order of creation.  Bytes of a
 * name that a terminal would obey, and what is no UTF-8, are printed as \xNN.
 *
 * The last lines add up what is below the path, and show the quota as a bar.
 *
 * A tree that is changed meanwhile is printed as it is met: what vanishes before its turn is left
 * out.
 */
#ifndef MEMFS_PRINT_H
#define MEMFS_PRINT_H

#include <memfs/memfs.h>

#include <stdio.h>

#ifdef MEMFS_PRINT_BUILDING
#define MEMFS_PRINT_API MEMFS_EXPORT
#else
#define MEMFS_PRINT_API MEMFS_IMPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define MEMFS_PRINT_ASCII 0x1u      /* the lines of the tree in ASCII */
#define MEMFS_PRINT_BYTES 0x2u      /* sizes in bytes */
#define MEMFS_PRINT_NO_SUMMARY 0x4u /* the tree alone */

#define MEMFS_PRINT_DEPTH_MAX \
    32u /* levels below the path; what is deeper is left out, and counted
                                     by the summary only */

/* Zero means the default in every field; null means all defaults. */
typedef struct memfs_print_options {
    size_t struct_size;   /* sizeof(memfs_print_options) */
    uint32_t flags;       /* MEMFS_PRINT_... */
    uint32_t max_depth;   /* levels below the path; 0: MEMFS_PRINT_DEPTH_MAX, the most */
    uint64_t max_entries; /* entries printed of one directory, the rest is a number; 0: all */
} memfs_print_options;

/* Takes `length` bytes of text, a part of a line or several.  A negative return ends the printing
 * with that error, any other but 0 with EINVAL. */
typedef int (*memfs_print_write)(void *context, const char *text, size_t length);

/*
 * Prints the file, directory or symlink `path`, and what is below it.
 *
 * memfs_print_tree()    to a callback, which runs in the caller's thread without locks and may
 *                       use the file system.
 * memfs_print_tree_to() to a stream of C, which it flushes.
 *
 * Errors:   EINVAL (a null pointer, an unknown flag, max_depth above MEMFS_PRINT_DEPTH_MAX), E2BIG
 *           (options larger than this library's, with something in the rest), EIO (the stream),
 *           EDQUOT, ENOMEM; those of the path.
 * Failure:  the tree is as it was; what was printed was printed.
 * Quota:    a directory stream for each level, and what memfs_tree_usage() takes for a while.
 *           Access times follow as they do for readdir().
 * Threads:  any; two threads that print to the same stream mix their lines.
 */
MEMFS_PRINT_API int memfs_print_tree(memfs *fs, const char *path,
                                     const memfs_print_options *options, memfs_print_write write,
                                     void *context);
MEMFS_PRINT_API int memfs_print_tree_to(memfs *fs, const char *path,
                                        const memfs_print_options *options, FILE *stream);

#ifdef __cplusplus
}
#endif

#endif
