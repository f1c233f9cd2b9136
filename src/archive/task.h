/* One load or save: what was asked for, how it goes, and whether it is to go on. */
#ifndef MFS_ARCHIVE_TASK_H
#define MFS_ARCHIVE_TASK_H

#include "charset.h"

#include <memfs/archive.h>
#include <memfs/storage.h>
#include <stdbool.h>

struct archive;

enum { MFS_ARCHIVE_PIECE_BYTES = 65536 };

struct mfs_archive_task {
    memfs *fs;
    const char *root; /* in the tree, as the caller gave it */
    memfs_archive_where where;
    memfs_archive_options options; /* complete, as `where` is */
    memfs_archive_result result;
    memfs_archive_progress progress;
    struct mfs_archive_charset charset;
    char *buffer; /* MFS_ARCHIVE_PIECE_BYTES */
    /* Why reading or writing the archive failed, which libarchive only knows as "failed". */
    int transfer_error, transfer_errno;
};

/* What the caller of an exported function has passed. */
struct mfs_archive_request {
    memfs *fs;
    const char *root;
    const memfs_archive_where *where;
    const memfs_archive_options *options;
    memfs_archive_result *result;
    bool is_load;
};

/* Errors: EINVAL, E2BIG; EDQUOT, ENOMEM (the buffer), which are in the result already. */
int mfs_task_init(struct mfs_archive_task *task, const struct mfs_archive_request *request);

/* Hands the result out.  Returns `error`. */
int mfs_task_fini(struct mfs_archive_task *task, const struct mfs_archive_request *request,
                  int error);

static inline bool mfs_task_has(const struct mfs_archive_task *task, uint32_t flag)
{
    return (task->options.flags & flag) != 0;
}

/*
 * Notes an error at the entry of a relative path ("": none), and maybe words.  The first one
 * counts.  Returns the error; 0 is none.
 */
int mfs_task_fail(struct mfs_archive_task *task, const char *path, int error, const char *words);

/* The same for an errno of the host: MEMFS_EIO. */
int mfs_task_fail_on_host(struct mfs_archive_task *task, int host_errno);

/* What libarchive refused: with its words, and the error of the transfer if that was the cause. */
int mfs_task_fail_in_archive(struct mfs_archive_task *task, struct archive *archive,
                             const char *path, int error);

/* Keeps the cause of a failed transfer for that; the first one counts.  Returns -1. */
int mfs_task_fail_transfer(struct mfs_archive_task *task, int error, int host_errno);

/*
 * Tells the watch where the task is.  What it answers: 0, or an error.  `path` is kept until the
 * next call; null: still the same.
 */
int mfs_task_tell(struct mfs_archive_task *task, const char *path);

#endif
