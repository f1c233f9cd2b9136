/* The built-in encodings beside UTF-8: each character by itself, without states. */
#ifndef MFS_TEXT_WIDECHAR_H
#define MFS_TEXT_WIDECHAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mfs_widechar_kind {
    MFS_WIDECHAR_ASCII,
    MFS_WIDECHAR_LATIN1,
    MFS_WIDECHAR_16,
    MFS_WIDECHAR_32
};

/* As mfs_utf8_decode(). */
int mfs_widechar_decode(enum mfs_widechar_kind kind, bool is_big_endian, const unsigned char *bytes,
                        size_t count, uint32_t *code);

/* Stores a scalar value, in at most 4 bytes, and returns its length; 0: it is not in the
 * encoding. */
size_t mfs_widechar_encode(enum mfs_widechar_kind kind, bool is_big_endian, unsigned char *out,
                           uint32_t code);

#endif
