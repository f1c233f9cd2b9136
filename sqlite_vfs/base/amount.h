/*
 * Values that people write into parameters and environment variables.  Pure
 * functions: text in, number out, and nothing malformed is guessed at.
 */
#ifndef MFS_AMOUNT_H
#define MFS_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads a count of bytes: decimal digits and at most one of K, M, G, T (in either
 * case; powers of 1024) behind them.  False, and `*bytes` untouched, if the text
 * is anything else or does not fit.
 */
bool mfs_amount_read(const char *text, uint64_t *bytes);

/* Reads a switch: "0" or "1".  False, and `*is_on` untouched, if the text is anything else. */
bool mfs_amount_read_switch(const char *text, bool *is_on);

#endif
