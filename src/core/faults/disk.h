/*
 * The disk that a tree is thought to be on: what of it is durable.
 *
 * It is kept in another file system, the *store*, under the numbers of the nodes in the tree:
 *
 *     /node/<n>          a file or symlink with the durable bytes; of a directory, an empty one
 *     /link/<n>/<name>   a durable name in directory n, of what is no directory: a link to its node
 *     /down/<n>/<name>   one that leads to a directory: a symlink to that one's number
 *
 * So a name costs what a name costs, bytes are in pages, holes are holes, and a store that is
 * cloned is a disk on which what was pending may be tried out.  A node of which the disk has no
 * name is still there, as on a real disk: the name may become durable later.
 *
 * Numbers are written in hexadecimal digits.  Functions return 0 or the error of the store, which
 * has no quota: MEMFS_ENOMEM.
 */
#ifndef MFS_DISK_H
#define MFS_DISK_H

#include "node/node.h"

#include <memfs/storage.h>

/* Mode, owner and times, to be set together. */
struct mfs_disk_attributes {
    uint32_t mode, uid, gid;
    int64_t access_ns, modify_ns;
};

struct mfs_disk_attributes mfs_disk_attributes_of(const struct mfs_node *node);

/* A name in a directory; `length` is at most MEMFS_NAME_MAX. */
struct mfs_disk_name {
    uint64_t dir;
    const char *name;
    size_t length;
};

/* Makes the three directories in an empty store. */
int mfs_disk_format(memfs *store);

/* Whether the disk knows the node. */
bool mfs_disk_has(memfs *store, uint64_t number);

/* Makes a node without a name; `target` is that of a symlink. */
int mfs_disk_add(memfs *store, uint64_t number, int kind, const char *target);

int mfs_disk_set_attributes(memfs *store, uint64_t number, int kind,
                            const struct mfs_disk_attributes *attributes);

/* The name leads to node `number` (0: nothing) from now on, whatever it led to. */
int mfs_disk_set_name(memfs *store, const struct mfs_disk_name *name, uint64_t number, int kind);

/* Bytes of a file, and then its size. */
int mfs_disk_write(memfs *store, uint64_t number, uint64_t offset, const void *bytes,
                   uint64_t length);
int mfs_disk_resize(memfs *store, uint64_t number, uint64_t size);

/* Forgets the number of a node that is gone; where it is durable, its durable names keep it. */
void mfs_disk_forget(memfs *store, uint64_t number);

/* Fills `out`, which is empty, with what the names from directory `root` on lead to. */
int mfs_disk_build(memfs *store, uint64_t root, memfs *out);

#endif
