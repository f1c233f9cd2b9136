/*
 * The hash of a name in a directory: SipHash-1-3 with a key that is random for each file system, so
 * that names cannot be chosen to collide.
 */
#ifndef MFS_NAMEHASH_H
#define MFS_NAMEHASH_H

#include <stddef.h>
#include <stdint.h>

uint32_t mfs_namehash(const uint64_t key[2], const char *name, size_t length);

#endif
