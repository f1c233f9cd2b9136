#include "members.h"

#include "selection.h"

#include <string.h>

enum { PATTERN_BYTES = 2 * MEMFS_PATH_MAX + 8 };

/* A pattern that matches the root and all that is below it. */
static void make_pattern(char *pattern, const char *root, bool is_directory)
{
    for (const char *at = strcmp(root, "/") == 0 ? "" : root; *at != '\0'; at++) {
        if (strchr("*?[]\\", *at) != NULL)
            *pattern++ = '\\';
        *pattern++ = *at;
    }
    strcpy(pattern, is_directory ? "/**" : "");
}

static int list_all(struct mfs_archive_members *members, const char *root)
{
    memfs *fs = members->task->fs;
    char pattern[PATTERN_BYTES];
    memfs_stat_info stat = {.struct_size = sizeof stat};
    int error = memfs_lstat(fs, root, &stat);
    if (error != 0)
        return error;
    make_pattern(pattern, root, stat.kind == MEMFS_KIND_DIRECTORY);
    members->list.struct_size = sizeof members->list;
    return memfs_glob(fs, pattern, &members->list);
}

int mfs_members_open(struct mfs_archive_members *members, struct mfs_archive_task *task,
                     const char *root, bool is_sorted)
{
    *members = (struct mfs_archive_members){.task = task};
    members->root_length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    int error = is_sorted
                    ? list_all(members, root)
                    : memfs_walk_open(task->fs, root, MEMFS_WALK_NOATIME | MEMFS_WALK_NOFOLLOW,
                                      &members->walker);
    return mfs_task_fail(task, "", error, NULL);
}

void mfs_members_close(struct mfs_archive_members *members)
{
    if (members->walker != NULL)
        (void)memfs_walk_close(members->walker);
    memfs_list_free(members->task->fs, &members->list);
    members->walker = NULL;
}

/* ------------------------------------------------------------------- stepping */

/* Steps along the walk: 1, 0 or an error. */
static int walk_on(struct mfs_archive_members *members)
{
    const memfs_walk_entry *entry;
    int found;
    do
        found = memfs_walk_next(members->walker, &entry);
    while (found == 1 && entry->event == MEMFS_WALK_LEAVE);
    if (found == 1) {
        members->full_path = entry->path;
        members->stat = *entry->stat;
    }
    return found;
}

/* Steps along the list, past what has gone. */
static int list_on(struct mfs_archive_members *members)
{
    while (members->next < members->list.count) {
        members->full_path = members->list.names[members->next++];
        members->stat = (memfs_stat_info){.struct_size = sizeof members->stat};
        int error = memfs_lstat(members->task->fs, members->full_path, &members->stat);
        if (error == 0)
            return 1;
        if (error != MEMFS_ENOENT && error != MEMFS_ENOTDIR && error != MEMFS_ELOOP)
            return error;
    }
    return 0;
}

static void find_relative(struct mfs_archive_members *members)
{
    const char *path = members->full_path + members->root_length;
    path += *path == '/';
    if (*path == '\0' && members->stat.kind != MEMFS_KIND_DIRECTORY)
        path = strrchr(members->full_path, '/') + 1;
    members->path = path;
}

int mfs_members_next(struct mfs_archive_members *members)
{
    struct mfs_archive_task *task = members->task;
    for (;;) {
        int found = members->walker != NULL ? walk_on(members) : list_on(members);
        if (found != 1)
            return mfs_task_fail(task, "", found, NULL);
        find_relative(members);
        if (strlen(members->path) > MEMFS_PATH_MAX)
            return mfs_task_fail(task, members->path, MEMFS_ENAMETOOLONG, NULL);
        bool is_directory = members->stat.kind == MEMFS_KIND_DIRECTORY;
        if (mfs_selection_takes(&task->options, members->path, is_directory))
            return 1;
        if (is_directory && members->walker != NULL)
            (void)memfs_walk_prune(members->walker);
        task->result.filtered++;
    }
}

/* ------------------------------------------------------------------ contents */

int mfs_members_open_file(struct mfs_archive_members *members, memfs_file **file)
{
    const uint32_t flags = MEMFS_O_READ | MEMFS_O_NOATIME;
    if (members->walker != NULL)
        return memfs_walk_open_file(members->walker, flags, file);
    return memfs_open(members->task->fs, members->full_path, flags | MEMFS_O_NOFOLLOW, 0, file);
}

int mfs_members_readlink(struct mfs_archive_members *members, char target[MEMFS_PATH_MAX + 1])
{
    int64_t length = members->walker != NULL
                         ? memfs_walk_readlink(members->walker, target, MEMFS_PATH_MAX)
                         : memfs_readlink(members->task->fs, members->full_path, target,
                                          MEMFS_PATH_MAX);
    if (length < 0)
        return (int)length;
    target[length] = '\0';
    return 0;
}
