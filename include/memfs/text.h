/*
 * memfs/text.h: text in files, in the encoding of your choice.
 *
 * A text handle stands on an open file.  In memory text is UTF-8, and a line ends with "\n"; in the
 * file it is in an encoding, with the line ends that the options say.  UTF-8, UTF-16, UTF-32, ASCII
 * and Latin-1 are built in; everything else that the system's iconv() knows is there too.
 *
 *     #include <memfs/text.h>
 *     #include <stdio.h>
 *
 *     int main(void)
 *     {
 *         memfs *fs;
 *         memfs_text *text;
 *         const char *line;
 *         size_t length;
 *         memfs_text_options options = {.struct_size = sizeof options, .encoding = "UTF-16"};
 *         if (memfs_create(NULL, &fs) != 0 ||
 *             memfs_text_open(fs, "/notes", "w+", &options, &text) != 0)
 *             return 1;
 *         memfs_text_write(text, "first\nsecond\n", 13); // 28 bytes in the file
 *         memfs_text_seek(text, NULL);
 *         while (memfs_text_read_line(text, &line, &length) == 1)
 *             printf("%.*s\n", (int)length, line);
 *         memfs_text_close(text);
 *         return memfs_destroy(fs, 0) != 0;
 *     }
 *
 * CONCEPTS
 *
 * Character  A Unicode code point.  Reading never gives half of one.
 * Place      Where the next character is read or written: in the file, and in the states of the
 *            encoding.  A memfs_text_position keeps one.
 * State      In encodings such as ISO-2022-JP what bytes mean depends on bytes before them.  The
 *            initial state is the one at the beginning of a file.
 *
 * RULES
 *
 * Writes     A call writes all of its text or nothing, in one write of the file, at once: the quota
 *            speaks in the call, and closing has nothing left to write and cannot fail.  So each
 *            call leaves the file in the initial state, with the shift sequences that this needs:
 *            text can be appended to it at any time, by any program.
 * Reads      Up to 512 bytes of the file are read ahead.  A read that fails leaves the place where
 *            it was.
 * Errors     MEMFS_EILSEQ: bytes that are no text in the encoding, or a character that the encoding
 *            does not have, where the policy is strict.  MEMFS_EINVAL: what the program passes is
 *            no UTF-8 (whatever the policy).
 * Byte       "UTF-16", "UTF-32" and "UTF-8-SIG" have a byte order mark: it is written in front of
 *  order     what is written at the beginning of a file, and skipped when that is read.  Without a
 *  marks     mark, UTF-16 and UTF-32 have the machine's byte order.  In other encodings, "UTF-8",
 *            "UTF-16LE" and "UTF-16BE" among them, a mark is a character like any other (U+FEFF).
 * Memory     A handle is charged, with about 1.2 KiB and the longest line that it has read; so is,
 *            for the time of a write, the text in the file's encoding and with its line ends,
 *            unless it has at most 256 bytes or is the caller's text as it is.  The descriptors
 *            of iconv() are on the C library's heap.
 * Threads    A handle must not be used by two threads at a time.  Several handles on one file may.
 * Lifetime   memfs_destroy() refuses while a handle is open.
 */
#ifndef MEMFS_TEXT_H
#define MEMFS_TEXT_H

#include <memfs/memfs.h>

/* See MEMFS_API in memfs.h. */
#ifdef MEMFS_TEXT_BUILDING
#define MEMFS_TEXT_API MEMFS_EXPORT
#else
#define MEMFS_TEXT_API MEMFS_IMPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct memfs_text memfs_text;

/* What becomes of bytes that are no text, and of characters that the encoding does not have. */
enum memfs_text_policy {
    MEMFS_TEXT_STRICT = 0, /* MEMFS_EILSEQ */
    MEMFS_TEXT_REPLACE =
        1,                /* reading: U+FFFD, in UTF-8 one for each maximal subpart of a character,
                               as Unicode recommends; writing: '?' */
    MEMFS_TEXT_IGNORE = 2 /* they are left out */
};

/* How lines end in the file. */
enum memfs_text_newline {
    MEMFS_TEXT_LF = 0,
    MEMFS_TEXT_CRLF = 1,     /* a CR or LF alone is a character in the line */
    MEMFS_TEXT_CR = 2,       /* an LF is a character in the line */
    MEMFS_TEXT_UNIVERSAL = 3 /* reading: LF, CRLF and CR; writing: LF */
};

/* memfs_text_options.flags */
#define MEMFS_TEXT_KEEP_NEWLINE 0x1u /* lines are read with their "\n" */
#define MEMFS_TEXT_KEEP_FILE 0x2u    /* memfs_text_wrap(): closing leaves the file open */
#define MEMFS_TEXT_APPEND 0x4u       /* memfs_text_wrap(): each write goes to the end */

#define MEMFS_TEXT_LINE_BYTES_DEFAULT ((size_t)1 << 20)

/* Zero means the default in every field; null means all defaults. */
typedef struct memfs_text_options {
    size_t struct_size;    /* sizeof(memfs_text_options) */
    uint32_t flags;        /* MEMFS_TEXT_KEEP_NEWLINE ... */
    uint32_t newline;      /* enum memfs_text_newline */
    uint32_t read_policy;  /* enum memfs_text_policy */
    uint32_t write_policy; /* enum memfs_text_policy */
    const char *encoding;  /* as iconv() names it, case does not matter; null: "UTF-8" */
    size_t max_line_bytes; /* of UTF-8, "\n" included; 0: MEMFS_TEXT_LINE_BYTES_DEFAULT */
} memfs_text_options;

/* A place in a text.  All zero: the beginning. */
typedef struct memfs_text_position {
    uint64_t opaque[8];
} memfs_text_position;

/* 1 if there is this encoding, 0 if not; never an error. */
MEMFS_TEXT_API int memfs_text_has_encoding(const char *encoding);

/*
 * Opens a file as text.  `mode` is that of memfs_open_mode().  The place is the beginning; with "a"
 * each write goes to the end.
 *
 * Errors:   EOPNOTSUPP (no such encoding), EINVAL (an unknown flag, policy or newline; the mode),
 *           E2BIG, EDQUOT, ENOMEM (of iconv() too), and those of memfs_open_mode().
 * Failure:  nothing has changed.
 */
MEMFS_TEXT_API int memfs_text_open(memfs *fs, const char *path, const char *mode,
                                   const memfs_text_options *options, memfs_text **out);

/*
 * Makes a text handle on an open file, at its offset, where the encoding is in its initial state.
 * It reads if the file was opened for that, and writes if it was.  The handle takes the file over:
 * memfs_text_close() closes it, unless MEMFS_TEXT_KEEP_FILE.  A file opened with MEMFS_O_APPEND
 * needs MEMFS_TEXT_APPEND.
 *
 * Errors:   EBADF, EISDIR, EOPNOTSUPP, EINVAL, E2BIG, EDQUOT, ENOMEM.
 * Failure:  nothing has changed; the file is still the caller's.
 */
MEMFS_TEXT_API int memfs_text_wrap(memfs_file *file, const memfs_text_options *options,
                                   memfs_text **out);

/* Ends a handle.  Errors: EBADF; otherwise it cannot fail. */
MEMFS_TEXT_API int memfs_text_close(memfs_text *text);

/* The file under it, to be looked at (memfs_fstat() ...); null for a null handle. */
MEMFS_TEXT_API memfs_file *memfs_text_file(memfs_text *text);

/*
 * Writes `length` bytes of UTF-8 at the place, over what is there, and returns `length`.  They must
 * be whole characters.
 *
 * Errors:   EINVAL (no UTF-8; the place is where something was read and its offset in the file is
 *           not known, which happens in encodings with states, in the middle of a line), EILSEQ
 *           (strict), EBADF (not opened for writing), EDQUOT, ENOMEM, EFBIG.
 * Failure:  nothing has changed.
 * Quota:    see "Memory".
 * Threads:  one write of the file: with "a" the texts of several handles do not mix.
 */
MEMFS_TEXT_API int64_t memfs_text_write(memfs_text *text, const char *utf8, size_t length);

/*
 * Reads at most `characters` characters, as many as there are and as `size` has room for, and
 * returns the count of bytes stored; 0 at the end.  There is no NUL behind them.  Where a read
 * meets bytes that are no text (strict), it returns what is before them, and the next one the
 * error.
 *
 * Errors:   EILSEQ (strict), ERANGE (`size` has no room for the next character), EINVAL, EBADF (not
 *           opened for reading).
 * Failure:  the place is as it was.
 */
MEMFS_TEXT_API int64_t memfs_text_read(memfs_text *text, size_t characters, char *buffer,
                                       size_t size);

/*
 * Reads a line: returns 1 and the line, or 0 at the end.  The last line need not end with a line
 * end.  The line is without it, unless MEMFS_TEXT_KEEP_NEWLINE; a NUL is behind it, and it may have
 * others in it.
 *
 *     while ((result = memfs_text_read_line(text, &line, &length)) == 1)
 *         ...
 *
 * memfs_text_skip_line() goes to the next line, whatever the rest of this one is: returns 1, or 0
 * if it is at the end already.
 *
 * Errors:   EILSEQ (strict), ERANGE (longer than max_line_bytes), EDQUOT, ENOMEM (no room to hold
 *           it), EBADF.
 * Failure:  the place is as it was: memfs_text_read() can read such a line in pieces,
 *           memfs_text_skip_line() passes over it.
 * Lifetime: the line is good until the next call with the handle.
 */
MEMFS_TEXT_API int memfs_text_read_line(memfs_text *text, const char **line, size_t *length);
MEMFS_TEXT_API int memfs_text_skip_line(memfs_text *text);

/*
 * memfs_text_tell()      notes the place, with the encoding's state there.
 * memfs_text_seek()      goes to a place that was noted, also with another handle of the same file,
 *                        encoding and policy; null: to the beginning.
 * memfs_text_seek_end()  goes to the end, where the encoding is taken to be in its initial state.
 *
 * Telling is constant time; so is seeking, except in encodings in which iconv() keeps characters
 * back, such as CP1255, TCVN or UTF-7: there it decodes anew from the beginning of the line, or of
 * the file.
 *
 * Errors:   EINVAL (not noted by memfs_text_tell() in this encoding), EBADF.
 * Failure:  the place is as it was.
 */
MEMFS_TEXT_API int memfs_text_tell(memfs_text *text, memfs_text_position *out);
MEMFS_TEXT_API int memfs_text_seek(memfs_text *text, const memfs_text_position *position);
MEMFS_TEXT_API int memfs_text_seek_end(memfs_text *text);

#ifdef __cplusplus
}
#endif

#endif
