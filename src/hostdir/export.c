/*
 * From the tree to the host: what is at the destination, and how it is published.
 *
 *     nothing, or REPLACE     a stage beside it, filled and renamed
 *     MERGE, CHANGED          the directory itself; if there is none, as above
 *     a file                  a staged file, renamed over what is there
 */
#include "choice.h"
#include "exporter.h"
#include "target.h"
#include "totals.h"

#include <errno.h>
#include <string.h>

#define EXPORT_FLAGS \
    (MEMFS_HOSTDIR_REPLACE | MEMFS_HOSTDIR_COUNT | MEMFS_HOSTDIR_INNER_LINKS | \
     MEMFS_HOSTDIR_MERGE | MEMFS_HOSTDIR_CHANGED | MEMFS_HOSTDIR_SPECIAL_BITS)

struct export_run {
    struct mfs_hostdir_exporter exporter;
    struct mfs_hostdir_target target;
};

/* Everything into an open directory, which the trail takes over; the walker stands on the root. */
static int export_tree(struct export_run *run, int descriptor)
{
    int problem = mfs_trail_begin(&run->exporter.trail, descriptor);
    int found = 1;
    run->exporter.path = "";
    while (problem == 0 && found == 1) {
        problem = mfs_exporter_step(&run->exporter);
        if (problem != 0)
            break;
        found = memfs_walk_next(run->exporter.walker, &run->exporter.entry);
        if (found == 1)
            run->exporter.path = mfs_choice_relative(run->exporter.entry,
                                                     run->exporter.root_length);
        else
            run->exporter.path = "";
    }
    int error = mfs_job_fail(run->exporter.job, run->exporter.path, problem != 0 ? problem : found);
    return error != 0 ? error
                      : mfs_job_fail(run->exporter.job, "", mfs_job_tell(run->exporter.job, ""));
}

/* A tree that replaces nothing, or all that is there. */
static int export_staged_tree(struct export_run *run)
{
    bool replaces = mfs_job_has(run->exporter.job, MEMFS_HOSTDIR_REPLACE);
    int descriptor;
    int problem = mfs_target_stage_directory(&run->target, &descriptor);
    if (problem != 0)
        return mfs_job_fail(run->exporter.job, "", problem);
    int error = export_tree(run, descriptor);
    if (error != 0)
        return error;
    problem = mfs_target_publish_directory(&run->target, replaces);
    return mfs_job_fail(run->exporter.job, "", problem);
}

static int export_directory(struct export_run *run)
{
    struct mfs_hostdir_job *job = run->exporter.job;
    struct mfs_hostdir_target *target = &run->target;
    struct stat status;
    bool may_merge = mfs_job_has(job, MEMFS_HOSTDIR_MERGE | MEMFS_HOSTDIR_CHANGED);
    bool has_name = target->name[0] != '\0';
    if (!has_name && !may_merge)
        return mfs_job_fail_on_host(job, "", MEMFS_EINVAL);
    int problem = has_name ? mfs_target_look(target, &status) : 0;
    if (problem != 0 && problem != ENOENT)
        return mfs_job_fail(job, "", problem);
    run->exporter.merges = may_merge && problem == 0;
    if (run->exporter.merges) {
        int descriptor;
        problem = mfs_target_open_directory(target, &descriptor);
        return problem == 0 ? export_tree(run, descriptor) : mfs_job_fail(job, "", problem);
    }
    if (problem == 0 && !mfs_job_has(job, MEMFS_HOSTDIR_REPLACE))
        return mfs_job_fail(job, "", EEXIST);
    return export_staged_tree(run);
}

/* A single file, by a stage. */
static int export_single(struct export_run *run, memfs_file *file)
{
    struct mfs_hostdir_job *job = run->exporter.job;
    struct stat status;
    int descriptor;
    int problem = mfs_job_tell(job, "");
    if (problem == 0)
        problem = mfs_target_stage_file(&run->target, &descriptor);
    if (problem == 0)
        problem = mfs_exporter_fill(&run->exporter, file, descriptor, &status);
    if (problem != 0)
        return problem;
    mfs_job_count(job, &job->result.files);
    problem = mfs_job_tell(job, "");
    if (problem != 0)
        return problem;
    bool replaces = mfs_job_has(job, MEMFS_HOSTDIR_REPLACE);
    return mfs_target_publish_file(&run->target, replaces);
}

static int export_root_file(struct export_run *run)
{
    struct mfs_hostdir_job *job = run->exporter.job;
    struct stat status;
    if (run->target.name[0] == '\0')
        return mfs_job_fail_on_host(job, "", MEMFS_EINVAL);
    int problem = mfs_target_look(&run->target, &status);
    if (problem != 0 && problem != ENOENT)
        return mfs_job_fail(job, "", problem);
    if (problem == 0 && !S_ISREG(status.st_mode) && !mfs_job_has(job, MEMFS_HOSTDIR_REPLACE))
        return mfs_job_fail_on_host(job, "", MEMFS_EEXIST);
    if (problem == 0 && mfs_job_has(job, MEMFS_HOSTDIR_CHANGED) &&
        mfs_exporter_is_same(&run->exporter, run->exporter.entry->stat, &status))
        return mfs_exporter_leave_unchanged(&run->exporter);
    memfs_file *file;
    problem = memfs_walk_open_file(run->exporter.walker, MEMFS_O_READ | MEMFS_O_NOATIME, &file);
    if (problem != 0)
        return mfs_job_fail(job, "", problem);
    problem = export_single(run, file);
    (void)memfs_close(file);
    return mfs_job_fail(job, "", problem);
}

/* The walker is open. */
static int export_root(struct export_run *run)
{
    struct mfs_hostdir_job *job = run->exporter.job;
    int error = 0;
    if (mfs_job_has(job, MEMFS_HOSTDIR_COUNT))
        error = mfs_totals_of_tree(job, job->tree_root);
    if (error != 0)
        return error;
    int found = memfs_walk_next(run->exporter.walker, &run->exporter.entry);
    if (found != 1)
        return mfs_job_fail(job, "", found);
    run->exporter.root_length = strlen(run->exporter.entry->path);
    int problem = mfs_target_open(&run->target, job->host_root);
    if (problem != 0)
        error = mfs_job_fail(job, "", problem);
    else if (run->exporter.entry->event == MEMFS_WALK_ENTER)
        error = export_directory(run);
    else
        error = export_root_file(run);
    mfs_exporter_fini(&run->exporter);
    mfs_target_close(&run->target);
    return error;
}

int memfs_hostdir_export(memfs *fs, const char *path, const char *host_path,
                         const memfs_hostdir_options *options, memfs_hostdir_result *result)
{
    const struct mfs_hostdir_request request = {.fs = fs,
                                                .tree_root = path,
                                                .host_root = host_path,
                                                .options = options,
                                                .result = result,
                                                .known_flags = EXPORT_FLAGS};
    struct mfs_hostdir_job job;
    struct export_run run = {.exporter = {.job = &job, .trail.fs = fs, .links.fs = fs, .path = ""},
                             .target.parent = -1};
    int error = mfs_job_init(&job, &request);
    if (error != 0)
        return error;
    error = mfs_job_fail(&job, "",
                         memfs_walk_open(fs, path, MEMFS_WALK_NOATIME, &run.exporter.walker));
    if (error == 0) {
        error = export_root(&run);
        (void)memfs_walk_close(run.exporter.walker);
    }
    return mfs_job_fini(&job, &request, error);
}
