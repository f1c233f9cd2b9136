/*
 * From the host into the tree: the stage, which is filled and then renamed to the destination, or
 * removed whatever happens; removing takes no memory.
 */
#include "importer.h"
#include "totals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMPORT_FLAGS \
    (MEMFS_HOSTDIR_REPLACE | MEMFS_HOSTDIR_COUNT | MEMFS_HOSTDIR_INNER_LINKS | \
     MEMFS_HOSTDIR_SKIP_UNREADABLE | MEMFS_HOSTDIR_ONE_FILE_SYSTEM)

enum { STAGES_MOST = 10000, STAGE_BYTES = 48 };

struct import_run {
    struct mfs_hostdir_importer importer;
    char stage[STAGE_BYTES];
    char staged[STAGE_BYTES + sizeof MFS_HOSTDIR_IMPORTER_ROOT_NAME];
};

/* Takes over the open root. */
static int import_root(struct import_run *run, int descriptor, const struct stat *status)
{
    struct mfs_hostdir_job *job = run->importer.job;
    if (S_ISDIR(status->st_mode))
        return mfs_importer_tree(&run->importer, descriptor);
    if (mfs_job_has(job, MEMFS_HOSTDIR_COUNT))
        mfs_totals_add(job, (uint64_t)status->st_size);
    int problem = mfs_job_tell(job, "");
    if (problem == 0)
        problem = mfs_importer_file(&run->importer, descriptor, MFS_HOSTDIR_IMPORTER_ROOT_NAME);
    (void)close(descriptor);
    return mfs_job_fail(job, "", problem);
}

static int make_tree_stage(struct import_run *run)
{
    memfs *fs = run->importer.job->fs;
    int error = MEMFS_EEXIST;
    for (int number = 1; number <= STAGES_MOST && error == MEMFS_EEXIST; number++) {
        snprintf(run->stage, sizeof run->stage, "/.memfs-import-%d", number);
        error = memfs_mkdir(fs, run->stage, 0700);
    }
    if (error != 0)
        return error;
    snprintf(run->staged, sizeof run->staged, "%s/%s", run->stage, MFS_HOSTDIR_IMPORTER_ROOT_NAME);
    error = memfs_opendir(fs, run->stage, &run->importer.at);
    if (error != 0)
        (void)memfs_rmdir(fs, run->stage);
    return error;
}

/* Moves what is in the stage to its place. */
static int publish_staged(struct import_run *run, bool is_directory)
{
    unsigned flags = MEMFS_RENAME_MAKE_PARENTS;
    if (mfs_job_has(run->importer.job, MEMFS_HOSTDIR_REPLACE))
        flags |= MEMFS_RENAME_REPLACE_TREE;
    else if (is_directory)
        flags |= MEMFS_RENAME_NOREPLACE;
    return memfs_rename(run->importer.job->fs, run->staged, run->importer.job->tree_root, flags);
}

/* Refuses early what publishing would refuse, as far as it can be seen now. */
static int check_destination(const struct import_run *run, bool is_directory)
{
    memfs_stat_info there = {.struct_size = sizeof there};
    if (mfs_job_has(run->importer.job, MEMFS_HOSTDIR_REPLACE))
        return 0;
    int error = memfs_lstat(run->importer.job->fs, run->importer.job->tree_root, &there);
    if (error != 0)
        return error == MEMFS_ENOENT ? 0 : error;
    if (is_directory)
        return MEMFS_EEXIST;
    return there.kind == MEMFS_KIND_DIRECTORY ? MEMFS_EISDIR : 0;
}

/* Takes over the open root. */
static int import_by_stage(struct import_run *run, int descriptor, const struct stat *status)
{
    struct mfs_hostdir_job *job = run->importer.job;
    int error = check_destination(run, S_ISDIR(status->st_mode));
    if (error == 0)
        error = make_tree_stage(run);
    if (error != 0) {
        (void)close(descriptor);
        return mfs_job_fail(job, "", error);
    }
    error = import_root(run, descriptor, status);
    if (error == 0)
        error = mfs_job_fail(job, "", mfs_job_tell(job, ""));
    mfs_importer_fini(&run->importer);
    if (error == 0)
        error = mfs_job_fail(job, "", publish_staged(run, S_ISDIR(status->st_mode)));
    (void)memfs_remove_tree(job->fs, run->stage);
    return error;
}

/* What is neither a file nor a directory is not opened. */
static int open_root(struct mfs_hostdir_job *job, struct stat *status, int *descriptor)
{
    if (stat(job->host_root, status) != 0)
        return mfs_job_fail(job, "", errno);
    if (!S_ISDIR(status->st_mode) && !S_ISREG(status->st_mode))
        return mfs_job_fail_on_host(job, "", MEMFS_EOPNOTSUPP);
    *descriptor = open(job->host_root, mfs_importer_open_flags());
    if (*descriptor < 0)
        return mfs_job_fail(job, "", errno);
    int error = 0;
    if (fstat(*descriptor, status) != 0)
        error = mfs_job_fail(job, "", errno);
    else if (!S_ISDIR(status->st_mode) && !S_ISREG(status->st_mode))
        error = mfs_job_fail_on_host(job, "", MEMFS_EOPNOTSUPP);
    if (error != 0)
        (void)close(*descriptor);
    return error;
}

int memfs_hostdir_import(memfs *fs, const char *host_path, const char *path,
                         const memfs_hostdir_options *options, memfs_hostdir_result *result)
{
    const struct mfs_hostdir_request request = {.fs = fs,
                                                .tree_root = path,
                                                .host_root = host_path,
                                                .options = options,
                                                .result = result,
                                                .known_flags = IMPORT_FLAGS};
    struct mfs_hostdir_job job;
    struct import_run run = {.importer = {.job = &job, .scan.trail.fs = fs, .links.fs = fs}};
    struct stat status;
    int descriptor = -1;
    int error = mfs_job_init(&job, &request);
    if (error != 0)
        return error;
    error = open_root(&job, &status, &descriptor);
    if (error == 0)
        error = import_by_stage(&run, descriptor, &status);
    return mfs_job_fini(&job, &request, error);
}
