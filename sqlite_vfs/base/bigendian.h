/* Integers as SQLite's files have them: the most significant byte first. */
#ifndef MFS_BIGENDIAN_H
#define MFS_BIGENDIAN_H

#include <stdint.h>

/* The 32-bit integer in the four bytes at `bytes`, which need no alignment. */
static inline uint32_t mfs_bigendian_read(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void mfs_bigendian_write(unsigned char *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(value >> (24 - 8 * i));
}

#endif
