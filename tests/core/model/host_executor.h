/* Runs operations on the host's file system, in a directory on tmpfs. */
#ifndef MEMFS_TESTS_HOST_EXECUTOR_H
#define MEMFS_TESTS_HOST_EXECUTOR_H

#include "executor.h"

struct host_runner {
    char root_path[64];
    int root;
    int handles[HANDLE_SLOTS]; /* -1: not open */
    int directories[DIRECTORY_SLOTS];
    int is_temporary[HANDLE_SLOTS]; /* opened without a name */
    int was_linked[HANDLE_SLOTS];   /* by its handle */
};

/* Makes a directory of its own; false if the host has no tmpfs to offer. */
int host_runner_init(struct host_runner *runner);
void host_runner_fini(struct host_runner *runner);
struct executor host_executor(struct host_runner *runner);

/* Linux lets a file that was opened without a name have one once; memfs, again when that is gone.
 * So that is left out. */
int host_cannot_link(const struct host_runner *runner, const struct operation *operation);

#endif
