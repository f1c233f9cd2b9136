/*
 * Checked, saturating and rounding arithmetic.  Every sum or product of numbers that came from
 * outside goes through here.
 */
#ifndef MFS_NUM_H
#define MFS_NUM_H

#include "base/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True, and the sum in `*out`, unless it overflows. */
static inline bool mfs_num_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline bool mfs_num_add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline bool mfs_num_mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

/* The sum and the product, or UINT64_MAX where they overflow; the difference, or 0 where it would
 * be negative. */
static inline uint64_t mfs_num_add_saturating(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return mfs_num_add_u64(a, b, &sum) ? sum : UINT64_MAX;
}

static inline uint64_t mfs_num_mul_saturating(uint64_t a, uint64_t b)
{
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static inline uint64_t mfs_num_sub_saturating(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static inline bool mfs_num_is_power_of_two(uint64_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

/* The binary logarithm, rounded down; n > 0. */
static inline unsigned mfs_num_log2(uint64_t n)
{
    MFS_CHECK(n > 0);
    return 63u - (unsigned)__builtin_clzll(n);
}

/* Rounds up to a multiple of `unit`, a power of two; the caller knows that the result fits. */
static inline size_t mfs_num_round_up(size_t n, size_t unit)
{
    MFS_CHECK(mfs_num_is_power_of_two(unit) && n <= SIZE_MAX - (unit - 1));
    return (n + unit - 1) & ~(unit - 1);
}

static inline uint64_t mfs_num_round_up_u64(uint64_t n, uint64_t unit)
{
    MFS_CHECK(mfs_num_is_power_of_two(unit) && n <= UINT64_MAX - (unit - 1));
    return (n + unit - 1) & ~(unit - 1);
}

static inline uint64_t mfs_num_min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t mfs_num_max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline size_t mfs_num_min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t mfs_num_max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

#endif
