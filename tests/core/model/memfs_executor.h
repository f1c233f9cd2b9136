/* Runs operations on a file system through its public header. */
#ifndef MEMFS_TESTS_MEMFS_EXECUTOR_H
#define MEMFS_TESTS_MEMFS_EXECUTOR_H

#include "executor.h"

#include <memfs/storage.h>

struct memfs_runner {
    memfs *fs;
    memfs_file *handles[HANDLE_SLOTS];
    memfs_dir *directories[DIRECTORY_SLOTS];
    memfs_content_ref version_rooms[VERSION_SLOTS + 1]; /* which may not move: one is spare */
    memfs_content_ref *versions[VERSION_SLOTS];         /* null: not held */
    memfs_file_storage lent; /* of the last handle slot, so that comparing allocates little */
};

struct executor memfs_executor(struct memfs_runner *runner);

/* Closes and drops all that is open. */
void memfs_runner_close(struct memfs_runner *runner);

#endif
