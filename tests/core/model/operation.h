/*
 * Random operations on a tree, as data, so that one stream of them can be run
 * by several executors (memfs, the reference model, the host's file system)
 * and the outcomes compared.
 *
 * Everything comes from a seed: the same seed and options give the same stream.
 */
#ifndef MEMFS_TESTS_OPERATION_H
#define MEMFS_TESTS_OPERATION_H

#include <stddef.h>
#include <stdint.h>

enum {
    HANDLE_SLOTS = 8, /* the generator does not use the last one; comparisons do */
    DIRECTORY_SLOTS = 3,
    VERSION_SLOTS = 3,
    SNAPSHOT_SLOTS = 3,
    PATH_ROOM = 320,
    AT_ROOT = -1
};

enum operation_kind {
    OP_OPEN,
    OP_CLOSE,
    OP_READ,
    OP_WRITE,
    OP_SEEK,
    OP_FTRUNCATE,
    OP_TRUNCATE,
    OP_ALLOCATE,
    OP_MKDIR,
    OP_RMDIR,
    OP_UNLINK,
    OP_RENAME,
    OP_LINK,
    OP_SYMLINK,
    OP_READLINK,
    OP_LIST,
    OP_OPENDIR,
    OP_CLOSEDIR,
    OP_LINK_FILE,
    OP_COPY,
    OP_HOST_END, /* from here on: what no host offers as one call */
    OP_WRITE_FILE = OP_HOST_END,
    OP_MKDIR_PARENTS,
    OP_COPY_TREE,
    OP_REMOVE_TREE,
    OP_MAP,
    OP_CUT_PREALLOCATED, /* preallocates and cuts, both below the size; see operation_cut() */
    OP_PREALLOCATE,      /* what lasts; see operation_preallocation() */
    OP_VERSION_TAKE,
    OP_VERSION_RESTORE,
    OP_VERSION_DROP,
    OP_VERSION_READ,
    OP_SNAPSHOT,
    OP_SNAPSHOT_REMOVE,
    OP_SNAPSHOT_EXTRACT,
    OP_RESTORE,
    OP_END
};

struct operation {
    enum operation_kind kind;
    char path[PATH_ROOM];
    char other[PATH_ROOM]; /* the target of rename, link, copy; the text of a symlink */
    int at, other_at;      /* a directory slot, or AT_ROOT */
    unsigned slot;         /* of the handle */
    unsigned extra_slot;   /* of the directory, version or snapshot */
    uint32_t flags;        /* as the memfs function takes them */
    int positioned;        /* pread and pwrite instead of read and write */
    int parts;             /* above 1: the vector form */
    int whence;
    int64_t offset;
    int64_t size; /* bytes to read or write, or the new size */
    uint64_t data_seed;
};

/* What came of it: the returned value, and a hash of the bytes or names that came with it. */
struct outcome {
    int64_t result;
    uint64_t hash;
};

struct generator {
    uint64_t state;
    uint32_t page_size;
    int64_t far_offset; /* sparse offsets reach up to here */
    int host;           /* only what the host can do, and never a path that leaves the root */
};

void generator_init(struct generator *generator, uint64_t seed, uint32_t page_size,
                    int64_t far_offset, int host);
uint64_t generator_next(struct generator *generator);
/* A number from 0 to limit - 1. */
uint64_t generator_below(struct generator *generator, uint64_t limit);
void generator_operation(struct generator *generator, struct operation *out);

/* One line on stderr. */
void operation_print(const struct operation *operation, const struct outcome *outcome);

/* The bytes that a write with this seed writes, in a buffer that the next call reuses. */
const unsigned char *operation_data(uint64_t data_seed, size_t length);

/* A buffer for reading up to `length` bytes, which the next call reuses. */
unsigned char *operation_buffer(size_t length);

/* The size that a file of `size` bytes is cut to, and where the preallocation before that ends. */
int64_t operation_cut(const struct operation *operation, int64_t size, int64_t *preallocated_end);

/*
 * Where a preallocation ends: below the size, or some pages behind it.  A file of at most one page
 * gets a second one, since memfs may store the first in less than a page, and then where its hole
 * begins, and the preallocation ends, cannot be told from outside.
 */
int64_t operation_preallocation(const struct operation *operation, int64_t size, uint64_t pages,
                                uint32_t page_size);

#define HASH_START UINT64_C(0x9e3779b97f4a7c15)
uint64_t hash_bytes(uint64_t hash, const void *data, size_t length);

#endif
