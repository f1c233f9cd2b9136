/* One import or export: its options, how it goes, and whether it is to go on. */
#ifndef MFS_HOSTDIR_JOB_H
#define MFS_HOSTDIR_JOB_H

#include <memfs/hostdir.h>
#include <memfs/storage.h>
#include <stdbool.h>

enum { MFS_HOSTDIR_PIECE_BYTES = 65536 };

struct mfs_hostdir_job {
    memfs *fs;
    const char *tree_root, *host_root; /* as the caller gave them */
    memfs_hostdir_options options;     /* complete */
    memfs_hostdir_result result;
    memfs_hostdir_progress progress;
    char *buffer; /* MFS_HOSTDIR_PIECE_BYTES */
};

/* What the caller of an exported function has passed. */
struct mfs_hostdir_request {
    memfs *fs;
    const char *tree_root, *host_root;
    const memfs_hostdir_options *options;
    memfs_hostdir_result *result;
    uint32_t known_flags;
};

/* Errors: EINVAL, E2BIG; EDQUOT, ENOMEM (the buffer), which are in the result already. */
int mfs_job_init(struct mfs_hostdir_job *job, const struct mfs_hostdir_request *request);

/* Hands the result out.  Returns `error`. */
int mfs_job_fini(struct mfs_hostdir_job *job, const struct mfs_hostdir_request *request, int error);

static inline bool mfs_job_has(const struct mfs_hostdir_job *job, uint32_t flag)
{
    return (job->options.flags & flag) != 0;
}

/*
 * Notes a problem at a relative path: an errno on the host's side, an error of memfs on the
 * tree's.  The first one counts.  Returns the error to give back: 0 if there is no problem.
 */
int mfs_job_fail(struct mfs_hostdir_job *job, const char *path, int problem);

/* The same for an error of memfs on the host's side. */
int mfs_job_fail_on_host(struct mfs_hostdir_job *job, const char *path, int error);

/*
 * Tells the watch where the job is.  What it answers: 0, or an error.  `path` is kept until the
 * next call; null: still the same.
 */
int mfs_job_tell(struct mfs_hostdir_job *job, const char *path);

/* Counts an entry that is done. */
void mfs_job_count(struct mfs_hostdir_job *job, uint64_t *counter);

#endif
