/*
 * A text handle: a file, a decoder on it, and what the options say.
 *
 * The place is the decoder's.  A write goes to its offset and moves it behind what was written.
 */
#ifndef MFS_TEXT_HANDLE_H
#define MFS_TEXT_HANDLE_H

#include "decoder.h"

#define MFS_HANDLE_MAGIC UINT64_C(0x6d66732d74657874)

struct memfs_text {
    uint64_t magic;
    memfs *fs;
    memfs_file *file;
    struct mfs_encoding encoding;
    memfs_text_options options; /* complete */
    bool reads, writes, appends;
    char *line; /* charged, or null */
    size_t line_capacity;
    struct mfs_decoder decoder;
};

/* 0 or EBADF. */
int mfs_handle_check(const memfs_text *text);

/* Some characters in a row, as they are in memory. */
struct mfs_handle_run {
    const unsigned char *bytes;
    size_t length;
    bool ends_line; /* with the last byte, which is a line feed */
    bool is_taken;  /* already: it cannot be left to the next call */
};

/*
 * The next characters: at most what the decoder has at hand, and not beyond the end of a line.
 * 1, or 0 at the end.  `is_taken` apart, mfs_handle_take() takes what was used of it.
 */
int mfs_handle_peek(memfs_text *text, struct mfs_handle_run *run);
void mfs_handle_take(memfs_text *text, const struct mfs_handle_run *run, size_t bytes);

#endif
