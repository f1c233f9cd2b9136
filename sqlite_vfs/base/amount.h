/*
 * Amounts that users write into URI parameters, PRAGMAs and environment variables: "512M".  A
 * pure function of the text; malformed text is refused, never guessed at.
 */
#ifndef MFS_AMOUNT_H
#define MFS_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads a number of bytes: decimal digits, then at most one of K, M, G, T in either case (powers of
 * 1024).  False, and `*bytes` unchanged, if the text is anything else or the number is too large.
 */
bool mfs_amount_read(const char *text, uint64_t *bytes);

/* Reads a switch: "0" or "1".  False, and `*is_on` untouched, if the text is anything else. */
bool mfs_amount_read_switch(const char *text, bool *is_on);

#endif
