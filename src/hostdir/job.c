#include "job.h"

#include "callerstruct.h"

#include <string.h>

/* The part of a result that every caller must have room for. */
#define RESULT_BYTES_LEAST offsetof(memfs_hostdir_result, files)

static size_t smaller(size_t one, size_t other)
{
    return one < other ? one : other;
}

static bool are_patterns(const char *const *patterns)
{
    int matches;
    for (; patterns != NULL && *patterns != NULL; patterns++)
        if (memfs_glob_match(*patterns, "", &matches) != 0)
            return false;
    return true;
}

static int check_request(const struct mfs_hostdir_request *request,
                         const memfs_hostdir_options *options)
{
    uint32_t merges = MEMFS_HOSTDIR_MERGE | MEMFS_HOSTDIR_CHANGED;
    bool replaces = (options->flags & MEMFS_HOSTDIR_REPLACE) != 0;
    if (request->fs == NULL || request->tree_root == NULL || request->host_root == NULL ||
        (options->flags & ~request->known_flags) != 0 ||
        (replaces && (options->flags & merges) != 0) || !are_patterns(options->include) ||
        !are_patterns(options->exclude))
        return MEMFS_EINVAL;
    if (request->result == NULL)
        return 0;
    return mfs_callerstruct_check(request->result, RESULT_BYTES_LEAST, sizeof *request->result);
}

int mfs_job_init(struct mfs_hostdir_job *job, const struct mfs_hostdir_request *request)
{
    memset(job, 0, sizeof *job);
    job->fs = request->fs;
    job->tree_root = request->tree_root;
    job->host_root = request->host_root;
    job->progress.path = "";
    int error = mfs_callerstruct_read(&job->options, sizeof job->options, request->options);
    if (error == 0)
        error = check_request(request, &job->options);
    if (error != 0)
        return error;
    void *buffer;
    error = memfs_charged_alloc(job->fs, MFS_HOSTDIR_PIECE_BYTES, &buffer);
    if (error != 0) {
        (void)mfs_job_fail(job, "", error);
        return mfs_job_fini(job, request, error);
    }
    job->buffer = buffer;
    return 0;
}

int mfs_job_fini(struct mfs_hostdir_job *job, const struct mfs_hostdir_request *request, int error)
{
    if (job->buffer != NULL)
        (void)memfs_free(job->fs, job->buffer);
    memfs_hostdir_result *out = request->result;
    if (out != NULL) {
        job->result.error = error;
        mfs_callerstruct_write(out, &job->result, sizeof job->result);
    }
    return error;
}

/* ------------------------------------------------------------------ failures */

/* The root, a slash unless there is one, and the path below it; of what is too long, the end. */
static void note_path(char *out, const char *root, const char *path)
{
    static const char cut[] = "...";
    size_t root_length = strlen(root);
    const char *slash = *path != '\0' && root_length > 0 && root[root_length - 1] != '/' ? "/" : "";
    const char *const parts[] = {path, slash, root};
    size_t left = MEMFS_PATH_MAX;
    char *at = out + left;
    *at = '\0';
    for (int part = 0; part < 3; part++) {
        size_t length = strlen(parts[part]);
        size_t kept = smaller(length, left);
        at -= kept;
        left -= kept;
        memcpy(at, parts[part] + (length - kept), kept);
        if (kept < length)
            memcpy(out, cut, sizeof cut - 1);
    }
    memmove(out, at, MEMFS_PATH_MAX - left + 1);
}

static int note(struct mfs_hostdir_job *job, const char *root, const char *path, int error,
                int host_errno)
{
    if (job->result.error != 0)
        return error;
    job->result.error = error;
    job->result.host_errno = host_errno;
    note_path(job->result.path, root, path);
    return error;
}

int mfs_job_fail(struct mfs_hostdir_job *job, const char *path, int problem)
{
    if (problem == 0)
        return 0;
    return problem > 0 ? note(job, job->host_root, path, MEMFS_EIO, problem)
                       : note(job, job->tree_root, path, problem, 0);
}

int mfs_job_fail_on_host(struct mfs_hostdir_job *job, const char *path, int error)
{
    return note(job, job->host_root, path, error, 0);
}

/* ------------------------------------------------------------------ progress */

int mfs_job_tell(struct mfs_hostdir_job *job, const char *path)
{
    if (path != NULL)
        job->progress.path = path;
    if (job->options.watch == NULL)
        return 0;
    int answer = job->options.watch(job->options.watch_context, &job->progress);
    return answer <= 0 ? answer : MEMFS_EINVAL;
}

void mfs_job_count(struct mfs_hostdir_job *job, uint64_t *counter)
{
    ++*counter;
    job->progress.entries_done++;
}
