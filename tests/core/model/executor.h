/*
 * What can run operations: memfs itself, the reference model, the host.
 *
 * Errors are MEMFS_E... codes in all of them. A handle, directory or version slot that is empty
 * makes the operation MEMFS_EBADF, except for `at`, where it means the root; opening into a full
 * slot closes what was there.
 */
#ifndef MEMFS_TESTS_EXECUTOR_H
#define MEMFS_TESTS_EXECUTOR_H

#include "operation.h"

/* What a look at a node says; all zero but `error` if that is set. */
struct look {
    int error;
    uint32_t kind; /* enum memfs_kind */
    uint64_t size; /* of a directory 0 */
    uint64_t links;
    uint64_t pages; /* allocated to a file, in whole pages */
};

struct name_list {
    size_t count;
    char names[32][256]; /* sorted by bytes */
};

struct executor {
    void *context;
    void (*run)(void *context, const struct operation *operation, struct outcome *out);
    void (*look)(void *context, int at, const char *path, struct look *out);
    void (*look_open)(void *context, unsigned slot, struct look *out);
    int (*list)(void *context, const char *path, struct name_list *out);
};

/* For readers: splits `operation->size` bytes into `operation->parts` parts; the middle one may be
 * empty.  Returns the length of part `index`. */
size_t operation_part(const struct operation *operation, int index);

/* Hashes a list, for OP_LIST. */
uint64_t name_list_hash(const struct name_list *list);
void name_list_sort(struct name_list *list);

#endif
