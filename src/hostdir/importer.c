/*
 *     /                               the tree
 *     |-- .memfs-import-1/            the stage
 *     |   `-- entry/                  the root, being filled
 *     |       `-- sub/   <- at        the directory that belongs to the scan's current one
 *
 * 1. Everything is made by one name in the open directory `at`, so trees deeper than a path can be
 *    are no different.
 * 2. A file with several names stays open for writing until all its names have been met, and gets
 *    the further ones by memfs_link_file().
 * 3. Directories get their times when they are left: nothing is put into them afterwards.
 */
#include "importer.h"

#include "choice.h"
#include "datacopy.h"
#include "filter.h"
#include "osfile.h"
#include "totals.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The name in `at` of where the scan stands. */
static const char *name_in_tree(const struct mfs_hostdir_importer *importer)
{
    return importer->scan.entry_depth > 0 ? importer->scan.name : MFS_HOSTDIR_IMPORTER_ROOT_NAME;
}

static int64_t access_ns(const struct stat *status)
{
    return mfs_osfile_ns(mfs_osfile_access_time(status));
}

static int64_t modify_ns(const struct stat *status)
{
    return mfs_osfile_ns(mfs_osfile_modify_time(status));
}

/* --------------------------------------------------------------------- files */

static int fill_in_tree(struct mfs_hostdir_importer *importer, int descriptor,
                        const struct stat *status, memfs_file *file)
{
    int problem = mfs_datacopy_import(importer->job, descriptor, file);
    return problem != 0 ? problem : memfs_futimens(file, access_ns(status), modify_ns(status));
}

/* Notes a file that has further names; the handle then belongs to the table. */
static int keep_open_for_links(struct mfs_hostdir_importer *importer, const struct stat *status,
                               memfs_file *file)
{
    const struct mfs_hostdir_hardlink link = {.device = (uint64_t)status->st_dev,
                                              .number = (uint64_t)status->st_ino,
                                              .names_left = (uint64_t)status->st_nlink - 1,
                                              .copy = file};
    return mfs_hardlinks_add(&importer->links, &link);
}

/* Makes a file of the tree out of an open file of the host. */
static int import_new(struct mfs_hostdir_importer *importer, int descriptor,
                      const struct stat *status, const char *name, bool has_more_names)
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
static int import_link(struct mfs_hostdir_importer *importer, struct mfs_hostdir_hardlink *link,
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

int mfs_importer_file(struct mfs_hostdir_importer *importer, int descriptor, const char *name)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return errno;
    if (!S_ISREG(status.st_mode)) /* replaced since it was looked at */
        return mfs_job_fail_on_host(
            importer->job, importer->scan.trail.path != NULL ? importer->scan.trail.path : "",
            MEMFS_EOPNOTSUPP);
    struct mfs_hostdir_hardlink *link = mfs_hardlinks_find(
        &importer->links, (uint64_t)status.st_dev, (uint64_t)status.st_ino);
    int problem = MEMFS_EMLINK;
    if (link != NULL && link->copy != NULL)
        problem = import_link(importer, link, &status, name);
    if (problem == MEMFS_EMLINK) /* of no name yet, or of as many as the tree allows */
        problem = import_new(importer, descriptor, &status, name,
                             status.st_nlink > 1 && link == NULL);
    if (problem == 0)
        mfs_job_count(importer->job, &importer->job->result.files);
    return problem;
}

int mfs_importer_open_flags(void)
{
    return O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
}

static int import_file(struct mfs_hostdir_importer *importer)
{
    int descriptor = openat(mfs_trail_directory(&importer->scan.trail), importer->scan.name,
                            mfs_importer_open_flags() | O_NOFOLLOW);
    if (descriptor < 0)
        return errno == ENOENT ? 0 : errno;
    int problem = mfs_importer_file(importer, descriptor, importer->scan.name);
    (void)close(descriptor);
    return problem;
}

/* ------------------------------------------------------------- other entries */

static int import_symlink(struct mfs_hostdir_importer *importer)
{
    struct mfs_hostdir_job *job = importer->job;
    const struct mfs_hostdir_scan *scan = &importer->scan;
    char target[MEMFS_PATH_MAX + 2];
    ssize_t length = readlinkat(mfs_trail_directory(&scan->trail), scan->name, target,
                                MEMFS_PATH_MAX + 1);
    if (length < 0)
        return errno == ENOENT ? 0 : errno;
    target[length] = '\0';
    if (mfs_job_has(job, MEMFS_HOSTDIR_INNER_LINKS) &&
        !mfs_filter_is_inner(target, scan->entry_depth))
        return mfs_job_fail_on_host(job, scan->trail.path, MEMFS_EXDEV);
    int error = memfs_symlinkat(job->fs, target, importer->at, scan->name, 0);
    if (error != 0)
        return error;
    mfs_job_count(job, &job->result.symlinks);
    return memfs_utimensat(job->fs, importer->at, scan->name, access_ns(&scan->status),
                           modify_ns(&scan->status), MEMFS_AT_NOFOLLOW);
}

/* `at` becomes what is at `name` in it. */
static int move_at(struct mfs_hostdir_importer *importer, const char *name)
{
    memfs_dir *dir;
    int error = memfs_opendirat(importer->job->fs, importer->at, name, &dir);
    if (error != 0)
        return error;
    (void)memfs_closedir(importer->at);
    importer->at = dir;
    return 0;
}

static int set_times_of(struct mfs_hostdir_importer *importer, const char *name)
{
    return memfs_utimensat(importer->job->fs, importer->at, name, access_ns(&importer->scan.status),
                           modify_ns(&importer->scan.status), 0);
}

static int import_directory(struct mfs_hostdir_importer *importer)
{
    struct mfs_hostdir_job *job = importer->job;
    struct mfs_hostdir_scan *scan = &importer->scan;
    const char *name = name_in_tree(importer);
    int error = memfs_mkdirat(job->fs, importer->at, name, scan->status.st_mode & 07777);
    if (error != 0)
        return error;
    mfs_job_count(job, &job->result.directories);
    if (!mfs_filter_ends_at(job, scan->entry_depth))
        return move_at(importer, name);
    mfs_scan_skip(scan);
    return set_times_of(importer, name);
}

static int leave_in_tree(struct mfs_hostdir_importer *importer)
{
    int error = set_times_of(importer, ".");
    return error != 0 ? error : move_at(importer, "..");
}

static int import_entry(struct mfs_hostdir_importer *importer)
{
    struct mfs_hostdir_scan *scan = &importer->scan;
    if (scan->event == MEMFS_WALK_LEAVE)
        return leave_in_tree(importer);
    int choice = mfs_choice_of_host(importer->job, scan);
    if (choice < 0)
        return choice;
    mfs_choice_count(importer->job, choice);
    if (choice != MFS_HOSTDIR_CHOICE_TAKE) {
        if (scan->event == MEMFS_WALK_ENTER)
            mfs_scan_skip(scan);
        return 0;
    }
    int answer = mfs_job_tell(importer->job, scan->trail.path);
    if (answer != 0)
        return answer;
    if (scan->event == MEMFS_WALK_ENTER)
        return import_directory(importer);
    return S_ISREG(scan->status.st_mode) ? import_file(importer) : import_symlink(importer);
}

/* Whether a problem is one entry's of the host, and the caller wants to go on without it. */
static bool is_skipped(const struct mfs_hostdir_importer *importer, int problem)
{
    bool is_shortage = problem == EMFILE || problem == ENFILE || problem == ENOMEM;
    bool is_below_root = importer->scan.event == 0 || importer->scan.entry_depth > 0;
    return problem > 0 && !is_shortage && is_below_root && !importer->scan.is_lost &&
           mfs_job_has(importer->job, MEMFS_HOSTDIR_SKIP_UNREADABLE);
}

int mfs_importer_tree(struct mfs_hostdir_importer *importer, int descriptor)
{
    struct mfs_hostdir_job *job = importer->job;
    struct mfs_hostdir_scan *scan = &importer->scan;
    int problem = 0;
    if (mfs_job_has(job, MEMFS_HOSTDIR_COUNT))
        problem = mfs_totals_of_host(job, descriptor);
    if (problem != 0) {
        (void)close(descriptor);
        return problem;
    }
    problem = mfs_scan_begin(scan, descriptor);
    while (problem == 0) {
        problem = mfs_scan_next(scan);
        if (problem == 0 && scan->event == 0)
            break;
        if (problem == 0)
            problem = import_entry(importer);
        if (is_skipped(importer, problem)) {
            job->result.unreadable++;
            problem = 0;
        }
    }
    return mfs_job_fail(job, scan->trail.path != NULL ? scan->trail.path : "", problem);
}

static void release_file(memfs *fs, void *copy)
{
    (void)fs;
    if (copy != NULL)
        (void)memfs_close(copy);
}

void mfs_importer_fini(struct mfs_hostdir_importer *importer)
{
    mfs_scan_fini(&importer->scan);
    mfs_hardlinks_fini(&importer->links, release_file);
    (void)memfs_closedir(importer->at);
}
