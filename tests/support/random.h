/* Random numbers that a seed repeats: splitmix64. */
#ifndef MEMFS_TESTS_RANDOM_H
#define MEMFS_TESTS_RANDOM_H

#include <stdint.h>

/* The next number of a sequence; seeds that are close to each other give unlike sequences. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Below `bound`, which is not 0. */
static inline uint32_t random_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)(random_next(state) >> 32) % bound;
}

#endif
