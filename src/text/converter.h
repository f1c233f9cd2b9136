/*
 * iconv(), with its habits put right.
 *
 * - Names with options (//TRANSLIT, //IGNORE) are refused: they replace characters silently.
 * - What iconv() converts without a way back counts as not converted.
 * - Output that was cut short is never resumed, since not every iconv() keeps the state right then:
 *   the callers give room enough, or start again from the initial state.
 */
#ifndef MFS_TEXT_CONVERTER_H
#define MFS_TEXT_CONVERTER_H

#include <stdbool.h>
#include <stddef.h>

enum mfs_converter_result {
    MFS_CONVERTER_DONE,       /* all of the input */
    MFS_CONVERTER_INVALID,    /* up to something that is invalid, or not in the encoding */
    MFS_CONVERTER_INCOMPLETE, /* up to a character of which the rest is missing */
    MFS_CONVERTER_FULL,       /* up to where the output is full */
    MFS_CONVERTER_LOSSY       /* something was replaced by something else, somewhere */
};

struct mfs_converter {
    void *descriptor; /* iconv_t; `is_open` says whether it is one */
    bool is_open;
};

/* Errors: EOPNOTSUPP (no such encoding), ENOMEM. */
int mfs_converter_open(struct mfs_converter *converter, const char *to, const char *from);
void mfs_converter_close(struct mfs_converter *converter);

/* Back to the initial state; nothing comes out. */
void mfs_converter_reset(struct mfs_converter *converter);

/* Where to read and to write; both pairs move as far as the conversion goes. */
struct mfs_converter_span {
    const unsigned char *in;
    size_t in_bytes;
    unsigned char *out;
    size_t out_bytes;
};

enum mfs_converter_result mfs_converter_run(struct mfs_converter *converter,
                                            struct mfs_converter_span *span);

/* Back to the initial state, with what was kept back and the shift sequence for that: DONE, or
 * FULL. */
enum mfs_converter_result mfs_converter_flush(struct mfs_converter *converter,
                                              struct mfs_converter_span *span);

#endif
