/*
 * Where the nodes of a tree are, by their numbers, and, of a directory, with which one of another
 * tree it goes.  For nodes that have one place: directories, and what has one name.
 */
#ifndef MFS_NODEMAP_H
#define MFS_NODEMAP_H

#include "node/buckets.h"
#include "node/node.h"

struct mfs_nodemap_element {
    struct mfs_chain chain;
    struct mfs_node *node;    /* no references are counted */
    struct mfs_dir_node *dir; /* that it is in; null for the top */
    struct mfs_dirent *entry; /* there */
    struct mfs_dir_node *mate;
};

struct mfs_nodemap_chunk;

struct mfs_nodemap {
    struct mfs_buckets buckets;
    struct mfs_nodemap_chunk *chunks; /* that hold the elements; the newest first */
    uint64_t count;
};

/* What is known of the node with this number, or null. */
struct mfs_nodemap_element *mfs_nodemap_find(const struct mfs_nodemap *map, uint64_t number);

/* Adds a node that is not there yet.  Errors: EDQUOT, ENOMEM.  Charged to the class of handles. */
int mfs_nodemap_add(struct mfs_nodemap *map, struct mfs_memory *memory,
                    const struct mfs_nodemap_element *element);
void mfs_nodemap_fini(struct mfs_nodemap *map, struct mfs_memory *memory);

#endif
