/*
 * From the host into the tree.
 *
 *     /                               the tree
 *     |-- .memfs-import-1/            the stage
 *     |   `-- entry/                  the root, being filled
 *     |       `-- sub/   <- at        the directory that belongs to the scan's current one
 *     `-- project                     what "entry" is renamed to at the end
 *
 * 1. Everything is made in the stage by one name in the open directory `at`, so trees deeper than
 *    a path can be are no different.
 * 2. A file with several names stays open for writing until all its names have been met, and gets
 *    the further ones by memfs_link_file().
 * 3. Directories get their times when they are left: nothing is put into them afterwards.
 * 4. The stage is removed whatever happens, which takes no memory.
 */
#include "bytes.h"
#include "choice.h"
#include "filter.h"
#include "hardlinks.h"
#include "osfile.h"
#include "scan.h"
#include "totals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IMPORT_FLAGS \
    (MEMFS_HOSTDIR_REPLACE | MEMFS_HOSTDIR_COUNT | MEMFS_HOSTDIR_INNER_LINKS | \
     MEMFS_HOSTDIR_SKIP_UNREADABLE | MEMFS_HOSTDIR_ONE_FILE_SYSTEM)

enum { STAGES_MOST = 10000, STAGE_BYTES = 48 };

static const char staged_name[] = "entry";

struct importer {
    struct mfs_hostdir_job *job;
    struct mfs_hostdir_scan scan;
    struct mfs_hostdir_hardlinks links;
    memfs_dir *at;
    char stage[STAGE_BYTES];
    char staged[STAGE_BYTES + sizeof staged_name];
};

/* The name in `at` of where the scan stands. */
static const char *name_in_tree(const struct importer *importer)
{
    return importer->scan.entry_depth > 0 ? importer->scan.name : staged_name;
}

static int64_t access_ns(const struct stat *status)
{
    return mfs_hostdir_osfile_ns(mfs_hostdir_osfile_access_time(status));
}

static int64_t modify_ns(const struct stat *status)
{
    return mfs_hostdir_osfile_ns(mfs_hostdir_osfile_modify_time(status));
}

/* --------------------------------------------------------------------- files */

static int fill_in_tree(struct importer *importer, int descriptor, const struct stat *status,
                        memfs_file *file)
{
    int problem = mfs_hostdir_bytes_import(importer->job, descriptor, file);
    return problem != 0 ? problem : memfs_futimens(file, access_ns(status), modify_ns(status));
}

/* Notes a file that has further names; the handle then belongs to the table. */
static int keep_open_for_links(struct importer *importer, const struct stat *status,
                               memfs_file *file)
{
    const struct mfs_hostdir_hardlink link = {.device = (uint64_t)status->st_dev,
                                              .number = (uint64_t)status->st_ino,
                                              .names_left = (uint64_t)status->st_nlink - 1,
                                              .copy = file};
    return mfs_hostdir_hardlinks_add(&importer->links, &link);
}

/* Makes a file of the tree out of an open file of the host. */
static int import_new(struct importer *importer, int descriptor, const struct stat *status,
                      const char *name, bool has_more_names)
{
    memfs_file *file;
    int problem = memfs_openat(importer->job->fs, importer->at, name,
                               MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE,
                               status->st_mode & 07777, &file);
    if (problem != 0)
        return problem;
    problem = fill_in_tree(importer, descriptor, status, file);
    bool is_kept = problem == 0 && has_more_names;
    if (is_kept) {
        problem = keep_open_for_links(importer, status, file);
        is_kept = problem == 0;
    }
    if (!is_kept)
        (void)memfs_close(file);
    if (problem != 0)
        (void)memfs_unlinkat(importer->job->fs, importer->at, name, 0);
    return problem;
}

/* A further name of a file that was copied already. */
static int import_link(struct importer *importer, struct mfs_hostdir_hardlink *link,
                       const struct stat *status, const char *name)
{
    int error = memfs_link_file(link->copy, importer->at, name);
    if (error != 0)
        return error;
    importer->job->result.links++;
    importer->job->progress.bytes_done += (uint64_t)status->st_size;
    if (--link->names_left == 0) {
        (void)memfs_close(link->copy);
        link->copy = NULL;
    }
    return 0;
}

static int import_opened(struct importer *importer, int descriptor, const char *name)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return errno;
    if (!S_ISREG(status.st_mode)) /* replaced since it was looked at */
        return mfs_hostdir_job_fail_on_host(
            importer->job, importer->scan.trail.path != NULL ? importer->scan.trail.path : "",
            MEMFS_EOPNOTSUPP);
    struct mfs_hostdir_hardlink *link = mfs_hostdir_hardlinks_find(
        &importer->links, (uint64_t)status.st_dev, (uint64_t)status.st_ino);
    int problem = MEMFS_EMLINK;
    if (link != NULL && link->copy != NULL)
        problem = import_link(importer, link, &status, name);
    if (problem == MEMFS_EMLINK) /* of no name yet, or of as many as the tree allows */
        problem = import_new(importer, descriptor, &status, name,
                             status.st_nlink > 1 && link == NULL);
    if (problem == 0)
        mfs_hostdir_job_count(importer->job, &importer->job->result.files);
    return problem;
}

/* Not blocking: what was a file may be a pipe by now. */
static int source_open_flags(void)
{
    return O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
}

static int import_file(struct importer *importer)
{
    int descriptor = openat(mfs_hostdir_trail_directory(&importer->scan.trail), importer->scan.name,
                            source_open_flags() | O_NOFOLLOW);
    if (descriptor < 0)
        return errno == ENOENT ? 0 : errno;
    int problem = import_opened(importer, descriptor, importer->scan.name);
    (void)close(descriptor);
    return problem;
}

/* ------------------------------------------------------------- other entries */

static int import_symlink(struct importer *importer)
{
    struct mfs_hostdir_job *job = importer->job;
    const struct mfs_hostdir_scan *scan = &importer->scan;
    char target[MEMFS_PATH_MAX + 2];
    ssize_t length = readlinkat(mfs_hostdir_trail_directory(&scan->trail), scan->name, target,
                                MEMFS_PATH_MAX + 1);
    if (length < 0)
        return errno == ENOENT ? 0 : errno;
    target[length] = '\0';
    if (mfs_hostdir_job_has(job, MEMFS_HOSTDIR_INNER_LINKS) &&
        !mfs_hostdir_filter_is_inner(target, scan->entry_depth))
        return mfs_hostdir_job_fail_on_host(job, scan->trail.path, MEMFS_EXDEV);
    int error = memfs_symlinkat(job->fs, target, importer->at, scan->name);
    if (error != 0)
        return error;
    mfs_hostdir_job_count(job, &job->result.symlinks);
    return memfs_utimensat(job->fs, importer->at, scan->name, access_ns(&scan->status),
                           modify_ns(&scan->status), MEMFS_AT_NOFOLLOW);
}

/* `at` becomes what is at `name` in it. */
static int move_at(struct importer *importer, const char *name)
{
    memfs_dir *dir;
    int error = memfs_opendirat(importer->job->fs, importer->at, name, &dir);
    if (error != 0)
        return error;
    (void)memfs_closedir(importer->at);
    importer->at = dir;
    return 0;
}

static int set_times_of(struct importer *importer, const char *name)
{
    return memfs_utimensat(importer->job->fs, importer->at, name, access_ns(&importer->scan.status),
                           modify_ns(&importer->scan.status), 0);
}

static int import_directory(struct importer *importer)
{
    struct mfs_hostdir_job *job = importer->job;
    struct mfs_hostdir_scan *scan = &importer->scan;
    const char *name = name_in_tree(importer);
    int error = memfs_mkdirat(job->fs, importer->at, name, scan->status.st_mode & 07777);
    if (error != 0)
        return error;
    mfs_hostdir_job_count(job, &job->result.directories);
    if (!mfs_hostdir_filter_ends_at(job, scan->entry_depth))
        return move_at(importer, name);
    mfs_hostdir_scan_skip(scan);
    return set_times_of(importer, name);
}

static int leave_in_tree(struct importer *importer)
{
    int error = set_times_of(importer, ".");
    return error != 0 ? error : move_at(importer, "..");
}

static int import_entry(struct importer *importer)
{
    struct mfs_hostdir_scan *scan = &importer->scan;
    if (scan->event == MEMFS_WALK_LEAVE)
        return leave_in_tree(importer);
    int choice = mfs_hostdir_choice_of_host(importer->job, scan);
    if (choice < 0)
        return choice;
    mfs_hostdir_choice_count(importer->job, choice);
    if (choice != MFS_HOSTDIR_CHOICE_TAKE) {
        if (scan->event == MEMFS_WALK_ENTER)
            mfs_hostdir_scan_skip(scan);
        return 0;
    }
    int answer = mfs_hostdir_job_tell(importer->job, scan->trail.path);
    if (answer != 0)
        return answer;
    if (scan->event == MEMFS_WALK_ENTER)
        return import_directory(importer);
    return S_ISREG(scan->status.st_mode) ? import_file(importer) : import_symlink(importer);
}

/* Whether a problem is one entry's of the host, and the caller wants to go on without it. */
static bool is_skipped(const struct importer *importer, int problem)
{
    bool is_shortage = problem == EMFILE || problem == ENFILE || problem == ENOMEM;
    bool is_below_root = importer->scan.event == 0 || importer->scan.entry_depth > 0;
    return problem > 0 && !is_shortage && is_below_root && !importer->scan.is_lost &&
           mfs_hostdir_job_has(importer->job, MEMFS_HOSTDIR_SKIP_UNREADABLE);
}

/* Takes over the open root. */
static int import_tree(struct importer *importer, int descriptor)
{
    struct mfs_hostdir_job *job = importer->job;
    struct mfs_hostdir_scan *scan = &importer->scan;
    int problem = 0;
    if (mfs_hostdir_job_has(job, MEMFS_HOSTDIR_COUNT))
        problem = mfs_hostdir_totals_of_host(job, descriptor);
    if (problem != 0) {
        (void)close(descriptor);
        return problem;
    }
    problem = mfs_hostdir_scan_begin(scan, descriptor);
    while (problem == 0) {
        problem = mfs_hostdir_scan_next(scan);
        if (problem == 0 && scan->event == 0)
            break;
        if (problem == 0)
            problem = import_entry(importer);
        if (is_skipped(importer, problem)) {
            job->result.unreadable++;
            problem = 0;
        }
    }
    return mfs_hostdir_job_fail(job, scan->trail.path != NULL ? scan->trail.path : "", problem);
}

static int import_root(struct importer *importer, int descriptor, const struct stat *status)
{
    struct mfs_hostdir_job *job = importer->job;
    if (S_ISDIR(status->st_mode))
        return import_tree(importer, descriptor);
    if (mfs_hostdir_job_has(job, MEMFS_HOSTDIR_COUNT))
        mfs_hostdir_totals_add(job, (uint64_t)status->st_size);
    int problem = mfs_hostdir_job_tell(job, "");
    if (problem == 0)
        problem = import_opened(importer, descriptor, staged_name);
    (void)close(descriptor);
    return mfs_hostdir_job_fail(job, "", problem);
}

/* --------------------------------------------------------------------- stage */

static int make_tree_stage(struct importer *importer)
{
    memfs *fs = importer->job->fs;
    int error = MEMFS_EEXIST;
    for (int number = 1; number <= STAGES_MOST && error == MEMFS_EEXIST; number++) {
        snprintf(importer->stage, sizeof importer->stage, "/.memfs-import-%d", number);
        error = memfs_mkdir(fs, importer->stage, 0700);
    }
    if (error != 0)
        return error;
    snprintf(importer->staged, sizeof importer->staged, "%s/%s", importer->stage, staged_name);
    error = memfs_opendir(fs, importer->stage, &importer->at);
    if (error != 0)
        (void)memfs_rmdir(fs, importer->stage);
    return error;
}

/* What was replaced is in the stage now; a locked file in it keeps it from being removed. */
static int remove_replaced_entry(struct importer *importer)
{
    memfs *fs = importer->job->fs;
    int error = memfs_remove_tree(fs, importer->staged);
    if (error != 0)
        (void)memfs_rename(fs, importer->staged, importer->job->tree_root, MEMFS_RENAME_EXCHANGE);
    return error;
}

/* Moves what is in the stage to its place. */
static int publish_staged(struct importer *importer, bool is_directory)
{
    memfs *fs = importer->job->fs;
    const char *path = importer->job->tree_root;
    bool replaces = mfs_hostdir_job_has(importer->job, MEMFS_HOSTDIR_REPLACE);
    unsigned flags = MEMFS_RENAME_MAKE_PARENTS;
    if (is_directory || replaces)
        flags |= MEMFS_RENAME_NOREPLACE;
    for (;;) {
        int error = memfs_rename(fs, importer->staged, path, flags);
        if (error != MEMFS_EEXIST || !replaces)
            return error;
        error = memfs_rename(fs, importer->staged, path, MEMFS_RENAME_EXCHANGE);
        if (error == 0)
            return remove_replaced_entry(importer);
        if (error != MEMFS_ENOENT) /* removed in between */
            return error;
    }
}

static void release_file(memfs *fs, void *copy)
{
    (void)fs;
    if (copy != NULL)
        (void)memfs_close(copy);
}

/* Refuses early what publishing would refuse, as far as it can be seen now. */
static int check_destination(const struct importer *importer, bool is_directory)
{
    memfs_stat_info there = {.struct_size = sizeof there};
    if (mfs_hostdir_job_has(importer->job, MEMFS_HOSTDIR_REPLACE))
        return 0;
    int error = memfs_lstat(importer->job->fs, importer->job->tree_root, &there);
    if (error != 0)
        return error == MEMFS_ENOENT ? 0 : error;
    if (is_directory)
        return MEMFS_EEXIST;
    return there.kind == MEMFS_KIND_DIRECTORY ? MEMFS_EISDIR : 0;
}

/* Takes over the open root. */
static int import_by_stage(struct importer *importer, int descriptor, const struct stat *status)
{
    struct mfs_hostdir_job *job = importer->job;
    int error = check_destination(importer, S_ISDIR(status->st_mode));
    if (error == 0)
        error = make_tree_stage(importer);
    if (error != 0) {
        (void)close(descriptor);
        return mfs_hostdir_job_fail(job, "", error);
    }
    error = import_root(importer, descriptor, status);
    if (error == 0)
        error = mfs_hostdir_job_fail(job, "", mfs_hostdir_job_tell(job, ""));
    mfs_hostdir_scan_fini(&importer->scan);
    mfs_hostdir_hardlinks_fini(&importer->links, release_file);
    (void)memfs_closedir(importer->at);
    if (error == 0)
        error = mfs_hostdir_job_fail(job, "", publish_staged(importer, S_ISDIR(status->st_mode)));
    (void)memfs_remove_tree(job->fs, importer->stage);
    return error;
}

/* What is neither a file nor a directory is not opened. */
static int open_root(struct mfs_hostdir_job *job, struct stat *status, int *descriptor)
{
    if (stat(job->host_root, status) != 0)
        return mfs_hostdir_job_fail(job, "", errno);
    if (!S_ISDIR(status->st_mode) && !S_ISREG(status->st_mode))
        return mfs_hostdir_job_fail_on_host(job, "", MEMFS_EOPNOTSUPP);
    *descriptor = open(job->host_root, source_open_flags());
    if (*descriptor < 0)
        return mfs_hostdir_job_fail(job, "", errno);
    int error = 0;
    if (fstat(*descriptor, status) != 0)
        error = mfs_hostdir_job_fail(job, "", errno);
    else if (!S_ISDIR(status->st_mode) && !S_ISREG(status->st_mode))
        error = mfs_hostdir_job_fail_on_host(job, "", MEMFS_EOPNOTSUPP);
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
    struct importer importer = {.job = &job, .scan.trail.fs = fs, .links.fs = fs};
    struct stat status;
    int descriptor;
    int error = mfs_hostdir_job_init(&job, &request);
    if (error != 0)
        return error;
    error = open_root(&job, &status, &descriptor);
    if (error == 0)
        error = import_by_stage(&importer, descriptor, &status);
    return mfs_hostdir_job_fini(&job, &request, error);
}
