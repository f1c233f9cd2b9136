#include "loadstage.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { STAGES_MOST = 10000 };

#define TOP_NAME "entry"

struct mfs_archive_times {
    struct mfs_archive_times *next;
    int64_t access_ns, modify_ns;
    char path[];
};

static int make_directories(struct mfs_archive_loadstage *stage)
{
    char top[MFS_ARCHIVE_STAGE_BYTES + sizeof TOP_NAME];
    int error = MEMFS_EEXIST;
    for (int number = 1; number <= STAGES_MOST && error == MEMFS_EEXIST; number++) {
        snprintf(stage->path, sizeof stage->path, "/.memfs-load-%d", number);
        error = memfs_mkdir(stage->fs, stage->path, 0700);
    }
    if (error != 0) {
        stage->path[0] = '\0';
        return error;
    }
    snprintf(top, sizeof top, "%s/" TOP_NAME, stage->path);
    error = memfs_mkdir(stage->fs, top, 0755);
    return error != 0 ? error : memfs_opendir(stage->fs, top, &stage->top);
}

int mfs_loadstage_make(struct mfs_archive_loadstage *stage, memfs *fs)
{
    *stage = (struct mfs_archive_loadstage){.fs = fs};
    int error = make_directories(stage);
    if (error != 0)
        mfs_loadstage_fini(stage);
    return error;
}

/* -------------------------------------------------------------------- paths */

/* Goes down from `*dir` by one name; `*dir`, unless it is the top, is closed. */
static int step_down(struct mfs_archive_loadstage *stage, memfs_dir **dir, const char *name,
                     bool makes)
{
    memfs_stat_info stat = {.struct_size = sizeof stat};
    memfs_dir *below;
    int error = memfs_statat(stage->fs, *dir, name, &stat, MEMFS_AT_NOFOLLOW);
    if (error == MEMFS_ENOENT && makes)
        error = memfs_mkdirat(stage->fs, *dir, name, 0755);
    else if (error == 0 && stat.kind != MEMFS_KIND_DIRECTORY)
        error = stat.kind == MEMFS_KIND_SYMLINK ? MEMFS_ELOOP : MEMFS_ENOTDIR;
    if (error == 0)
        error = memfs_opendirat(stage->fs, *dir, name, &below);
    if (error != 0)
        return error;
    if (*dir != stage->top)
        (void)memfs_closedir(*dir);
    *dir = below;
    return 0;
}

/* Goes down from `*dir` by the first `length` bytes of a path.  After a failure it is closed. */
static int go_down(struct mfs_archive_loadstage *stage, memfs_dir **dir, const char *path,
                   size_t length, bool makes)
{
    int error = 0;
    for (size_t at = 0; at < length && error == 0;) {
        char name[MEMFS_NAME_MAX + 1];
        size_t bytes = strcspn(path + at, "/");
        memcpy(name, path + at, bytes);
        name[bytes] = '\0';
        error = step_down(stage, dir, name, makes);
        at += bytes + 1;
    }
    if (error != 0 && *dir != stage->top)
        (void)memfs_closedir(*dir);
    return error;
}

/* The length of the path above the last component, which is at `*name`. */
static size_t length_above(const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    *name = slash != NULL ? slash + 1 : path[0] != '\0' ? path : ".";
    return slash != NULL ? (size_t)(slash - path) : 0;
}

static void forget_parent(struct mfs_archive_loadstage *stage)
{
    if (stage->parent != NULL && stage->parent != stage->top)
        (void)memfs_closedir(stage->parent);
    stage->parent = NULL;
    stage->parent_path[0] = '\0';
}

/* Entries mostly follow one another in one directory, or go further down. */
int mfs_loadstage_enter(struct mfs_archive_loadstage *stage, const char *path, memfs_dir **dir,
                        const char **name)
{
    size_t length = length_above(path, name);
    size_t known = strlen(stage->parent_path);
    bool is_below = stage->parent != NULL && known <= length &&
                    memcmp(path, stage->parent_path, known) == 0 &&
                    (known == 0 || known == length || path[known] == '/');
    if (!is_below) {
        forget_parent(stage);
        stage->parent = stage->top;
        known = 0;
    }
    size_t from = known > 0 && known < length ? known + 1 : known;
    int error = go_down(stage, &stage->parent, path + from, length - from, true);
    if (error != 0) {
        stage->parent = NULL; /* closed already */
        stage->parent_path[0] = '\0';
        return error;
    }
    memcpy(stage->parent_path, path, length);
    stage->parent_path[length] = '\0';
    *dir = stage->parent;
    return 0;
}

int mfs_loadstage_find(struct mfs_archive_loadstage *stage, const char *path, memfs_dir **dir,
                       const char **name)
{
    size_t length = length_above(path, name);
    memfs_dir *found = stage->top;
    if (length == 0)
        return memfs_opendirat(stage->fs, stage->top, ".", dir);
    int error = go_down(stage, &found, path, length, false);
    if (error == 0)
        *dir = found;
    return error;
}

/* --------------------------------------------------------------------- times */

int mfs_loadstage_note_times(struct mfs_archive_loadstage *stage, const char *path,
                             int64_t access_ns, int64_t modify_ns)
{
    size_t path_bytes = strlen(path) + 1;
    void *memory;
    int error = memfs_charged_alloc(stage->fs, sizeof(struct mfs_archive_times) + path_bytes,
                                    &memory);
    if (error != 0)
        return error;
    struct mfs_archive_times *times = memory;
    times->access_ns = access_ns;
    times->modify_ns = modify_ns;
    memcpy(times->path, path, path_bytes);
    if (stage->last != NULL)
        stage->last->next = times;
    else
        stage->first = times;
    stage->last = times;
    return 0;
}

static int set_times(struct mfs_archive_loadstage *stage)
{
    int error = 0;
    for (const struct mfs_archive_times *times = stage->first; times != NULL && error == 0;
         times = times->next) {
        memfs_dir *dir;
        const char *name;
        error = mfs_loadstage_enter(stage, times->path, &dir, &name);
        if (error == 0)
            error = memfs_utimensat(stage->fs, dir, name, times->access_ns, times->modify_ns,
                                    MEMFS_AT_NOFOLLOW);
    }
    return error;
}

int mfs_loadstage_publish(struct mfs_archive_loadstage *stage, const char *path, unsigned flags)
{
    char top[MFS_ARCHIVE_STAGE_BYTES + sizeof TOP_NAME];
    int error = set_times(stage);
    snprintf(top, sizeof top, "%s/" TOP_NAME, stage->path);
    return error != 0 ? error : memfs_rename(stage->fs, top, path, flags);
}

void mfs_loadstage_fini(struct mfs_archive_loadstage *stage)
{
    forget_parent(stage);
    if (stage->top != NULL)
        (void)memfs_closedir(stage->top);
    if (stage->path[0] != '\0')
        (void)memfs_remove_tree(stage->fs, stage->path);
    while (stage->first != NULL) {
        struct mfs_archive_times *times = stage->first;
        stage->first = times->next;
        (void)memfs_free(stage->fs, times);
    }
}
