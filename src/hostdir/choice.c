#include "choice.h"

#include "filter.h"
#include "osfile.h"

static int ask_filter(const struct mfs_hostdir_job *job, const memfs_hostdir_entry *entry)
{
    if (entry->depth == 0)
        return MFS_HOSTDIR_CHOICE_TAKE;
    int answer = mfs_filter_ask(job, entry);
    if (answer < 0)
        return answer;
    return answer == MEMFS_HOSTDIR_TAKE ? MFS_HOSTDIR_CHOICE_TAKE : MFS_HOSTDIR_CHOICE_FILTERED;
}

int mfs_choice_of_host(const struct mfs_hostdir_job *job, const struct mfs_hostdir_scan *scan)
{
    const struct stat *status = &scan->status;
    memfs_hostdir_entry entry = {.path = scan->trail.path,
                                 .name = scan->name,
                                 .depth = scan->entry_depth,
                                 .mode = status->st_mode & 07777,
                                 .modify_ns = mfs_osfile_ns(mfs_osfile_modify_time(status))};
    if (S_ISREG(status->st_mode)) {
        entry.kind = MEMFS_KIND_FILE;
        entry.size_bytes = (uint64_t)status->st_size;
    } else if (S_ISDIR(status->st_mode)) {
        entry.kind = MEMFS_KIND_DIRECTORY;
    } else if (S_ISLNK(status->st_mode)) {
        entry.kind = MEMFS_KIND_SYMLINK;
    } else {
        return MFS_HOSTDIR_CHOICE_SPECIAL;
    }
    if (mfs_job_has(job, MEMFS_HOSTDIR_ONE_FILE_SYSTEM) &&
        (uint64_t)status->st_dev != scan->trail.steps[0].device)
        return MFS_HOSTDIR_CHOICE_ELSEWHERE;
    return ask_filter(job, &entry);
}

int mfs_choice_of_tree(const struct mfs_hostdir_job *job, const memfs_walk_entry *entry,
                       const char *path)
{
    const memfs_stat_info *stat = entry->stat;
    const memfs_hostdir_entry asked = {
        .path = path,
        .name = entry->name,
        .depth = entry->depth,
        .kind = stat->kind,
        .mode = stat->mode,
        .size_bytes = stat->kind == MEMFS_KIND_FILE ? stat->size_bytes : 0,
        .modify_ns = stat->modify_ns};
    return ask_filter(job, &asked);
}

const char *mfs_choice_relative(const memfs_walk_entry *entry, size_t root_length)
{
    const char *path = entry->path + root_length;
    return *path == '/' ? path + 1 : path;
}

void mfs_choice_count(struct mfs_hostdir_job *job, int choice)
{
    memfs_hostdir_result *result = &job->result;
    if (choice == MFS_HOSTDIR_CHOICE_FILTERED)
        result->filtered++;
    else if (choice == MFS_HOSTDIR_CHOICE_SPECIAL)
        result->special++;
    else if (choice == MFS_HOSTDIR_CHOICE_ELSEWHERE)
        result->elsewhere++;
}
