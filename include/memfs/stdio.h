/*
 * memfs/stdio.h: the C library's streams on files of a memfs.
 *
 * A stream is a real FILE *, so fprintf(), fgets(), getline(), fscanf(), fseeko() and every library
 * that takes a FILE * work on it.  Needs fopencookie() (glibc, musl, newlib) or funopen() (the
 * BSDs, macOS).
 *
 *     #include <memfs/stdio.h>
 *
 *     int main(void)
 *     {
 *         memfs *fs;
 *         FILE *stream;
 *         if (memfs_create(NULL, &fs) != 0 || (stream = memfs_fopen(fs, "/log", "a")) == NULL)
 *             return 1;
 *         if (fprintf(stream, "%d lines\n", 3) < 0) // at once, also when the quota refuses it
 *             perror("/log");
 *         if (fclose(stream) != 0)
 *             return 1;
 *         return memfs_destroy(fs, 0) != 0;
 *     }
 *
 * RULES
 *
 * Errors     The functions return null and set errno, as fopen() does.  So do the functions of the
 *            C library that reach a file: EDQUOT if the quota refuses a write, ENOSPC, ENOMEM,
 *            EFBIG ... (memfs_errno() has the table).
 * Buffers    A stream that can write is unbuffered, unless options say otherwise, so that a write
 *            that is refused fails in the call that wrote: fprintf() and fputs() return a negative
 *            value, fwrite() a smaller count.  fclose() then has nothing to write and cannot fail.
 *            A stream that only reads has a buffer of 2000 bytes, or none if there is no room.
 * Partial    What the C library passes on in one piece is written whole or not at all.  It passes
 *  writes    on fwrite(), fputs() and fputc() in one piece, and fprintf() in pieces of its own
 *            buffer (8 KiB in glibc): after a refusal the pieces before are in the file.
 * setvbuf()  A program may give a stream a buffer by itself.  A refusal then shows where the buffer
 *            is flushed, in fflush(), fseek() or fclose(), and what was in it is lost.  With
 *            memfs_stdio_options.room_bytes the flushes cannot be refused.
 * Memory     A stream is charged: its handle, some 100 bytes, and the buffer.  The FILE itself is
 *            on the C library's heap, and so is what setvbuf() or getline() allocate.
 * Position   The stream works at the offset of its handle.  Of several streams on one file each
 *            has its own, unless they were made from one handle.
 * Threads    As for any FILE: the C library locks each stream for each call.
 * Lifetime   fclose() ends a stream.  memfs_destroy() refuses while one is open; after a forced
 *            one it must not be used, nor closed.
 * Limits     fileno() is -1: there is no descriptor, and a library that wants one fails.  Streams
 *            are of bytes: wide characters (fwprintf() ...) are unspecified.
 */
#ifndef MEMFS_STDIO_H
#define MEMFS_STDIO_H

#include <memfs/memfs.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* memfs_stdio_options.flags */
#define MEMFS_STDIO_KEEP_HANDLE 0x1u /* memfs_fdopen_with(): fclose() leaves the handle open */

/* Zero means the default in every field. */
typedef struct memfs_stdio_options {
    size_t struct_size;  /* sizeof(memfs_stdio_options) */
    uint32_t flags;      /* MEMFS_STDIO_... */
    size_t buffer_bytes; /* the stream is fully buffered, with a charged buffer of this size; where
                            it can write, `room_bytes` must not be less */
    uint64_t room_bytes; /* room for this many bytes, from the stream's position on (of a stream
                            that appends, from the end), is set aside until fclose().  Writing them
                            cannot be refused, whatever else is stored meanwhile, as long as no
                            other handle changes the file, which is held private for that
                            (memfs_hold_private()).  Beyond them a flush can be refused. */
} memfs_stdio_options;

/*
 * Opens a file as a stream.  `mode` is one of C11's and POSIX's: "r", "w" or "a", then any of '+'
 * (read and write), 'b', 't', 'e' (nothing changes), and 'x' behind "w" (fail if the file exists),
 * each at most once.  "x" as the first letter is "wx".  Files are created with 0666.
 *
 * Errors:   EINVAL (any other mode; the options), those of memfs_open_mode(), ENOMEM (of the C
 *           library too).  With room_bytes also EINVAL (the stream cannot write), EFBIG, EDQUOT.
 * Failure:  nothing has changed; but if the room is refused, a file that the mode has created or
 *           emptied stays so.
 * Quota:    class MEMFS_CLASS_HANDLES for the handle, MEMFS_CLASS_CHARGED for the rest.
 * Source:   C11 7.21.5.3, POSIX.1-2017 fopen().
 */
MEMFS_API FILE *memfs_fopen(memfs *fs, const char *path, const char *mode);
MEMFS_API FILE *memfs_fopen_with(memfs *fs, const char *path, const char *mode,
                                 const memfs_stdio_options *options);

/*
 * Makes a stream of an open handle, at its offset.  The stream takes the handle over: fclose()
 * closes it, unless MEMFS_STDIO_KEEP_HANDLE.  `mode` says what the stream does, and must be allowed
 * by the handle; nothing is created, emptied or refused for being there.  With "a" each write goes
 * to the end: in one step if the handle has MEMFS_O_APPEND, otherwise in two, between which another
 * writer can come.
 *
 * Errors:   EBADF, EINVAL (the mode, also if the handle was not opened for it; the options),
 *           EISDIR, EDQUOT, ENOMEM, EFBIG.
 * Failure:  nothing has changed; the handle is still the caller's.
 * Source:   POSIX.1-2017 fdopen().
 */
MEMFS_API FILE *memfs_fdopen(memfs_file *file, const char *mode);
MEMFS_API FILE *memfs_fdopen_with(memfs_file *file, const char *mode,
                                  const memfs_stdio_options *options);

/*
 * The errno of this host for an error of memfs: EDQUOT for MEMFS_EDQUOT, whatever number the host
 * gives it, so that strerror() and perror() have their words.  0 for 0, EIO for what is no error of
 * memfs, ENOSPC for MEMFS_EDQUOT where the host has no EDQUOT.
 */
MEMFS_API int memfs_errno(int error);

#ifdef __cplusplus
}
#endif

#endif
