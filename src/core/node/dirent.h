/* Directory entries: a name, and the node that it refers to. */
#ifndef MFS_DIRENT_H
#define MFS_DIRENT_H

#include "node/buckets.h"

#include <stddef.h>
#include <stdint.h>

struct mfs_node;

struct mfs_dirent {
    struct mfs_node *node; /* the entry holds a reference */
    uint64_t sequence;     /* the entry's place in its directory; 0: not yet in one */
    union {
        struct mfs_chain chain;          /* while in a directory that has buckets */
        struct mfs_chunk *spares;        /* while prepared: what the directory will need */
        struct mfs_dirent *next_removed; /* after removal, if kept in a list */
    } u;
    uint32_t hash;
    uint8_t length;
    uint8_t room; /* the longest name for which the entry has memory */
    char name[];  /* NUL-terminated */
};

#endif
