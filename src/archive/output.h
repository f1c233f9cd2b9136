/* Where the bytes of an archive go, for libarchive. */
#ifndef MFS_ARCHIVE_OUTPUT_H
#define MFS_ARCHIVE_OUTPUT_H

#include "savefile.h"
#include "task.h"

struct mfs_archive_output {
    struct mfs_archive_task *task;
    struct mfs_archive_savefile on_host;
    memfs_file *in_tree; /* it has no name before it is committed */
};

/* Refuses a destination that cannot be had, and makes a file to be written.  Returns an error,
 * which is noted. */
int mfs_output_open(struct mfs_archive_output *output, struct mfs_archive_task *task);

/* Takes more bytes.  Returns 0, or -1: the cause is noted as that of the transfer. */
int mfs_output_write(struct mfs_archive_output *output, const void *bytes, size_t size);

/* All was written: the file takes its place.  Returns an error, which is noted. */
int mfs_output_commit(struct mfs_archive_output *output);

/* What was not committed is gone. */
void mfs_output_close(struct mfs_archive_output *output);

#endif
