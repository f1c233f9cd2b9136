/*
 * From the tree to the host.
 *
 * A walk of the tree and a trail on the host go side by side.  Every name on the host is made in
 * an open directory, and nothing that has it already is written to: in a stage nothing has it, in
 * a merge a temporary name is renamed over it (place.h).
 *
 * 1. A directory is made 0700, so that it can be filled and nobody else fills it, and gets its mode
 *    and times when it is left.
 * 2. Further names of a file become links to its first copy, found again from the root, one
 *    directory after the other.  What the link has come to is compared with the copy, since
 *    another file might have been put in its place.
 */
#include "bytes.h"
#include "choice.h"
#include "filter.h"
#include "hardlinks.h"
#include "osfile.h"
#include "target.h"
#include "totals.h"
#include "trail.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define EXPORT_FLAGS \
    (MEMFS_HOSTDIR_REPLACE | MEMFS_HOSTDIR_COUNT | MEMFS_HOSTDIR_INNER_LINKS | \
     MEMFS_HOSTDIR_MERGE | MEMFS_HOSTDIR_CHANGED | MEMFS_HOSTDIR_SPECIAL_BITS)

struct exporter {
    struct mfs_hostdir_job *job;
    struct mfs_hostdir_target target;
    struct mfs_hostdir_trail trail;
    struct mfs_hostdir_hardlinks links; /* of struct first_copy */
    memfs_walker *walker;
    const memfs_walk_entry *entry; /* where the walker stands */
    const char *path;              /* of the entry, relative */
    size_t root_length;
    bool merges;
    bool ignores_leave; /* of the directory that was just left out */
};

/* The first copy of a file with several names. */
struct first_copy {
    uint64_t device, number;
    int64_t size, modify_ns; /* a number alone may be another file's by now */
    char path[];             /* relative */
};

static mode_t mode_of(const struct exporter *exporter, const memfs_stat_info *stat)
{
    bool is_whole = mfs_hostdir_job_has(exporter->job, MEMFS_HOSTDIR_SPECIAL_BITS);
    return (mode_t)(stat->mode & (is_whole ? 07777u : 0777u));
}

static void read_times(const memfs_stat_info *stat, struct timespec times[2])
{
    times[0] = mfs_hostdir_osfile_timespec(stat->access_ns);
    times[1] = mfs_hostdir_osfile_timespec(stat->modify_ns);
}

/* Of an open file or directory. */
static int set_attributes(const struct exporter *exporter, int descriptor,
                          const memfs_stat_info *stat)
{
    struct timespec times[2];
    read_times(stat, times);
    if (fchmod(descriptor, mode_of(exporter, stat)) != 0 || futimens(descriptor, times) != 0)
        return errno;
    return 0;
}

/* --------------------------------------------------------------------- files */

/* Fills a new file of the host, gives it its attributes, and closes it. */
static int fill_on_host(struct exporter *exporter, memfs_file *file, int descriptor,
                        struct stat *status)
{
    memfs_stat_info stat = {.struct_size = sizeof stat};
    int problem = memfs_fstat(file, &stat);
    if (problem == 0)
        problem = mfs_hostdir_bytes_export(exporter->job, file, descriptor);
    if (problem == 0)
        problem = set_attributes(exporter, descriptor, &stat);
    if (problem == 0 && fstat(descriptor, status) != 0)
        problem = errno;
    if (close(descriptor) != 0 && problem == 0)
        problem = errno;
    return problem;
}

static struct mfs_hostdir_place place_of(const struct exporter *exporter)
{
    return (struct mfs_hostdir_place){.directory = mfs_hostdir_trail_directory(&exporter->trail),
                                      .name = exporter->entry->name,
                                      .replaces = exporter->merges};
}

static int export_content(struct exporter *exporter, memfs_file *file, struct stat *status)
{
    struct mfs_hostdir_place place = place_of(exporter);
    int descriptor;
    int problem = mfs_hostdir_place_make(&place, mfs_hostdir_place_create_file, &descriptor);
    if (problem != 0)
        return problem;
    problem = fill_on_host(exporter, file, descriptor, status);
    if (problem == 0)
        return mfs_hostdir_place_commit(&place);
    mfs_hostdir_place_cancel(&place);
    return problem;
}

/* Whether the host has a file like that already. */
static bool is_same_file(const struct exporter *exporter, const memfs_stat_info *stat,
                         const struct stat *status)
{
    return S_ISREG(status->st_mode) && (uint64_t)status->st_size == stat->size &&
           (status->st_mode & 07777) == mode_of(exporter, stat) &&
           mfs_hostdir_osfile_ns(mfs_hostdir_osfile_modify_time(status)) == stat->modify_ns;
}

/* An entry that stays as it is. */
static int leave_unchanged(struct exporter *exporter)
{
    exporter->job->result.unchanged++;
    exporter->job->progress.entries_done++;
    exporter->job->progress.bytes_done += exporter->entry->stat->size;
    return 0;
}

/* --------------------------------------------------------------------- links */

struct linking {
    const struct exporter *exporter;
    const struct first_copy *first;
};

/* Opens the directory that `path` is in, from the root; `*name` is its last component. */
static int open_above(int root, const char *path, const char **name)
{
    int directory = mfs_hostdir_trail_open(root, ".");
    const char *slash;
    while (directory >= 0 && (slash = strchr(path, '/')) != NULL) {
        char component[MEMFS_NAME_MAX + 1];
        size_t length = (size_t)(slash - path);
        memcpy(component, path, length);
        component[length] = '\0';
        int below = mfs_hostdir_trail_open(directory, component);
        int problem = errno;
        (void)close(directory);
        errno = problem;
        directory = below;
        path = slash + 1;
    }
    *name = path;
    return directory;
}

static bool is_file_at(int directory, const char *name, const struct first_copy *file)
{
    struct stat status;
    return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
           (uint64_t)status.st_dev == file->device && (uint64_t)status.st_ino == file->number &&
           status.st_size == file->size &&
           mfs_hostdir_osfile_ns(mfs_hostdir_osfile_modify_time(&status)) == file->modify_ns;
}

static int make_link(void *context, int directory, const char *name)
{
    const struct linking *linking = context;
    const char *old_name;
    int above = open_above(mfs_hostdir_trail_root(&linking->exporter->trail), linking->first->path,
                           &old_name);
    if (above < 0)
        return errno;
    int problem = linkat(above, old_name, directory, name, 0) == 0 ? 0 : errno;
    (void)close(above);
    if (problem == 0 && !is_file_at(directory, name, linking->first)) {
        (void)unlinkat(directory, name, 0);
        problem = ESTALE;
    }
    return problem;
}

/* Links to the first copy.  Any problem but that the name is taken means: copy once more. */
static int export_link(struct exporter *exporter, const struct first_copy *first)
{
    struct mfs_hostdir_place place = place_of(exporter);
    struct linking linking = {.exporter = exporter, .first = first};
    if (exporter->merges && is_file_at(place.directory, place.name, first))
        return leave_unchanged(exporter);
    int problem = mfs_hostdir_place_make(&place, make_link, &linking);
    if (problem == 0)
        problem = mfs_hostdir_place_commit(&place);
    if (problem != 0)
        return problem;
    exporter->job->result.links++;
    exporter->job->progress.bytes_done += exporter->entry->stat->size;
    mfs_hostdir_job_count(exporter->job, &exporter->job->result.files);
    return 0;
}

static int keep_first_copy(struct exporter *exporter, const struct stat *status)
{
    size_t path_bytes = strlen(exporter->path) + 1;
    void *memory;
    int error = memfs_charged_alloc(exporter->job->fs, sizeof(struct first_copy) + path_bytes,
                                    &memory);
    if (error != 0)
        return error;
    struct first_copy *first = memory;
    first->device = (uint64_t)status->st_dev;
    first->number = (uint64_t)status->st_ino;
    first->size = status->st_size;
    first->modify_ns = mfs_hostdir_osfile_ns(mfs_hostdir_osfile_modify_time(status));
    memcpy(first->path, exporter->path, path_bytes);
    const struct mfs_hostdir_hardlink link = {.number = exporter->entry->stat->number,
                                              .copy = first};
    error = mfs_hostdir_hardlinks_add(&exporter->links, &link);
    if (error != 0)
        (void)memfs_free(exporter->job->fs, first);
    return error;
}

static void release_copy(memfs *fs, void *copy)
{
    (void)memfs_free(fs, copy);
}

/* ------------------------------------------------------------------- entries */

/* A file of which no other name was copied; `*status` becomes that of its copy. */
static int export_first(struct exporter *exporter, struct stat *status)
{
    const memfs_walk_entry *entry = exporter->entry;
    if (mfs_hostdir_job_has(exporter->job, MEMFS_HOSTDIR_CHANGED) && exporter->merges &&
        fstatat(mfs_hostdir_trail_directory(&exporter->trail), entry->name, status,
                AT_SYMLINK_NOFOLLOW) == 0 &&
        is_same_file(exporter, entry->stat, status))
        return leave_unchanged(exporter);
    memfs_file *file;
    int problem = memfs_walk_open_file(exporter->walker, MEMFS_O_READ | MEMFS_O_NOATIME, &file);
    if (problem != 0)
        return problem;
    problem = export_content(exporter, file, status);
    (void)memfs_close(file);
    if (problem == 0)
        mfs_hostdir_job_count(exporter->job, &exporter->job->result.files);
    return problem;
}

static int export_file(struct exporter *exporter)
{
    bool has_more_names = exporter->entry->stat->links > 1;
    const struct mfs_hostdir_hardlink *link = NULL;
    if (has_more_names)
        link = mfs_hostdir_hardlinks_find(&exporter->links, 0, exporter->entry->stat->number);
    if (link != NULL) {
        int problem = export_link(exporter, link->copy);
        if (problem <= 0 || problem == EEXIST)
            return problem;
    }
    struct stat status;
    int problem = export_first(exporter, &status);
    if (problem == MEMFS_ENOENT) /* vanished */
        return 0;
    return problem == 0 && has_more_names && link == NULL ? keep_first_copy(exporter, &status)
                                                          : problem;
}

static int make_symlink(void *context, int directory, const char *name)
{
    const char *target = context;
    return symlinkat(target, directory, name) == 0 ? 0 : errno;
}

static bool is_same_link(const struct mfs_hostdir_place *place, const char *target)
{
    char found[MEMFS_PATH_MAX + 1];
    ssize_t length = readlinkat(place->directory, place->name, found, sizeof found);
    return length >= 0 && (size_t)length == strlen(target) &&
           memcmp(found, target, (size_t)length) == 0;
}

static int export_symlink(struct exporter *exporter)
{
    struct mfs_hostdir_job *job = exporter->job;
    struct mfs_hostdir_place place = place_of(exporter);
    struct timespec times[2];
    char target[MEMFS_PATH_MAX + 1];
    int64_t length = memfs_walk_readlink(exporter->walker, target, MEMFS_PATH_MAX);
    if (length < 0)
        return (int)length;
    target[length] = '\0';
    if (mfs_hostdir_job_has(job, MEMFS_HOSTDIR_INNER_LINKS) &&
        !mfs_hostdir_filter_is_inner(target, exporter->entry->depth))
        return MEMFS_EXDEV;
    if (mfs_hostdir_job_has(job, MEMFS_HOSTDIR_CHANGED) && exporter->merges &&
        is_same_link(&place, target))
        return leave_unchanged(exporter);
    int problem = mfs_hostdir_place_make(&place, make_symlink, target);
    if (problem != 0)
        return problem;
    read_times(exporter->entry->stat, times);
    /* Not every file system keeps the times of a link. */
    (void)utimensat(place.directory, mfs_hostdir_place_made_name(&place), times,
                    AT_SYMLINK_NOFOLLOW);
    problem = mfs_hostdir_place_commit(&place);
    if (problem == 0)
        mfs_hostdir_job_count(job, &job->result.symlinks);
    return problem;
}

static int enter_directory(struct exporter *exporter)
{
    struct mfs_hostdir_job *job = exporter->job;
    const memfs_walk_entry *entry = exporter->entry;
    if (mfs_hostdir_filter_ends_at(job, entry->depth))
        (void)memfs_walk_prune(exporter->walker);
    if (entry->depth > 0) {
        int directory = mfs_hostdir_trail_directory(&exporter->trail);
        if (mkdirat(directory, entry->name, 0700) != 0 && !(errno == EEXIST && exporter->merges))
            return errno;
        int problem = mfs_hostdir_trail_name(&exporter->trail, entry->name);
        if (problem == 0)
            problem = mfs_hostdir_trail_enter(&exporter->trail, entry->name);
        if (problem != 0)
            return problem;
    }
    mfs_hostdir_job_count(job, &job->result.directories);
    return 0;
}

static int leave_on_host(struct exporter *exporter)
{
    if (exporter->ignores_leave) {
        exporter->ignores_leave = false;
        return 0;
    }
    if (exporter->entry->depth == 0)
        return set_attributes(exporter, mfs_hostdir_trail_root(&exporter->trail),
                              exporter->entry->stat);
    int left;
    int problem = mfs_hostdir_trail_leave(&exporter->trail, &left);
    if (problem != 0)
        return problem;
    problem = set_attributes(exporter, left, exporter->entry->stat);
    (void)close(left);
    return problem;
}

static int export_entry(struct exporter *exporter)
{
    struct mfs_hostdir_job *job = exporter->job;
    const memfs_walk_entry *entry = exporter->entry;
    if (entry->event == MEMFS_WALK_LEAVE)
        return leave_on_host(exporter);
    int choice = mfs_hostdir_choice_of_tree(job, entry, exporter->path);
    if (choice < 0)
        return choice;
    mfs_hostdir_choice_count(job, choice);
    if (choice != MFS_HOSTDIR_CHOICE_TAKE) {
        exporter->ignores_leave = entry->event == MEMFS_WALK_ENTER;
        if (exporter->ignores_leave)
            (void)memfs_walk_prune(exporter->walker);
        return 0;
    }
    int answer = mfs_hostdir_job_tell(job, exporter->path);
    if (answer != 0)
        return answer;
    if (entry->event == MEMFS_WALK_ENTER)
        return enter_directory(exporter);
    return entry->stat->kind == MEMFS_KIND_FILE ? export_file(exporter) : export_symlink(exporter);
}

/* --------------------------------------------------------------------- roots */

/* Everything into an open directory, which the trail takes over; the walker stands on the root. */
static int export_tree(struct exporter *exporter, int descriptor)
{
    int problem = mfs_hostdir_trail_begin(&exporter->trail, descriptor);
    int found = 1;
    exporter->path = "";
    while (problem == 0 && found == 1) {
        problem = export_entry(exporter);
        if (problem != 0)
            break;
        found = memfs_walk_next(exporter->walker, &exporter->entry);
        if (found == 1)
            exporter->path = mfs_hostdir_choice_relative(exporter->entry, exporter->root_length);
        else
            exporter->path = "";
    }
    int error = mfs_hostdir_job_fail(exporter->job, exporter->path, problem != 0 ? problem : found);
    return error != 0
               ? error
               : mfs_hostdir_job_fail(exporter->job, "", mfs_hostdir_job_tell(exporter->job, ""));
}

/* A tree that replaces nothing, or all that is there. */
static int export_staged_tree(struct exporter *exporter)
{
    bool replaces = mfs_hostdir_job_has(exporter->job, MEMFS_HOSTDIR_REPLACE);
    int descriptor;
    int problem = mfs_hostdir_target_stage_directory(&exporter->target, &descriptor);
    if (problem != 0)
        return mfs_hostdir_job_fail(exporter->job, "", problem);
    int error = export_tree(exporter, descriptor);
    if (error != 0)
        return error;
    problem = mfs_hostdir_target_publish_directory(&exporter->target, replaces);
    return mfs_hostdir_job_fail(exporter->job, "", problem);
}

static int export_directory(struct exporter *exporter)
{
    struct mfs_hostdir_job *job = exporter->job;
    struct mfs_hostdir_target *target = &exporter->target;
    struct stat status;
    bool may_merge = mfs_hostdir_job_has(job, MEMFS_HOSTDIR_MERGE | MEMFS_HOSTDIR_CHANGED);
    bool has_name = target->name[0] != '\0';
    if (!has_name && !may_merge)
        return mfs_hostdir_job_fail_on_host(job, "", MEMFS_EINVAL);
    int problem = has_name ? mfs_hostdir_target_look(target, &status) : 0;
    if (problem != 0 && problem != ENOENT)
        return mfs_hostdir_job_fail(job, "", problem);
    exporter->merges = may_merge && problem == 0;
    if (exporter->merges) {
        int descriptor;
        problem = mfs_hostdir_target_open_directory(target, &descriptor);
        return problem == 0 ? export_tree(exporter, descriptor)
                            : mfs_hostdir_job_fail(job, "", problem);
    }
    if (problem == 0 && !mfs_hostdir_job_has(job, MEMFS_HOSTDIR_REPLACE))
        return mfs_hostdir_job_fail(job, "", EEXIST);
    return export_staged_tree(exporter);
}

/* A single file, by a stage. */
static int export_single(struct exporter *exporter, memfs_file *file)
{
    struct mfs_hostdir_job *job = exporter->job;
    struct stat status;
    int descriptor;
    int problem = mfs_hostdir_job_tell(job, "");
    if (problem == 0)
        problem = mfs_hostdir_target_stage_file(&exporter->target, &descriptor);
    if (problem == 0)
        problem = fill_on_host(exporter, file, descriptor, &status);
    if (problem != 0)
        return problem;
    mfs_hostdir_job_count(job, &job->result.files);
    problem = mfs_hostdir_job_tell(job, "");
    if (problem != 0)
        return problem;
    bool replaces = mfs_hostdir_job_has(job, MEMFS_HOSTDIR_REPLACE);
    return mfs_hostdir_target_publish_file(&exporter->target, replaces);
}

static int export_root_file(struct exporter *exporter)
{
    struct mfs_hostdir_job *job = exporter->job;
    struct stat status;
    if (exporter->target.name[0] == '\0')
        return mfs_hostdir_job_fail_on_host(job, "", MEMFS_EINVAL);
    int problem = mfs_hostdir_target_look(&exporter->target, &status);
    if (problem != 0 && problem != ENOENT)
        return mfs_hostdir_job_fail(job, "", problem);
    if (problem == 0 && !S_ISREG(status.st_mode) &&
        !mfs_hostdir_job_has(job, MEMFS_HOSTDIR_REPLACE))
        return mfs_hostdir_job_fail_on_host(job, "", MEMFS_EEXIST);
    if (problem == 0 && mfs_hostdir_job_has(job, MEMFS_HOSTDIR_CHANGED) &&
        is_same_file(exporter, exporter->entry->stat, &status))
        return leave_unchanged(exporter);
    memfs_file *file;
    problem = memfs_walk_open_file(exporter->walker, MEMFS_O_READ | MEMFS_O_NOATIME, &file);
    if (problem != 0)
        return mfs_hostdir_job_fail(job, "", problem);
    problem = export_single(exporter, file);
    (void)memfs_close(file);
    return mfs_hostdir_job_fail(job, "", problem);
}

/* The walker is open. */
static int export_root(struct exporter *exporter)
{
    struct mfs_hostdir_job *job = exporter->job;
    int error = 0;
    if (mfs_hostdir_job_has(job, MEMFS_HOSTDIR_COUNT))
        error = mfs_hostdir_totals_of_tree(job, job->tree_root);
    if (error != 0)
        return error;
    int found = memfs_walk_next(exporter->walker, &exporter->entry);
    if (found != 1)
        return mfs_hostdir_job_fail(job, "", found);
    exporter->root_length = strlen(exporter->entry->path);
    int problem = mfs_hostdir_target_open(&exporter->target, job->host_root);
    if (problem != 0)
        error = mfs_hostdir_job_fail(job, "", problem);
    else if (exporter->entry->event == MEMFS_WALK_ENTER)
        error = export_directory(exporter);
    else
        error = export_root_file(exporter);
    mfs_hostdir_trail_fini(&exporter->trail);
    mfs_hostdir_hardlinks_fini(&exporter->links, release_copy);
    mfs_hostdir_target_close(&exporter->target);
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
    struct exporter exporter = {
        .job = &job, .trail.fs = fs, .links.fs = fs, .target = {.parent = -1}, .path = ""};
    int error = mfs_hostdir_job_init(&job, &request);
    if (error != 0)
        return error;
    error = mfs_hostdir_job_fail(&job, "",
                                 memfs_walk_open(fs, path, MEMFS_WALK_NOATIME, &exporter.walker));
    if (error == 0) {
        error = export_root(&exporter);
        (void)memfs_walk_close(exporter.walker);
    }
    return mfs_hostdir_job_fini(&job, &request, error);
}
