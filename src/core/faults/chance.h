/* Random numbers that a seed repeats. */
#ifndef MFS_CHANCE_H
#define MFS_CHANCE_H

#include <stdint.h>

/* The next number; `*state` may begin with anything.  splitmix64: a full period from any seed. */
static inline uint64_t mfs_chance_draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

#endif
