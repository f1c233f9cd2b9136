/* From UTF-8 to the bytes of a file. */
#ifndef MFS_TEXT_ENCODER_H
#define MFS_TEXT_ENCODER_H

#include "encoding.h"
#include "sink.h"

#include <memfs/text.h>

struct mfs_encoder_request {
    struct mfs_encoding *encoding;
    enum memfs_text_policy policy;
    const char *newline; /* what a line feed becomes, in UTF-8; null: it stays */
    const unsigned char *text;
    size_t length; /* whole characters */
    bool is_at_beginning;
};

/*
 * Fills the sink with the text, from the initial state and back to it; with the byte order mark or
 * what else belongs at the beginning of a file only there.
 * Errors: EILSEQ (strict, or '?' is not in the encoding), EDQUOT, ENOMEM.
 */
int mfs_encoder_run(const struct mfs_encoder_request *request, struct mfs_sink *sink);

#endif
