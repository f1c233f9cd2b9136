/*
 * Every name on the host is made in an open directory, and nothing that has it already is written
 * to: in a stage nothing has it, in a merge a temporary name is renamed over it (place.h).
 *
 * 1. A directory is made 0700, so that it can be filled and nobody else fills it, and gets its mode
 *    and times when it is left.
 * 2. Further names of a file become links to its first copy, found again from the root, one
 *    directory after the other.  What the link has come to is compared with the copy, since
 *    another file might have been put in its place.
 */
#include "exporter.h"

#include "choice.h"
#include "datacopy.h"
#include "filter.h"
#include "osfile.h"
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The first copy of a file with several names. */
struct first_copy {
    uint64_t device, number;
    int64_t size, modify_ns; /* a number alone may be another file's by now */
    char path[];             /* relative */
};

static mode_t mode_of(const struct mfs_hostdir_exporter *exporter, const memfs_stat_info *stat)
{
    bool is_whole = mfs_job_has(exporter->job, MEMFS_HOSTDIR_SPECIAL_BITS);
    return (mode_t)(stat->mode & (is_whole ? 07777u : 0777u));
}

static void read_times(const memfs_stat_info *stat, struct timespec times[2])
{
    times[0] = mfs_osfile_timespec(stat->access_ns);
    times[1] = mfs_osfile_timespec(stat->modify_ns);
}

/* Of an open file or directory. */
static int set_attributes(const struct mfs_hostdir_exporter *exporter, int descriptor,
                          const memfs_stat_info *stat)
{
    struct timespec times[2];
    read_times(stat, times);
    if (fchmod(descriptor, mode_of(exporter, stat)) != 0 || futimens(descriptor, times) != 0)
        return errno;
    return 0;
}

/* --------------------------------------------------------------------- files */

int mfs_exporter_fill(struct mfs_hostdir_exporter *exporter, memfs_file *file, int descriptor,
                      struct stat *status)
{
    memfs_stat_info stat = {.struct_size = sizeof stat};
    int problem = memfs_fstat(file, &stat);
    if (problem == 0)
        problem = mfs_datacopy_export(exporter->job, file, descriptor);
    if (problem == 0)
        problem = set_attributes(exporter, descriptor, &stat);
    if (problem == 0 && fstat(descriptor, status) != 0)
        problem = errno;
    if (close(descriptor) != 0 && problem == 0)
        problem = errno;
    return problem;
}

static struct mfs_hostdir_place place_of(const struct mfs_hostdir_exporter *exporter)
{
    return (struct mfs_hostdir_place){.directory = mfs_trail_directory(&exporter->trail),
                                      .name = exporter->entry->name,
                                      .replaces = exporter->merges};
}

static int export_content(struct mfs_hostdir_exporter *exporter, memfs_file *file,
                          struct stat *status)
{
    struct mfs_hostdir_place place = place_of(exporter);
    int descriptor;
    int problem = mfs_place_make(&place, mfs_place_create_file, &descriptor);
    if (problem != 0)
        return problem;
    problem = mfs_exporter_fill(exporter, file, descriptor, status);
    if (problem == 0)
        return mfs_place_commit(&place);
    mfs_place_cancel(&place);
    return problem;
}

bool mfs_exporter_is_same(const struct mfs_hostdir_exporter *exporter, const memfs_stat_info *stat,
                          const struct stat *status)
{
    return S_ISREG(status->st_mode) && (uint64_t)status->st_size == stat->size_bytes &&
           (status->st_mode & 07777) == mode_of(exporter, stat) &&
           mfs_osfile_ns(mfs_osfile_modify_time(status)) == stat->modify_ns;
}

int mfs_exporter_leave_unchanged(struct mfs_hostdir_exporter *exporter)
{
    exporter->job->result.unchanged++;
    exporter->job->progress.entries_done++;
    exporter->job->progress.bytes_done += exporter->entry->stat->size_bytes;
    return 0;
}

/* --------------------------------------------------------------------- links */

struct linking {
    const struct mfs_hostdir_exporter *exporter;
    const struct first_copy *first;
};

/* Opens the directory that `path` is in, from the root; `*name` is its last component. */
static int open_above(int root, const char *path, const char **name)
{
    int directory = mfs_trail_open(root, ".");
    const char *slash;
    while (directory >= 0 && (slash = strchr(path, '/')) != NULL) {
        char component[MEMFS_NAME_MAX + 1];
        size_t length = (size_t)(slash - path);
        memcpy(component, path, length);
        component[length] = '\0';
        int below = mfs_trail_open(directory, component);
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
           mfs_osfile_ns(mfs_osfile_modify_time(&status)) == file->modify_ns;
}

static int make_link(void *context, int directory, const char *name)
{
    const struct linking *linking = context;
    const char *old_name;
    int above = open_above(mfs_trail_root(&linking->exporter->trail), linking->first->path,
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
static int export_link(struct mfs_hostdir_exporter *exporter, const struct first_copy *first)
{
    struct mfs_hostdir_place place = place_of(exporter);
    struct linking linking = {.exporter = exporter, .first = first};
    if (exporter->merges && is_file_at(place.directory, place.name, first))
        return mfs_exporter_leave_unchanged(exporter);
    int problem = mfs_place_make(&place, make_link, &linking);
    if (problem == 0)
        problem = mfs_place_commit(&place);
    if (problem != 0)
        return problem;
    exporter->job->result.links++;
    exporter->job->progress.bytes_done += exporter->entry->stat->size_bytes;
    mfs_job_count(exporter->job, &exporter->job->result.files);
    return 0;
}

static int keep_first_copy(struct mfs_hostdir_exporter *exporter, const struct stat *status)
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
    first->modify_ns = mfs_osfile_ns(mfs_osfile_modify_time(status));
    memcpy(first->path, exporter->path, path_bytes);
    const struct mfs_hostdir_hardlink link = {.number = exporter->entry->stat->number,
                                              .copy = first};
    error = mfs_hardlinks_add(&exporter->links, &link);
    if (error != 0)
        (void)memfs_free(exporter->job->fs, first);
    return error;
}

static void release_copy(memfs *fs, void *copy)
{
    (void)memfs_free(fs, copy);
}

void mfs_exporter_fini(struct mfs_hostdir_exporter *exporter)
{
    mfs_trail_fini(&exporter->trail);
    mfs_hardlinks_fini(&exporter->links, release_copy);
}

/* ------------------------------------------------------------------- entries */

/* A file of which no other name was copied; `*status` becomes that of its copy. */
static int export_first(struct mfs_hostdir_exporter *exporter, struct stat *status)
{
    const memfs_walk_entry *entry = exporter->entry;
    if (mfs_job_has(exporter->job, MEMFS_HOSTDIR_CHANGED) && exporter->merges &&
        fstatat(mfs_trail_directory(&exporter->trail), entry->name, status, AT_SYMLINK_NOFOLLOW) ==
            0 &&
        mfs_exporter_is_same(exporter, entry->stat, status))
        return mfs_exporter_leave_unchanged(exporter);
    memfs_file *file;
    int problem = memfs_walk_open_file(exporter->walker, MEMFS_O_READ | MEMFS_O_NOATIME, &file);
    if (problem != 0)
        return problem;
    problem = export_content(exporter, file, status);
    (void)memfs_close(file);
    if (problem == 0)
        mfs_job_count(exporter->job, &exporter->job->result.files);
    return problem;
}

static int export_file(struct mfs_hostdir_exporter *exporter)
{
    bool has_more_names = exporter->entry->stat->links > 1;
    const struct mfs_hostdir_hardlink *link = NULL;
    if (has_more_names)
        link = mfs_hardlinks_find(&exporter->links, 0, exporter->entry->stat->number);
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

static int export_symlink(struct mfs_hostdir_exporter *exporter)
{
    struct mfs_hostdir_job *job = exporter->job;
    struct mfs_hostdir_place place = place_of(exporter);
    struct timespec times[2];
    char target[MEMFS_PATH_MAX + 1];
    int64_t length = memfs_walk_readlink(exporter->walker, target, MEMFS_PATH_MAX);
    if (length < 0)
        return (int)length;
    target[length] = '\0';
    if (mfs_job_has(job, MEMFS_HOSTDIR_INNER_LINKS) &&
        !mfs_filter_is_inner(target, exporter->entry->depth))
        return MEMFS_EXDEV;
    if (mfs_job_has(job, MEMFS_HOSTDIR_CHANGED) && exporter->merges && is_same_link(&place, target))
        return mfs_exporter_leave_unchanged(exporter);
    int problem = mfs_place_make(&place, make_symlink, target);
    if (problem != 0)
        return problem;
    read_times(exporter->entry->stat, times);
    /* Not every file system keeps the times of a link. */
    (void)utimensat(place.directory, mfs_place_made_name(&place), times, AT_SYMLINK_NOFOLLOW);
    problem = mfs_place_commit(&place);
    if (problem == 0)
        mfs_job_count(job, &job->result.symlinks);
    return problem;
}

static int enter_directory(struct mfs_hostdir_exporter *exporter)
{
    struct mfs_hostdir_job *job = exporter->job;
    const memfs_walk_entry *entry = exporter->entry;
    if (mfs_filter_ends_at(job, entry->depth))
        (void)memfs_walk_prune(exporter->walker);
    if (entry->depth > 0) {
        int directory = mfs_trail_directory(&exporter->trail);
        if (mkdirat(directory, entry->name, 0700) != 0 && !(errno == EEXIST && exporter->merges))
            return errno;
        int problem = mfs_trail_name(&exporter->trail, entry->name);
        if (problem == 0)
            problem = mfs_trail_enter(&exporter->trail, entry->name);
        if (problem != 0)
            return problem;
    }
    mfs_job_count(job, &job->result.directories);
    return 0;
}

static int leave_on_host(struct mfs_hostdir_exporter *exporter)
{
    if (exporter->ignores_leave) {
        exporter->ignores_leave = false;
        return 0;
    }
    if (exporter->entry->depth == 0)
        return set_attributes(exporter, mfs_trail_root(&exporter->trail), exporter->entry->stat);
    int left;
    int problem = mfs_trail_leave(&exporter->trail, &left);
    if (problem != 0)
        return problem;
    problem = set_attributes(exporter, left, exporter->entry->stat);
    (void)close(left);
    return problem;
}

int mfs_exporter_step(struct mfs_hostdir_exporter *exporter)
{
    struct mfs_hostdir_job *job = exporter->job;
    const memfs_walk_entry *entry = exporter->entry;
    if (entry->event == MEMFS_WALK_LEAVE)
        return leave_on_host(exporter);
    int choice = mfs_choice_of_tree(job, entry, exporter->path);
    if (choice < 0)
        return choice;
    mfs_choice_count(job, choice);
    if (choice != MFS_HOSTDIR_CHOICE_TAKE) {
        exporter->ignores_leave = entry->event == MEMFS_WALK_ENTER;
        if (exporter->ignores_leave)
            (void)memfs_walk_prune(exporter->walker);
        return 0;
    }
    int answer = mfs_job_tell(job, exporter->path);
    if (answer != 0)
        return answer;
    if (entry->event == MEMFS_WALK_ENTER)
        return enter_directory(exporter);
    return entry->stat->kind == MEMFS_KIND_FILE ? export_file(exporter) : export_symlink(exporter);
}
