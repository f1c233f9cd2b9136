/* UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef MFS_TEXT_UTF8_H
#define MFS_TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MFS_UTF8_MOST = 4 };

/*
 * Looks at the character that begins at `bytes`, of which `count` are there (at least one).
 * Returns its length; 0 if these bytes may be the beginning of one; -n if the first n bytes are the
 * maximal subpart of an ill-formed one.  `*code` is set in the first case, and may be null.
 */
int mfs_utf8_decode(const unsigned char *bytes, size_t count, uint32_t *code);

/* Stores a character and returns its length.  `code` must be a scalar value. */
size_t mfs_utf8_encode(unsigned char *out, uint32_t code);

/* The length of the whole characters at the beginning of `bytes`. */
size_t mfs_utf8_valid_length(const unsigned char *bytes, size_t count);

/* The number of characters in whole ones. */
size_t mfs_utf8_count(const unsigned char *bytes, size_t length);

static inline bool mfs_utf8_is_scalar(uint32_t code)
{
    return code < 0xd800 || (code > 0xdfff && code <= 0x10ffff);
}

/* The length of a character of which the first byte is known; the character must be valid. */
static inline size_t mfs_utf8_length(unsigned char first)
{
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

#endif
