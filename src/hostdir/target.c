#include "target.h"

#include "osfile.h"
#include "removal.h"
#include "trail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PARENT_BYTES = 4096 };

/* Opens the directory of the first `length` bytes of the path; of none, the current one. */
static int open_parent(const char *path, size_t length)
{
    char parent[PARENT_BYTES];
    if (length >= sizeof parent) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(parent, path, length);
    parent[length] = '\0';
    return mfs_osfile_open_parent(length > 0 ? parent : ".");
}

int mfs_target_open(struct mfs_hostdir_target *target, const char *path)
{
    size_t length = strlen(path);
    *target = (struct mfs_hostdir_target){.parent = -1, .path = path};
    if (length == 0)
        return ENOENT;
    while (length > 0 && path[length - 1] == '/')
        length--;
    size_t start = length;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (length - start > NAME_MAX)
        return ENAMETOOLONG;
    memcpy(target->name, path + start, length - start);
    if (!mfs_trail_is_name(target->name)) {
        target->name[0] = '\0';
        return 0;
    }
    target->parent = open_parent(path, start);
    return target->parent >= 0 ? 0 : errno;
}

int mfs_target_look(const struct mfs_hostdir_target *target, struct stat *status)
{
    return fstatat(target->parent, target->name, status, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

/* -------------------------------------------------------------------- stages */

static int make_stage_directory(void *context, int directory, const char *name)
{
    (void)context;
    return mkdirat(directory, name, 0700) == 0 ? 0 : errno;
}

static int make_stage(struct mfs_hostdir_target *target, mfs_place_maker maker, void *context)
{
    int problem = mfs_place_make_temporary(target->parent, target->stage, maker, context);
    if (problem != 0)
        target->stage[0] = '\0';
    return problem;
}

int mfs_target_stage_directory(struct mfs_hostdir_target *target, int *descriptor)
{
    int problem = make_stage(target, make_stage_directory, NULL);
    if (problem != 0)
        return problem;
    *descriptor = mfs_trail_open(target->parent, target->stage);
    return *descriptor >= 0 ? 0 : errno;
}

int mfs_target_stage_file(struct mfs_hostdir_target *target, int *descriptor)
{
    return make_stage(target, mfs_place_create_file, descriptor);
}

int mfs_target_open_directory(const struct mfs_hostdir_target *target, int *descriptor)
{
    if (target->name[0] == '\0') {
        *descriptor = open(target->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *descriptor >= 0 ? 0 : errno;
    }
    *descriptor = mfs_trail_open(target->parent, target->name);
    return *descriptor >= 0 ? 0 : errno;
}

/* --------------------------------------------------------------- publication */

static int rename_stage(struct mfs_hostdir_target *target)
{
    if (renameat(target->parent, target->stage, target->parent, target->name) != 0)
        return errno;
    target->stage[0] = '\0';
    return 0;
}

/* Now the stage's name leads to what was replaced. */
static int remove_replaced(struct mfs_hostdir_target *target)
{
    int problem = mfs_removal_of(target->parent, target->stage);
    target->stage[0] = '\0';
    return problem;
}

static int keep_the_name(void *context, int directory, const char *name)
{
    const struct mfs_hostdir_target *target = context;
    struct stat status;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return EEXIST;
    return renameat(directory, target->name, directory, name) == 0 ? 0 : errno;
}

/* Where two names cannot be exchanged: the old one goes aside, or back if the new one fails. */
static int replace_in_two_steps(struct mfs_hostdir_target *target)
{
    char aside[MFS_HOSTDIR_PLACE_NAME_BYTES];
    int problem = mfs_place_make_temporary(target->parent, aside, keep_the_name, target);
    if (problem != 0)
        return problem;
    problem = rename_stage(target);
    if (problem != 0) {
        (void)renameat(target->parent, aside, target->parent, target->name);
        return problem;
    }
    return mfs_removal_of(target->parent, aside);
}

/* ENOENT: nothing is there. */
static int replace(struct mfs_hostdir_target *target)
{
    int problem = mfs_osfile_exchange(target->parent, target->stage, target->name);
    if (problem == 0)
        return remove_replaced(target);
    return problem == ENOENT ? problem : replace_in_two_steps(target);
}

/* An empty directory of our own, which nothing can have been put in the place of, takes the name
 * first: a rename would replace any empty one. */
static int publish_new_directory(struct mfs_hostdir_target *target)
{
    if (mkdirat(target->parent, target->name, 0700) != 0)
        return errno;
    int problem = rename_stage(target);
    if (problem != 0)
        (void)unlinkat(target->parent, target->name, AT_REMOVEDIR);
    return problem;
}

int mfs_target_publish_directory(struct mfs_hostdir_target *target, bool replaces)
{
    for (;;) {
        int problem = replaces ? replace(target) : ENOENT;
        if (problem != ENOENT)
            return problem;
        problem = publish_new_directory(target);
        bool came_first = problem == EEXIST || problem == ENOTEMPTY; /* another export */
        if (!replaces || !came_first)
            return problem;
    }
}

int mfs_target_publish_file(struct mfs_hostdir_target *target, bool replaces)
{
    struct stat status;
    if (replaces && mfs_target_look(target, &status) == 0 && S_ISDIR(status.st_mode))
        return replace(target);
    return rename_stage(target);
}

void mfs_target_close(struct mfs_hostdir_target *target)
{
    if (target->stage[0] != '\0')
        (void)mfs_removal_of(target->parent, target->stage);
    if (target->parent >= 0)
        (void)close(target->parent);
}
