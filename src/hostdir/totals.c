/* The copy goes through the same entries with the same questions, so it comes to the same
 * figures, unless something has changed meanwhile. */
#include "totals.h"

#include "choice.h"
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

void mfs_totals_add(struct mfs_hostdir_job *job, uint64_t file_bytes)
{
    job->progress.entries_total++;
    job->progress.bytes_total += file_bytes;
}

static int count_on_host(struct mfs_hostdir_job *job, struct mfs_hostdir_scan *scan)
{
    if (scan->event == MEMFS_WALK_LEAVE)
        return 0;
    int choice = mfs_choice_of_host(job, scan);
    if (choice < 0)
        return choice;
    bool is_taken = choice == MFS_HOSTDIR_CHOICE_TAKE;
    bool is_file = S_ISREG(scan->status.st_mode);
    if (is_taken)
        mfs_totals_add(job, is_file ? (uint64_t)scan->status.st_size : 0);
    bool may_skip = scan->event == MEMFS_WALK_ENTER && scan->entry_depth > 0;
    if (may_skip && (!is_taken || mfs_filter_ends_at(job, scan->entry_depth)))
        mfs_scan_skip(scan);
    return 0;
}

int mfs_totals_of_host(struct mfs_hostdir_job *job, int descriptor)
{
    struct mfs_hostdir_scan scan = {.trail.fs = job->fs};
    int own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int problem = own >= 0 ? mfs_scan_begin(&scan, own) : errno;
    while (problem == 0) {
        problem = mfs_scan_next(&scan);
        if (problem == 0 && scan.event == 0)
            break;
        if (problem == 0)
            problem = count_on_host(job, &scan);
        else if (problem > 0 && scan.trail.depth > 0)
            problem = 0; /* the copy will meet it, and say so */
    }
    int error = mfs_job_fail(job, scan.trail.path != NULL ? scan.trail.path : "", problem);
    mfs_scan_fini(&scan);
    return error;
}

static int count_in_tree(struct mfs_hostdir_job *job, memfs_walker *walker,
                         const memfs_walk_entry *entry, const char *path)
{
    if (entry->event == MEMFS_WALK_LEAVE)
        return 0;
    int choice = mfs_choice_of_tree(job, entry, path);
    if (choice < 0)
        return choice;
    bool is_taken = choice == MFS_HOSTDIR_CHOICE_TAKE;
    if (is_taken)
        mfs_totals_add(job, entry->stat->kind == MEMFS_KIND_FILE ? entry->stat->size_bytes : 0);
    if (entry->event == MEMFS_WALK_ENTER && (!is_taken || mfs_filter_ends_at(job, entry->depth)))
        (void)memfs_walk_prune(walker);
    return 0;
}

int mfs_totals_of_tree(struct mfs_hostdir_job *job, const char *path)
{
    memfs_walker *walker;
    const memfs_walk_entry *entry;
    size_t root_length = 0;
    int error = memfs_walk_open(job->fs, path, MEMFS_WALK_NOATIME, &walker);
    if (error != 0)
        return mfs_job_fail(job, "", error);
    while ((error = memfs_walk_next(walker, &entry)) == 1) {
        if (entry->depth == 0)
            root_length = strlen(entry->path);
        const char *relative = mfs_choice_relative(entry, root_length);
        error = mfs_job_fail(job, relative, count_in_tree(job, walker, entry, relative));
        if (error != 0)
            break;
    }
    (void)memfs_walk_close(walker);
    return mfs_job_fail(job, "", error);
}
